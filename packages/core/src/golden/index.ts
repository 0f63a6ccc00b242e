/** The golden kinds that the kernel implements, for `npm run golden`. Not part of the published package. */

import type { GoldenKind } from '../testing/golden.js';
import { torch } from './torch.js';

export const kinds: readonly GoldenKind[] = [torch];
