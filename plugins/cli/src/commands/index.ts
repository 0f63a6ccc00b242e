/** The commands of this package. Descriptions only: what a command does is loaded when it runs. */

import type { Command } from '@heddle/core';
import { classify } from './classify.js';
import { curriculum } from './curriculum.js';
import { doctor } from './doctor.js';
import { exportCommand } from './export.js';
import { generate } from './generate.js';
import { multilingual } from './multilingual.js';
import { start } from './start.js';
import { task } from './task.js';
import { think } from './think.js';
import { trainCommand } from './train.js';
import { translate } from './translate.js';

export const commands: readonly Command[] = [
  start,
  trainCommand,
  generate,
  task,
  translate,
  classify,
  curriculum,
  multilingual,
  think,
  exportCommand,
  doctor,
];
