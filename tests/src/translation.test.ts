/** Encoder-decoder models with attentions of other packages: decoded as they read, trained, and better at translating for it. */

import emha from '@heddle/attention-emha';
import {
  adamW,
  bind,
  createHost,
  expandOps,
  f32,
  host,
  i32,
  initialise,
  interpret,
  logSoftmax,
  openReference,
  parameterTypes,
  schedule,
  sequenceToSequence,
  trace,
  train,
  uniforms,
  type HostTensor,
  type Tensor,
  type TrainEvent,
} from '@heddle/core';
import partial from '@heddle/ffn-partial';
import { encodePairs, generatePairs, pairBatches, trainBpe } from '@heddle/text';
import transformer, {
  createBeamSearch,
  createEncoderDecoder,
  createProgram,
  openSession,
  partsOf,
  type PartialEncoderDecoderConfig,
} from '@heddle/transformer';
import { lastValueFrom, tap, type Observable } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import warp from '../third-party/warp/src/index.js';
import { onnxBackends, present } from './support/backends.js';

const registry = createHost({ plugins: [transformer, emha, partial, warp] });
afterAll(() => registry.close());

const size = { width: 16, heads: 2, depth: 2, encoderDepth: 1, length: 10, sourceLength: 9 };
const expanded = { expandHeads: 4, coreHeads: 2, ratio: 2 };
const variants: readonly (readonly [string, Omit<PartialEncoderDecoderConfig, 'vocabulary'>])[] = [
  ['standard', {}],
  ['emha', { attention: 'emha' }],
  ['emha in the encoder, standard between', { attention: 'emha', cross: 'standard' }],
  ["a third party's", { attention: 'squared', ffn: 'warp', positions: 'rotary' }],
  ['partial', { attention: 'partial', ffn: 'none', options: { attention: expanded } }],
  ['partial, post-norm', { attention: 'partial', ffn: 'none', normFirst: false, options: { attention: expanded } }],
];

describe.each(variants)('an encoder-decoder of %s', (_, config) => {
  const V = 13;
  const model = createEncoderDecoder({ vocabulary: V, ...size, ...config }, partsOf(registry));
  const draw = uniforms(4, 4);
  const params: Record<string, HostTensor> = Object.fromEntries(
    Object.entries(initialise(model, 4)).map(([name, t]) => [
      name,
      { ...t, data: Float32Array.from(t.data, x => x + 0.5 * (draw() - 0.5)) },
    ]),
  );
  const tokens = (n: number): number[] => Array.from({ length: n }, () => Math.floor(draw() * V));

  it('expects over a cache, beside texts from other sources, what it expects of the whole text', async () => {
    const backend = openReference();
    const program = createProgram({ model, params, backend }, 2, 12, 6);
    const session = await openSession(program, []);
    const rows = [0, 1].map(slot => ({ slot, source: tokens(slot === 0 ? 6 : 4), ids: tokens(6) }));
    const paths = rows.map(({ slot, source }) => session.open(slot, source));
    const whole = rows.map(({ source, ids }) => {
      const types = { source: i32(1, source.length), sourceMask: f32(1, source.length), ids: i32(1, ids.length) };
      const graph = trace({ ...parameterTypes(model), ...types }, x => ({
        out: logSoftmax(
          bind(model, x as Record<string, Tensor>, { training: false })(x['source']!, x['sourceMask']!, x['ids']!),
        ),
      }));
      const feeds = {
        source: host([1, source.length], source, 'i32'),
        sourceMask: host([1, source.length], new Array<number>(source.length).fill(1)),
        ids: host([1, ids.length], ids, 'i32'),
      };
      return interpret(expandOps(graph), { ...params, ...feeds }, 'f32')['out']!.data;
    });
    for (let t = 0; t < 6; t++) {
      const outlooks = await session.feed(rows.map(({ ids }, i) => ({ path: paths[i]!, ids: [ids[t]!] })));
      outlooks.forEach(({ logits, total }, row) =>
        logits.forEach((logit, id) => expect(Math.abs(logit - total - whole[row]![t * V + id]!)).toBeLessThan(2e-5)),
      );
    }
    await session.close();
    await program.close();
    expect(backend.live()).toBe(0);
    await backend.close();
  });
});

const [engine] = present(onnxBackends);
describe.skipIf(engine === undefined)('translation', () => {
  const { pairs } = generatePairs({ count: 10, seed: 3 });
  const tokenizer = trainBpe(
    pairs.flatMap(({ source, target }) => [source, target]),
    { vocabularySize: 330 },
  );
  const encoded = encodePairs(pairs, { tokenizer });
  const { begin, end } = encoded.ends;

  it.each(variants)(
    'by %s, learnt by heart: each sentence comes out as it was taught',
    async (_, config) => {
      const backend = await engine!.open();
      const { kernels } = registry;
      const model = createEncoderDecoder(
        { vocabulary: tokenizer.vocabularySize, ...size, width: 48, length: 80, sourceLength: 80, ...config },
        partsOf(registry),
      );
      const params = await learnt(
        train({
          name: 'by heart',
          model,
          objective: sequenceToSequence({ labelSmoothing: 0.1 }),
          optimizer: adamW({ weightDecay: 0 }),
          schedule: schedule.linear(0.006, { warmUp: 20, total: 200 }),
          data: pairBatches([encoded], { tokens: 500, buckets: 1, seed: 5 }),
          backend,
          kernels,
          steps: 200,
          clip: 1,
        }),
      );
      const search = createBeamSearch({ model, params, backend, kernels, beams: 2, batch: 4 });
      const found = await search.complete(
        pairs.map(() => [begin]),
        { sources: pairs.map(({ source }) => [...tokenizer.encode(source), end]), stop: [end], maxTokens: 79 },
      );
      expect(found.map(([best]) => tokenizer.decode(best!.ids))).toEqual(pairs.map(({ target }) => target));
      await search.close();
      await backend.close();
    },
    60_000,
  );
});

/** The parameters that a run ends with. */
async function learnt(events: Observable<TrainEvent>): Promise<Readonly<Record<string, HostTensor>>> {
  let params: Readonly<Record<string, HostTensor>> = {};
  await lastValueFrom(
    events.pipe(
      tap(event => {
        if (event.type !== 'run.finished') return;
        const taken = event.snapshot().then(({ tensors }) => {
          params = Object.fromEntries(
            Object.entries(tensors).flatMap(([name, t]) => (name.startsWith('params.') ? [[name.slice(7), t]] : [])),
          );
        });
        event.waitUntil(taken);
      }),
    ),
  );
  return params;
}
