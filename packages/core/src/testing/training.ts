/** A small model, data and a plan: what the laws of training run on. */

import { affine, defineLayer, dropout, embedding } from '../model/index.js';
import { uniforms } from '../random/philox.js';
import { host } from '../tensor/evaluate.js';
import { gelu } from '../tensor/ops/activate.js';
import { adamW } from '../optim/adam.js';
import { nextToken } from '../train/objective.js';
import type { Backend } from '../backend/contract.js';
import type { HostTensor } from '../ir/types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Batches } from '../plugin/contributions.js';
import type { TrainPlan } from '../train/plan.js';

const V = 7;

export const tiny = (rate = 0.2) =>
  defineLayer({
    name: 'tiny',
    params: { embed: embedding(V, 4), up: affine(4, 6), drop: dropout(rate), head: affine(6, V) },
    apply: ({ embed, up, drop, head }, ids: Tensor) => head(drop(gelu(up(embed(ids))))),
  });

export interface SampleData extends Batches {
  readonly log: string[];
}

/** Batches [2, 3] drawn by their number; `masked` leaves a third of the targets out. Ends after `count`. */
export function batches({
  count = Infinity,
  masked = true,
  log = [] as string[],
  bend = (_n: number, batch: Record<string, HostTensor>) => batch,
} = {}): SampleData {
  let at = 0;
  return {
    log,
    async next() {
      if (at >= count) return null;
      const n = at++;
      log.push(`batch ${n}`);
      const draw = uniforms(n, 9);
      const ids = Array.from({ length: 6 }, () => Math.floor(V * draw()));
      const mask = Array.from({ length: 6 }, (_, i) => (masked && (i + n) % 3 === 0 ? 0 : 1));
      const batch = bend(n, {
        ids: host([2, 3], ids, 'i32'),
        targets: host(
          [2, 3],
          ids.map(x => (x + 1) % V),
          'i32',
        ),
        mask: host([2, 3], mask),
      });
      return { batch, tokens: 6, cursor: { at } };
    },
    async seek(cursor) {
      log.push('seek');
      at = (cursor as { at: number }).at;
    },
    async close() {
      log.push('close');
    },
  };
}

export const planOf = (backend: Backend, more: Partial<TrainPlan> = {}): TrainPlan => ({
  name: 'sample',
  model: tiny(),
  objective: nextToken(),
  optimizer: adamW({ weightDecay: 0.1 }),
  schedule: step => 0.05 / (1 + step),
  data: batches(),
  backend,
  steps: 4,
  seed: 12,
  clip: 1,
  config: { model: 'tiny', widths: [4, 6] },
  ...more,
});
