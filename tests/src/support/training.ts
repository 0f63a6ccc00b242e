/** A small decoder and batches for it, built from published parts only, so that faults in it are faults of the kernel. */

import {
  adamW,
  affine,
  attend,
  causalMask,
  defineLayer,
  dropout,
  embedding,
  host,
  joinHeads,
  linear,
  nextToken,
  rmsNormLayer,
  ropeTables,
  rotate,
  silu,
  splitHeads,
  train,
  uniforms,
  type AnyLayer,
  type Backend,
  type Batches,
  type Checkpoint,
  type StepFinished,
  type Tensor,
  type TrainEvent,
  type TrainPlan,
} from '@heddle/core';
import { lastValueFrom, tap, toArray, type Observable, type OperatorFunction } from 'rxjs';

export interface TinyOptions {
  readonly vocabulary?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly blocks?: number;
  /** Share of cells dropped after each sub-layer. */
  readonly rate?: number;
}

const block = (width: number, heads: number, rate: number) =>
  defineLayer({
    name: 'block',
    params: {
      first: rmsNormLayer(width),
      query: linear(width, width),
      key: linear(width, width),
      value: linear(width, width),
      output: linear(width, width),
      second: rmsNormLayer(width),
      up: affine(width, 2 * width),
      down: affine(2 * width, width),
      drop: dropout(rate),
    },
    apply({ first, query, key, value, output, second, up, down, drop }, x: Tensor): Tensor {
      const length = x.shape[1]!;
      const { cos, sin } = ropeTables(length, width / heads);
      const normed = first(x);
      const turned = (t: Tensor): Tensor => rotate(splitHeads(t, heads), cos, sin); // [B, H, T, d]
      const seen = attend(
        turned(query(normed)),
        turned(key(normed)),
        splitHeads(value(normed), heads),
        causalMask(length),
      );
      const mixed = x.add(drop(output(joinHeads(seen))));
      return mixed.add(drop(down(silu(up(second(mixed))))));
    },
  });

/** Pre-norm, rotary, causal. @shape ids i32[B, T] -> [B, T, V] */
export const tinyDecoder = ({
  vocabulary = 17,
  width = 16,
  heads = 2,
  blocks = 2,
  rate = 0,
}: TinyOptions = {}): AnyLayer =>
  defineLayer({
    name: 'decoder',
    params: {
      embed: embedding(vocabulary, width),
      blocks: Array.from({ length: blocks }, () => block(width, heads, rate)),
      norm: rmsNormLayer(width),
      head: linear(width, vocabulary),
    },
    apply({ embed, blocks: all, norm, head }, ids: Tensor): Tensor {
      return head(norm(all.reduce((x, each) => each(x), embed(ids))));
    },
  });

export interface CountedOptions {
  readonly vocabulary?: number;
  readonly batch?: number;
  readonly length?: number;
  /** Batches in all; endless by default. */
  readonly limit?: number;
}

/** Batches that depend on their number alone: a walk with a random stride, so that there is something to learn. */
export function counted({ vocabulary = 17, batch = 2, length = 8, limit = Infinity }: CountedOptions = {}): Batches {
  let next = 0;
  return {
    async next() {
      if (next >= limit) return null;
      const draw = uniforms(next, 41);
      const rows = Array.from({ length: batch }, () => {
        const [from, stride] = [Math.floor(vocabulary * draw()), 1 + Math.floor(3 * draw())];
        return Array.from({ length: length + 1 }, (_, i) => (from + i * stride) % vocabulary);
      });
      const pick = (shift: number) => Int32Array.from(rows.flatMap(row => row.slice(shift, shift + length)));
      next++;
      return {
        batch: {
          ids: { dtype: 'i32', shape: [batch, length], data: pick(0) },
          targets: { dtype: 'i32', shape: [batch, length], data: pick(1) },
          mask: { dtype: 'f32', shape: [batch, length], data: new Float32Array(batch * length).fill(1) },
        },
        tokens: batch * length,
        cursor: { next },
      };
    },
    async seek(cursor) {
      ({ next } = cursor as { readonly next: number });
    },
    close: async () => {},
  };
}

/** A run of the small decoder; anything may be replaced. */
export const tinyPlan = (backend: Backend, changes: Partial<TrainPlan> = {}): TrainPlan => ({
  name: 'tiny',
  model: tinyDecoder(),
  objective: nextToken(),
  optimizer: adamW(),
  schedule: () => 3e-3,
  data: counted(),
  backend,
  steps: 10,
  seed: 7,
  clip: 1,
  config: { model: 'tiny' },
  ...changes,
});

export interface Outcome {
  readonly events: readonly TrainEvent[];
  readonly losses: readonly number[];
  /** Parameters, optimizer state, cursor after the last step. */
  readonly end: Checkpoint;
}

/** Runs a plan to its end. @throws what the run fails with */
export async function outcome(
  plan: TrainPlan,
  ...operators: OperatorFunction<TrainEvent, TrainEvent>[]
): Promise<Outcome> {
  let end: Checkpoint | null = null;
  const piped = operators.reduce<Observable<TrainEvent>>((events, operator) => events.pipe(operator), train(plan));
  const events = await lastValueFrom(
    piped.pipe(
      tap(event => {
        if (event.type === 'run.finished') event.waitUntil(event.snapshot().then(snapshot => (end = snapshot)));
      }),
      toArray(),
    ),
  );
  if (end === null) throw new Error('the run ended without run.finished');
  return { events, losses: lossesOf(events), end };
}

const lossesOf = (events: readonly TrainEvent[]): readonly number[] =>
  events.filter((event): event is StepFinished => event.type === 'step.finished').map(({ loss }) => loss);

/** Losses of a model that sees one text again and again: whoever learns gets it by heart. @param ids one more than are fed */
export async function learning(
  model: AnyLayer,
  ids: readonly number[],
  backend: Backend,
  { steps, rate }: { readonly steps: number; readonly rate: number },
): Promise<readonly number[]> {
  const T = ids.length - 1;
  const batch = {
    ids: host([1, T], ids.slice(0, T), 'i32'),
    targets: host([1, T], ids.slice(1), 'i32'),
    mask: host([1, T], new Array<number>(T).fill(1)),
  };
  const data: Batches = {
    next: async () => ({ batch, tokens: T, cursor: null }),
    seek: async () => {},
    close: async () => {},
  };
  const optimizer = adamW({ weightDecay: 0 });
  const plan = { name: 'by heart', model, objective: nextToken(), optimizer, schedule: () => rate, data, backend };
  const events = await lastValueFrom(train({ ...plan, steps, clip: 1 }).pipe(toArray()));
  return events.flatMap(event => (event.type === 'step.finished' ? [event.loss] : []));
}
