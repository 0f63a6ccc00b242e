import {
  adamW,
  bind,
  createHost,
  definePlugin,
  contribute,
  ATTENTION,
  expandOps,
  f32,
  grad,
  host,
  hostZeros,
  i32,
  initialise,
  interpret,
  logSoftmax,
  nextToken,
  openReference,
  parameterTypes,
  trace,
  trainStep,
  uniforms,
  type AttentionView,
  type DecoderModel,
  type HostTensor,
  type Tensor,
} from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { decoderPresets, type PartialDecoderConfig } from './config.js';
import { createDecoder } from './decoder.js';
import { createProgram } from './generate/program.js';
import { openSession } from './generate/session.js';
import transformer from './index.js';
import { defineAttention } from './parts/attention.js';
import { dense } from './parts/dense.js';
import { partsOf } from './parts/built-in.js';

const V = 23;
const tiny = { vocabulary: V, ...decoderPresets.tiny, width: 16, length: 24 } satisfies PartialDecoderConfig;

const variants: readonly (readonly [string, PartialDecoderConfig])[] = [
  ['rms, swiglu, rotary, tied', tiny],
  [
    'layer, gelu, learned, untied, biases',
    { ...tiny, norm: 'layer', ffn: 'gelu', positions: 'learned', tied: false, bias: true },
  ],
  ['grouped queries', { ...tiny, keyHeads: 2 }],
  ['one key head, relu, sinusoidal', { ...tiny, keyHeads: 1, ffn: 'relu', positions: 'sinusoidal' }],
  ['no positions', { ...tiny, positions: 'none' }],
  ['blocks of attention alone', { ...tiny, ffn: 'none', norm: 'layer' }],
  [
    'relative positions, grouped queries',
    { ...tiny, keyHeads: 2, attention: 'relative', positions: 'none', options: { attention: { reach: 3 } } },
  ],
];

/** Parameters far from their small beginning, so that mistakes show. */
function lively(model: DecoderModel, seed = 1): Record<string, HostTensor> {
  const draw = uniforms(seed, 99);
  return Object.fromEntries(
    Object.entries(initialise(model, seed)).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: Float32Array.from(data, x => x + 0.6 * (draw() - 0.5)) },
    ]),
  );
}

/** Log-probabilities of a whole text. @shape ids [T] -> [T][V] */
function forward(
  model: DecoderModel,
  params: Readonly<Record<string, HostTensor>>,
  ids: readonly number[],
): Float32Array[] {
  const graph = trace({ ...parameterTypes(model), ids: i32(1, ids.length) }, inputs => ({
    out: logSoftmax(bind(model, inputs as Record<string, Tensor>, { training: false })(inputs['ids']!)),
  }));
  const { data } = interpret(expandOps(graph), { ...params, ids: host([1, ids.length], ids, 'i32') }, 'f32')['out']!;
  return ids.map((_, t) => (data as Float32Array).slice(t * V, (t + 1) * V));
}

const text = (length: number, seed = 5): number[] => {
  const draw = uniforms(seed, 1);
  return Array.from({ length }, () => Math.floor(draw() * V));
};

const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

describe.each(variants)('%s', (_, config) => {
  const model = createDecoder(config);
  const params = lively(model);
  const ids = text(13);

  it('gives the same over a cache as over the whole text, in chunks and one by one', async () => {
    const backend = openReference();
    const program = createProgram({ model, params, backend }, 2, 20);
    const session = await openSession(program, [4]);
    const whole = forward(model, params, ids);
    const paths = [session.open(0), session.open(1)];
    // Prompts of different lengths side by side; both then go on token by token.
    const starts = [7, 2];
    let feeds = paths.map((path, row) => ({ path, ids: ids.slice(0, starts[row]) }));
    for (let step = 0; step < 5; step++) {
      const outlooks = await session.feed(feeds);
      outlooks.forEach(({ logits, total }, row) => {
        expect(
          gap(
            logits.map(x => x - total),
            whole[starts[row]! + step - 1]!,
          ),
        ).toBeLessThan(1e-5);
      });
      feeds = paths.map((path, row) => ({ path, ids: [ids[starts[row]! + step]!] }));
    }
    await session.close();
    await program.close();
    expect(backend.live()).toBe(0);
    await backend.close();
  });

  it('reads two texts in one row as it reads each alone, by their positions and mask', () => {
    const [first, second] = [ids.slice(0, 5), ids.slice(5)];
    const N = ids.length;
    const owner = ids.map((_x, n) => (n < 5 ? 0 : 1));
    const read = trace(
      { ...parameterTypes(model), ids: i32(1, N), positions: i32(1, N), mask: f32(1, N, N) },
      inputs => ({
        out: logSoftmax(
          model.read(bind(model, inputs as Record<string, Tensor>, { training: false }), {
            ids: inputs['ids']!,
            positions: inputs['positions']!,
            mask: inputs['mask']!,
          }),
        ),
      }),
    );
    const { data } = interpret(
      expandOps(read),
      {
        ...params,
        ids: host([1, N], ids, 'i32'),
        positions: host([1, N], [...first.keys(), ...second.keys()], 'i32'),
        mask: host(
          [1, N, N],
          owner.flatMap((a, n) => owner.map((b, m) => (a === b && m <= n ? 0 : -1e9))),
        ),
      },
      'f32',
    )['out']!;
    const alone = [...forward(model, params, first), ...forward(model, params, second)];
    alone.forEach((row, n) => expect(gap(data.slice(n * V, (n + 1) * V), row)).toBeLessThan(1e-5));
  });

  it('does not look ahead', () => {
    const changed = ids.with(9, (ids[9]! + 1) % V);
    const [before, after] = [forward(model, params, ids), forward(model, params, changed)];
    for (let t = 0; t < 9; t++) expect(after[t]).toEqual(before[t]);
    expect(gap(after[9]!, before[9]!)).toBeGreaterThan(1e-3);
  });

  it('gives every parameter a gradient', () => {
    const names = Object.keys(parameterTypes(model));
    const objective = nextToken();
    const batch = {
      ids: host([1, 12], ids.slice(0, 12), 'i32'),
      targets: host([1, 12], ids.slice(1), 'i32'),
      mask: host([1, 12], new Array(12).fill(1)),
    };
    const graph = trace({ ...parameterTypes(model), ...objective.batch(1, 12) }, inputs => {
      const { sum, count } = objective.loss(
        bind(model, inputs as Record<string, Tensor>, { training: false }),
        inputs as Record<string, Tensor>,
      );
      const slopes = grad(
        sum.div(count),
        names.map(n => inputs[n]!),
      );
      return Object.fromEntries(names.map((n, i) => [n, slopes[i]!]));
    });
    const slopes = interpret(expandOps(graph), { ...params, ...batch }, 'f32');
    for (const name of names)
      expect([name, slopes[name]!.data.some(x => x !== 0 && Number.isFinite(x))]).toEqual([name, true]);
  });
});

it('names parameters by where they stand', () => {
  const names = Object.keys(parameterTypes(createDecoder({ ...tiny, depth: 1, tied: false })));
  expect(names).toEqual([
    'embed.weight',
    'blocks.0.attentionNorm.weight',
    'blocks.0.attention.query.weight',
    'blocks.0.attention.key.weight',
    'blocks.0.attention.value.weight',
    'blocks.0.attention.output.weight',
    'blocks.0.ffnNorm.weight',
    'blocks.0.ffn.gate.weight',
    'blocks.0.ffn.up.weight',
    'blocks.0.ffn.down.weight',
    'norm.weight',
    'head.weight',
  ]);
});

it('starts small, and smaller where residual branches end', () => {
  const params = initialise(createDecoder({ vocabulary: V, width: 64, depth: 8, heads: 2 }), 3);
  const deviation = ({ data }: HostTensor): number =>
    Math.sqrt((data as Float32Array).reduce((s, x) => s + x * x, 0) / data.length);
  expect(deviation(params['blocks.0.attention.query.weight']!)).toBeCloseTo(0.02, 3);
  expect(deviation(params['blocks.0.attention.output.weight']!)).toBeCloseTo(0.02 / 4, 3);
  expect(deviation(params['blocks.7.ffn.down.weight']!)).toBeCloseTo(0.02 / 4, 3);
});

it('learns a text of 20 tokens by heart', async () => {
  const model = createDecoder(tiny);
  const optimizer = adamW({ weightDecay: 0 });
  const ids = text(21, 8);
  const T = 20;
  const backend = openReference();
  const step = await backend.compile(
    trainStep({ model, objective: nextToken(), optimizer, batch: nextToken().batch(1, T), clip: 1 }),
  );
  const batch = {
    'batch.ids': host([1, T], ids.slice(0, T), 'i32'),
    'batch.targets': host([1, T], ids.slice(1), 'i32'),
    'batch.mask': host([1, T], new Array(T).fill(1)),
  };
  let state: Record<string, HostTensor> = Object.fromEntries(
    Object.entries(initialise(model, 0)).flatMap(([name, t]) => [
      [`params.${name}`, t],
      [`state.${name}.m`, hostZeros(t.shape)],
      [`state.${name}.v`, hostZeros(t.shape)],
    ]),
  );
  const losses: number[] = [];
  for (let n = 1; n <= 60; n++) {
    const scalars = Object.fromEntries(
      Object.entries(optimizer.scalars(n, 0.02)).map(([name, x]) => [`scalars.${name}`, host([], [x])]),
    );
    const { outputs } = await step.run({ ...state, ...batch, ...scalars, key: host([2], [0, n], 'i32') });
    losses.push(outputs['loss']!.data[0]!);
    state = Object.fromEntries(Object.entries(outputs).filter(([name]) => name in state));
  }
  expect(losses[0]).toBeCloseTo(Math.log(V), 0);
  expect(losses.at(-1)).toBeLessThan(0.05);
  await backend.close();
}, 60_000);

describe('dropout', () => {
  const model = createDecoder({ ...tiny, dropout: 0.4 });
  const params = lively(model);
  const ids = text(6);
  const run = (training: boolean, key: readonly number[]): Float32Array => {
    const graph = trace({ ...parameterTypes(model), ids: i32(1, 6), key: i32(2) }, inputs => ({
      out: bind(model, inputs as Record<string, Tensor>, { training, key: inputs['key']! })(inputs['ids']!),
    }));
    return interpret(expandOps(graph), { ...params, ids: host([1, 6], ids, 'i32'), key: host([2], key, 'i32') }, 'f32')[
      'out'
    ]!.data as Float32Array;
  };
  it('depends on the key while training, and is off otherwise', () => {
    expect(run(true, [1, 1])).toEqual(run(true, [1, 1]));
    expect(run(true, [1, 1])).not.toEqual(run(true, [1, 2]));
    expect(run(false, [1, 1])).toEqual(run(false, [1, 2]));
  });
});

describe('an attention of somebody else', () => {
  /** The mean of all values seen so far: no queries, no keys. */
  const mean = ({ width }: { readonly width: number }) =>
    defineAttention({
      name: 'mean',
      params: { value: dense(width, width) },
      memory: { value: { heads: 1, width } },
      apply({ value }, x, { mask, remember }) {
        const [B, N, D] = x.shape as readonly [number, number, number];
        const values = remember('value', (from = x) => {
          const [, S] = from.shape as readonly [number, number, number];
          return value(from).reshape(B, 1, S, D);
        }); // [B, 1, S, D]
        const seen = mask.add(1).greater(0).cast('f32'); // [B | 1, 1, N, S]
        const weights = seen.div(seen.sum(-1, { keep: true }).add(1e-9));
        return weights.broadcastTo([B, 1, N, seen.shape[3]!]).matmul(values).reshape(B, N, D);
      },
    });
  const plugin = definePlugin({
    name: 'mean-attention',
    version: '1.0.0',
    register: container =>
      contribute(container, ATTENTION, { name: 'mean', create: config => mean(config as { readonly width: number }) }),
  });

  it('is found by name, trains and decodes', async () => {
    const one = createHost({ plugins: [transformer, plugin] });
    const model = createDecoder({ ...tiny, attention: 'mean' }, partsOf(one));
    const params = lively(model);
    const ids = text(9);
    const backend = openReference();
    const program = createProgram({ model, params, backend }, 1, 12);
    const session = await openSession(program, [4]);
    const { logits, total } = (await session.feed([{ path: session.open(0), ids }]))[0]!;
    expect(
      gap(
        logits.map(x => x - total),
        forward(model, params, ids).at(-1)!,
      ),
    ).toBeLessThan(1e-5);
    await session.close();
    await backend.close();
    await one.close();
  });

  it('must remember what it declares, and as it declares it', () => {
    const attempt = (apply: (x: Tensor, remember: AttentionView['remember']) => Tensor) => () => {
      const part = defineAttention({
        name: 'odd',
        params: {},
        memory: { value: { heads: 1, width: 16 } },
        apply: (_, x, { remember }) => apply(x, remember),
      });
      const model = createDecoder(tiny, {
        part: (point, name, config) =>
          point === 'attention' ? part : partsOf(createHost({ plugins: [transformer] })).part(point, name, config),
      });
      forward(model, initialise(model, 0), [1, 2]);
    };
    const rows = (x: Tensor): Tensor => x.reshape(x.shape[0]!, 1, x.shape[1]!, 16);
    expect(attempt(x => x)).toThrow(
      expect.objectContaining({ code: 'E_CACHE', message: expect.stringContaining('received none') as string }),
    );
    expect(attempt((x, remember) => (remember('key', () => rows(x)), x))).toThrow(
      expect.objectContaining({ code: 'E_CACHE' }),
    );
    expect(attempt((x, remember) => (remember('value', () => x.reshape(1, 2, 2, 8)), x))).toThrow(
      expect.objectContaining({ code: 'E_CACHE', message: expect.stringContaining('[B, 1, N, 16]') as string }),
    );
    expect(attempt((x, remember) => (remember('value', () => rows(x)), remember('value', () => rows(x)), x))).toThrow(
      expect.objectContaining({ code: 'E_CACHE', message: expect.stringContaining('second') as string }),
    );
    expect(attempt((x, remember) => (remember('value', () => rows(x)), x))).not.toThrow();
  });

  it('must be a layer with a memory', () => {
    expect(() => createDecoder(tiny, { part: () => 7 })).toThrow(expect.objectContaining({ code: 'E_PART' }));
    expect(() => createDecoder(tiny, { part: () => dense(16, 16) })).toThrow(
      expect.objectContaining({ code: 'E_PART', message: expect.stringContaining('memory') as string }),
    );
    expect(() =>
      defineAttention({ name: 'odd', params: {}, memory: { 'a.b': { heads: 1, width: 1 } }, apply: (_, x) => x }),
    ).toThrow(expect.objectContaining({ code: 'E_NAME' }));
  });
});

it('refuses a text that is too long', () => {
  const model = createDecoder(tiny);
  expect(() => forward(model, initialise(model, 0), text(25))).toThrow(expect.objectContaining({ code: 'E_LENGTH' }));
});
