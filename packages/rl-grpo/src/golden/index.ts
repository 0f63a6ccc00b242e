/** The golden kinds that this package implements, for `npm run golden`. Not part of the published package. */

import type { GoldenKind } from '@heddle/core/testing/golden';
import { parallelR1 } from './parallel-r1.js';
import { rl } from './rl.js';

export const kinds: readonly GoldenKind[] = [parallelR1, rl];
