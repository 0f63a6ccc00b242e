/** What `heddle` can be asked for by this package: descriptions only, light to load. */

import type { Command } from '@heddle/core';
import { compareRuns, evalMath } from './commands/eval-math.js';
import { grade } from './commands/grade.js';

export const commands: readonly Command[] = [grade, evalMath, compareRuns];
