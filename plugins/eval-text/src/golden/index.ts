/** The golden kinds that this package implements, for `npm run golden`. Not part of the published package. */

import type { GoldenKind } from '@heddle/core/testing/golden';
import { gec } from './gec.node.js';
import { mtMetrics } from './mt-metrics.node.js';
import { summarization } from './summarization.node.js';

export const kinds: readonly GoldenKind[] = [mtMetrics, summarization, gec];
