/** Golden files of the authors' modules, for `npm run golden`. Not part of the published package. */

import type { GoldenKind } from '@heddle/core/testing/golden';
import { partialformer } from './partialformer.js';

export const kinds: readonly GoldenKind[] = [partialformer];
