/** Golden files of merging, for `npm run golden`. Not part of the published package. */

import type { GoldenKind } from '@heddle/core/testing/golden';
import { merge } from './merge.js';

export const kinds: readonly GoldenKind[] = [merge];
