import { describe, expect, it } from 'vitest';
import { openReference } from '../backend/reference.js';
import { callOf } from '../ir/call.js';
import { rebuild } from '../ir/graph.js';
import { f32, i32, type Graph } from '../ir/types.js';
import { zeros, ones } from '../model/initialisers.js';
import { defineLayer, param } from '../model/layer.js';
import { definePlugin, type Plugin } from '../plugin/plugin.js';
import { ATTENTION, BACKENDS, KERNELS, OPS } from '../plugin/points.js';
import { contribute } from '../plugin/registry.js';
import { host } from '../tensor/evaluate.js';
import { defineKernel, defineOp } from '../tensor/op.js';
import { geluOp } from '../tensor/ops/activate.js';
import { Tensor } from '../tensor/tensor.js';
import type { Op } from '../ir/op.js';
import type { Backend, BackendOffer, CompileOptions, Executable, Kernel, KernelFormat } from '../backend/contract.js';
import { backendChecks } from './backends.js';
import { findingsOf } from './checks.js';
import { conformance, contributionChecks, type ConformanceOptions } from './conformance.js';
import { cells, randomGraph } from './fixtures.js';
import { layerChecks } from './layers.js';
import { opChecks } from './ops.js';
import './matchers.js';

/** An engine that takes kernels: tensor functions that stand in for an op's decomposition. */
type Replacement = (inputs: readonly Tensor[]) => readonly Tensor[];
const FAKE: KernelFormat<Replacement> = { name: 'fake', version: 1 };

/** @param honest false: takes kernels and runs decompositions all the same */
function fakeOffer(name: string, honest = true): BackendOffer {
  const open = async (): Promise<Backend> => {
    const inner = openReference();
    return {
      ...inner,
      name,
      format: 'fake@1',
      limits: { ...inner.limits, tolerance: 1e-6 },
      async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
        const used = new Map<string, number>();
        const lowered = rebuild(graph, (node, inputs) => {
          const call = callOf(node);
          const types = inputs.map(v => v.type);
          const kernel =
            call && options.kernels?.find('fake@1', call.op.name).find(one => one.accepts(types, call.attrs));
          if (!kernel || !call || !honest) return null;
          used.set(call.op.name, (used.get(call.op.name) ?? 0) + 1);
          const run = kernel.build(types, call.attrs) as Replacement;
          return run(inputs.map(v => new Tensor(v))).map(t => t.value);
        });
        const executable = await inner.compile(lowered, options);
        const lines = [...used].map(([op, n]) => `kernel ${op}: fake, ${n} times`);
        return { ...executable, explain: () => [executable.explain(), ...lines].join('\n') };
      },
    };
  };
  return { name, unavailable: async () => null, open };
}

const cube = defineOp<{ readonly by: number }>({
  name: 'sample.cube',
  version: 1,
  infer: ([x]) => [x!],
  decompose: ([x], { by }) => [x!.mul(x!).mul(x!).mul(by)],
});
const cubeKernel = defineKernel<Replacement, { readonly by: number }>(FAKE, {
  op: cube,
  accepts: ([x]) => x!.shape.length < 3,
  build:
    (_types, { by }) =>
    ([x]) => [x!.square().mul(x!.mul(by))],
});
const cubeSamples = {
  samples: [
    { inputs: [f32(2, 3)], attrs: { by: 2 } },
    { inputs: [f32(1, 2, 2)], attrs: { by: -1 } },
  ],
};

const shift = {
  name: 'shift',
  create: () =>
    defineLayer({
      name: 'shift',
      params: { gain: param([4], ones) },
      apply: ({ gain }, x: Tensor) => x.pad(1, 1, 0).slice(1, 0, x.shape[1]!).add(x).mul(gain),
    }),
};
const layers = { shift: { config: {}, causal: true, samples: [{ inputs: [f32(2, 5, 4)], output: [2, 5, 4] }] } };

const plugin = (register: Plugin['register']): Plugin => definePlugin({ name: 'sample', version: '1.0.0', register });
const whole = plugin(container => {
  contribute(container, OPS, cube);
  contribute(container, KERNELS, cubeKernel as Kernel);
  contribute(container, ATTENTION, shift);
  contribute(container, BACKENDS, fakeOffer('fake'));
});

// The kit on a plugin that keeps all laws: these are its tests as an author sees them.
conformance(whole, { ops: { 'sample.cube': cubeSamples }, layers });

const found = async (given: Plugin, options: ConformanceOptions): Promise<string> => {
  const all: string[] = [];
  for (const { title, checks } of contributionChecks(given, options)) {
    all.push(...(await findingsOf(checks)).map(words => `${title}: ${words}`));
  }
  return all.join('\n');
};

describe('conformance', () => {
  it('finds nothing in a plugin that keeps all laws', async () => {
    expect(await found(whole, { ops: { 'sample.cube': cubeSamples }, layers })).toBe('');
  });

  it('finds an op, a kernel and a layer that nobody gave samples for', async () => {
    expect(await found(whole, {})).toMatch(
      /op sample\.cube: .*options\.ops\['sample\.cube'\][^]*attention shift: .*options\.layers\['shift'\]/,
    );
    const foreign = plugin(container =>
      contribute(
        container,
        KERNELS,
        defineKernel(FAKE, {
          op: 'gelu',
          build:
            () =>
            ([x]) => [x!],
        }) as Kernel,
      ),
    );
    expect(await found(foreign, {})).toMatch(/kernel for gelu: .*options\.known/);
  });

  it('finds a wrong kernel for an op of somebody else', async () => {
    const wrong = plugin(container => {
      contribute(
        container,
        KERNELS,
        defineKernel(FAKE, {
          op: 'gelu',
          build:
            () =>
            ([x]) => [x!],
        }) as Kernel,
      );
      contribute(container, BACKENDS, fakeOffer('fake'));
    });
    const ops = { gelu: { samples: [{ inputs: [f32(3)], attrs: { form: 'erf' } }] } };
    expect(await found(wrong, { known: [geluOp], ops })).toMatch(
      /op gelu: gives on fake .*cell \d: expected .* received/,
    );
  });
});

describe('the laws of ops find', () => {
  const of = (op: Op, laws: Parameters<typeof opChecks>[1]) =>
    findingsOf(opChecks(op, laws)).then(all => all.join('\n'));
  const plain = { samples: [{ inputs: [f32(3)] }] };

  it('a kernel that accepts but does not run', async () => {
    const laws = { ...cubeSamples, kernels: [cubeKernel as Kernel] };
    expect(await of(cube, { ...laws, backends: [fakeOffer('fake')] })).toBe('');
    expect(await of(cube, { ...laws, backends: [fakeOffer('idle', false)] })).toMatch(
      /sample 0.*a kernel accepts this, but explain\(\) does not say that it ran/,
    );
  });
  it('a version that is none, and attributes that JSON loses', async () => {
    expect(await of({ ...pick(cube), version: 0 }, cubeSamples)).toMatch(/version: 0/);
    expect(await of(cube, { samples: [{ inputs: [f32(2)], attrs: { by: NaN } }] })).toMatch(/attributes change/);
    expect(await of(cube, { samples: [{ inputs: [f32(2)], attrs: { by: 1, when: new Date() } }] })).toMatch(
      /attributes change/,
    );
  });
  it('no samples, and a decomposition that throws', async () => {
    expect(await of(cube, { samples: [] })).toMatch(/no samples were given/);
    const throws = defineOp({ name: 'throws', version: 1, infer: ([x]) => [x!], decompose: ([x]) => [x!.reshape(99)] });
    expect(await of(throws, plain)).toMatch(/sample 0, f32\[3\]: throws: reshape/);
  });
  it('a gradient that the numbers do not have', async () => {
    const blind = defineOp({
      name: 'blind',
      version: 1,
      infer: ([x]) => [x!],
      decompose: ([x]) => [x!.square().stopGradient()],
    });
    expect(await of(blind, plain)).toMatch(/first order: differs from finite differences/);
    const once = defineOp({
      name: 'once',
      version: 1,
      infer: ([x]) => [x!],
      decompose: ([x]) => [x!.square().mul(x!)],
      // Right to first order; the second derivative sees a constant.
      vjp: ({ cts: [ct], inputs: [x] }) => [ct!.mul(x!.square().mul(3).stopGradient())],
    });
    expect(await of(once, plain)).toMatch(/second order: differs from finite differences/);
  });
  it('a null gradient where one flows, and lets data alone', async () => {
    const scaled = defineOp({
      name: 'scaled',
      version: 1,
      infer: ([x]) => [x!],
      decompose: ([x, table]) => [x!.mul(table!.stopGradient())],
      vjp: ({ cts: [ct], inputs: [, table] }) => [ct!.mul(table!), null],
    });
    expect(await of(scaled, { samples: [{ inputs: [f32(3), f32(3)], data: [1] }] })).toBe('');
    expect(await of(scaled, { samples: [{ inputs: [f32(3), f32(3)] }] })).toMatch(/first order/);
    const deaf = defineOp({ ...pick(cube), name: 'deaf', vjp: () => [null] });
    expect(await of(deaf, cubeSamples)).toMatch(/gradient that its decomposition has.*gradient of input 0/);
  });
});

describe('the laws of layers find', () => {
  const sample = { inputs: [f32(2, 3)], output: [2, 3] };
  const gain = (apply: (gain: Tensor, x: Tensor) => Tensor) =>
    defineLayer({ name: 'gain', params: { gain: param([3], ones) }, apply: ({ gain: g }, x: Tensor) => apply(g, x) });
  const of = (layer: Parameters<typeof layerChecks>[0], laws: Parameters<typeof layerChecks>[1]) =>
    findingsOf(layerChecks(layer, laws)).then(all => all.join('\n'));

  it('another shape than promised', async () => {
    const layer = gain((g, x) => x.mul(g).sum(1));
    expect(await of(layer, { samples: [sample] })).toMatch(/expected an output \[2, 3\], received f32\[2\]/);
  });
  it('numbers that are none', async () => {
    expect(
      await of(
        gain((g, x) => x.mul(g).sub(9).sqrt()),
        { samples: [sample] },
      ),
    ).toMatch(/holds NaN or infinity/);
  });
  it('nothing wrong with a parameter that may be idle', async () => {
    const layer = defineLayer({
      name: 'idle',
      params: { a: param([3], ones), b: param([3], zeros) },
      apply: ({ a }, x: Tensor) => x.mul(a),
    });
    expect(await of(layer, { samples: [sample] })).toMatch(/parameter 'b' gets no gradient/);
    expect(await of(layer, { samples: [sample], idle: ['b'] })).toBe('');
  });
  it('which output looked ahead at which token', async () => {
    const ahead = defineLayer({
      name: 'ahead',
      params: { gain: param([4], ones) },
      // Output 3 reads token 5: a mask that is off by two.
      apply: ({ gain: g }, x: Tensor) => x.pad(1, 0, 2).slice(1, 2).add(x).mul(g),
    });
    const laws = { causal: true, samples: [{ inputs: [f32(1, 6, 4)], output: [1, 6, 4] }] };
    expect(await of(ahead, laws)).toMatch(/does not look ahead: .*changing token 5 changed output 3/);
  });
  it('looking ahead over token ids too', async () => {
    const bag = defineLayer({
      name: 'bag',
      params: {
        table: param([5, 3], {
          name: 'rising',
          fill: shape => Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => i),
        }),
      },
      apply: ({ table }, ids: Tensor) =>
        table
          .gather(ids)
          .mean(1, { keep: true })
          .broadcastTo([...ids.shape, 3]),
    });
    const samples = [{ inputs: [i32(2, 4)], output: [2, 4, 3], below: 5 }];
    expect(await of(bag, { samples, causal: true })).toMatch(/changing token 3 changed output 0/);
  });
});

describe('the laws of engines find', () => {
  /** The reference with some of its calls bent. */
  const bent =
    (change: (backend: Backend) => Partial<Backend>, changeRun?: (executable: Executable) => Partial<Executable>) =>
    async (): Promise<Backend> => {
      const inner = openReference();
      const compile: Backend['compile'] = async (graph, options) => {
        const executable = await inner.compile(graph, options);
        return { ...executable, ...changeRun?.(executable) };
      };
      return { ...inner, ...(changeRun ? { compile } : {}), ...change(inner) };
    };
  const of = (open: () => Promise<Backend>) =>
    findingsOf(backendChecks(open, { graphs: 1 })).then(all => all.join('\n'));

  const cases: readonly (readonly [string, () => Promise<Backend>, RegExp])[] = [
    ['nothing in the reference', bent(() => ({})), /^$/],
    [
      'an abort that is not heard',
      bent(
        () => ({}),
        e => ({ run: (feeds, { signal: _deaf, ...rest } = {}) => e.run(feeds, rest) }),
      ),
      /an aborted run gave a result/,
    ],
    [
      'outputs that are not kept',
      bent(
        () => ({}),
        e => ({ run: (feeds, { keep: _gone, donate: _none, ...rest } = {}) => e.run(feeds, rest) }),
      ),
      /a kept output must be in `kept`/,
    ],
    [
      'inputs that are written to',
      bent(
        () => ({}),
        e => ({
          run: async (feeds, options) => {
            const out = await e.run(feeds, options);
            const x = feeds['x'];
            if (x && 'data' in x) x.data.fill(0);
            return out;
          },
        }),
      ),
      /input of run 0: cell 0/,
    ],
    [
      'a silent explanation',
      bent(
        () => ({}),
        () => ({ explain: () => ' ' }),
      ),
      /explain\(\) says nothing/,
    ],
    [
      'noise where bits were promised',
      bent(
        () => ({}),
        e => ({
          run: async (feeds, options) => {
            const out = await e.run(feeds, options);
            for (const t of Object.values(out.outputs))
              if (t.dtype === 'f32') t.data[0] = t.data[0]! + 1e-3 * Math.random();
            return out;
          },
        }),
      ),
      /the same bits twice/,
    ],
    [
      'tensors that change on the way',
      bent(b => ({ upload: t => b.upload({ ...t, data: t.data.map(x => x + 1) }) })),
      /brings tensors up and down unchanged: f32\[2, 2\]/,
    ],
    [
      'constants that stay in the signature',
      bent(b => ({ compile: (graph, { constants: _lost, ...rest } = {}) => b.compile(graph, rest) })),
      /bakes constants in: .*: throws/,
    ],
    ['live tensors that are not counted', bent(() => ({ live: () => 0 })), /live\(\) says 0 with one tensor open/],
    [
      'wrong code for wrong feeds',
      bent(
        () => ({}),
        e => ({
          run: (feeds, options) =>
            e.run(feeds, options).catch((error: unknown) => Promise.reject(new Error(String(error)))),
        }),
      ),
      /a missing input threw .*expected E_FEED/,
    ],
  ];
  it.each(cases)('%s', { timeout: 60_000 }, async (_what, open, words) => {
    expect(await of(open)).toMatch(words);
  });
});

describe('toBeCloseToArray', () => {
  it('takes tensors and plain numbers, and compares with the largest element', () => {
    expect(cells([2, 2], [1, 2, 3, 4])).toBeCloseToArray([1, 2, 3, 4]);
    expect(cells([2], [1, 1000])).toBeCloseToArray(cells([2], [1.0005, 1000]));
    expect([1, 2]).toBeCloseToArray(new Float32Array([1, 2.1]), 0.1);
    expect(cells([2], [1, 2])).not.toBeCloseToArray([1, 2.1]);
    expect(cells([2], [1, 2])).not.toBeCloseToArray(cells([2, 1], [1, 2]));
    expect(cells([2], [1, NaN])).not.toBeCloseToArray([1, 2]);
    expect('no numbers').not.toBeCloseToArray([1]);
  });
  it('says which cell differs', () => {
    expect(() => expect([1, 2, 3]).toBeCloseToArray([1, 2, 4])).toThrow(/cell 2: expected 4, received 3/);
    expect(() => expect(host([1], [1], 'i32')).toBeCloseToArray(host([1], [1]))).toThrow(
      /expected f32\[1\], received i32\[1\]/,
    );
  });
});

describe('fixtures', () => {
  it('random graphs are the same for the same seed', () => {
    const [one, two] = [randomGraph(4), randomGraph(4)];
    expect(two.feeds).toEqual(one.feeds);
    expect(two.graph.nodes.map(({ op }) => op)).toEqual(one.graph.nodes.map(({ op }) => op));
    expect(
      randomGraph(4, { random: false, ops: false }).graph.nodes.some(({ op }) => op === 'random' || op === 'call'),
    ).toBe(false);
  });
});

/** The definition on a callable op. */
const pick = ({ name, version, infer, decompose }: Op): Op => ({ name, version, infer, decompose });
