/** The commands of this package. Descriptions only: what a command does is loaded when it runs. */

import { doctor } from './doctor.js';
import { exportCommand } from './export.js';
import { generate } from './generate.js';
import { start } from './start.js';
import { trainCommand } from './train.js';
import type { CommandWithExamples } from '../command.js';

export const commands: readonly CommandWithExamples[] = [start, trainCommand, generate, exportCommand, doctor];
