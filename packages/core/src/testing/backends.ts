/** The laws of engines. */

import { interpret, openReference } from '../backend/reference.js';
import { expandOps } from '../lower/expand-ops.js';
import { sizeOf } from '../ir/shape.js';
import { bool, f32, i32, type Graph, type HostTensor, type Types } from '../ir/types.js';
import { uniforms } from '../random/philox.js';
import { host } from '../tensor/evaluate.js';
import {
  addAt,
  attend,
  causalMask,
  convolve,
  gelu,
  relu,
  softmaxMatmul,
  layerNorm,
  logProbabilities,
  logProbability,
  logSoftmax,
  pick,
  rmsNorm,
  ropeTables,
  rotate,
  silu,
  softmax,
} from '../tensor/index.js';
import { concat, constant, iota, random, where, type Tensor } from '../tensor/tensor.js';
import { grad, trace } from '../tensor/trace.js';
import { loop } from '../train/loop.js';
import type { Backend, BackendOffer, Executable, KernelSource } from '../backend/contract.js';
import { conform, wordsOf, type Check } from './checks.js';
import { differences, differencesAll } from './compare.js';
import { randomGraph, sample } from './fixtures.js';
import { planOf } from './training.js';

export interface BackendLaws {
  /** Largest relative difference from the reference; by default what the engine states. */
  readonly tolerance?: number;
  /** The same for gradients and five steps of training. Default ten times as much. */
  readonly gradientTolerance?: number;
  /** How many random graphs. Default 12. */
  readonly graphs?: number;
  readonly kernels?: KernelSource;
}

/**
 * Tests an engine against the reference.
 *
 * @param open opens a new one each time; it is closed again
 *
 * @example
 * conformBackend(() => openMine({ threads: 1 }));
 */
export const conformBackend = (open: () => Promise<Backend>, laws?: BackendLaws, title = 'backend'): void =>
  conform(title, backendChecks(open, laws));

/** The same for what a plugin offers; skipped, with its own reason, where it cannot run. */
export const conformOffer = (offer: BackendOffer, laws?: BackendLaws): void =>
  conform(`backend ${offer.name}`, offerChecks(offer, laws));

export const offerChecks = (offer: BackendOffer, laws?: BackendLaws): readonly Check[] =>
  backendChecks(() => offer.open(), laws).map(check => ({ ...check, unavailable: () => offer.unavailable() }));

interface Sample {
  readonly name: string;
  readonly types: Types;
  readonly body: (x: Readonly<Record<string, Tensor>>) => Tensor;
  /** Integers below this. */
  readonly below?: number;
  readonly range?: readonly [number, number];
  readonly gradient?: boolean;
}

const x23 = f32(2, 3);
/** Every primitive, over ranks, dtypes and flags. Comparisons read inputs that every engine holds exactly. */
export const primitiveSamples: readonly Sample[] = [
  { name: 'input', types: { x: i32(3) }, body: ({ x }) => x! },
  { name: 'constant', types: { x: x23 }, body: ({ x }) => x!.add(constant([0.5, -1, 2], [3])) },
  { name: 'constant i32', types: { x: i32(3) }, body: ({ x }) => x!.add(constant([5, -1, 2], [3], 'i32')) },
  { name: 'iota', types: { x: f32(2, 3, 2) }, body: ({ x }) => x!.add(iota([2, 3, 2], 1, 'f32')) },
  { name: 'iota i32', types: { x: i32(2, 3) }, body: ({ x }) => x!.mul(iota([2, 3], 0)) },
  { name: 'random', types: { key: i32(2) }, body: ({ key }) => random(key!, [3, 5], 77), below: 1000 },
  ...(['exp', 'tanh', 'erf', 'sin', 'cos', 'floor', 'stopGradient'] as const).flatMap(name =>
    [[], [3], [2, 1, 3]].map(shape => ({
      name,
      types: { x: f32(...shape) },
      body: ({ x }: Readonly<Record<string, Tensor>>) => x![name](),
    })),
  ),
  ...(['log', 'sqrt'] as const).map(name => ({
    name,
    types: { x: f32(2, 3) },
    body: ({ x }: Readonly<Record<string, Tensor>>) => x![name](),
    range: [0.5, 4] as const,
  })),
  { name: 'cast f32 to i32', types: { x: f32(3, 4) }, body: ({ x }) => x!.cast('i32') },
  { name: 'cast f32 to bool', types: { x: f32(3, 4) }, body: ({ x }) => x!.cast('bool') },
  { name: 'cast i32 to f32', types: { x: i32(3, 4) }, body: ({ x }) => x!.cast('f32'), below: 99 },
  { name: 'cast bool to f32', types: { x: bool(3, 4) }, body: ({ x }) => x!.cast('f32') },
  { name: 'cast bool to i32', types: { x: bool(3, 4) }, body: ({ x }) => x!.cast('i32') },
  ...(['add', 'sub', 'mul', 'less', 'equal'] as const).flatMap(name =>
    [f32(), x23, f32(1, 2, 1, 3), i32(4)].map(type => ({
      name: `${name} ${type.dtype}`,
      types: { x: type, z: type },
      body: ({ x, z }: Readonly<Record<string, Tensor>>) => x![name](z!),
      below: 5,
    })),
  ),
  { name: 'equal bool', types: { x: bool(6), z: bool(6) }, body: ({ x, z }) => x!.equal(z!) },
  { name: 'div', types: { x: x23, z: x23 }, body: ({ x, z }) => x!.div(z!), range: [0.5, 4] },
  {
    name: 'div i32',
    types: { x: i32(5) },
    body: ({ x }) => x!.sub(4).div(constant([2, -2, 3, 1, -3], [5], 'i32')),
    below: 9,
  },
  { name: 'where', types: { c: bool(2, 3), x: x23, z: x23 }, body: ({ c, x, z }) => where(c!, x!, z!) },
  {
    name: 'where i32',
    types: { c: bool(3), x: i32(3), z: i32(3) },
    body: ({ c, x, z }) => where(c!, x!, z!),
    below: 9,
  },
  { name: 'where bool', types: { c: bool(6), x: bool(6), z: bool(6) }, body: ({ c, x, z }) => where(c!, x!, z!) },
  ...[[0], [1], [2], [0, 2], [0, 1, 2]].flatMap(axes => [
    {
      name: `reduceSum [${axes.join()}]`,
      types: { x: f32(2, 3, 4) },
      body: ({ x }: Readonly<Record<string, Tensor>>) => x!.sum(axes),
    },
    {
      name: `reduceMax [${axes.join()}]`,
      types: { x: f32(2, 3, 4) },
      body: ({ x }: Readonly<Record<string, Tensor>>) => x!.max(axes),
    },
  ]),
  { name: 'reduceSum i32', types: { x: i32(2, 3) }, body: ({ x }) => x!.sum(0), below: 50 },
  { name: 'reduceMax i32', types: { x: i32(2, 3) }, body: ({ x }) => x!.max(1), below: 50 },
  ...[false, true].flatMap(transposeLeft =>
    [false, true].flatMap(transposeRight =>
      [[], [2], [2, 3]].map(batch => ({
        name: `matmul ${transposeLeft ? 't' : 'n'}${transposeRight ? 't' : 'n'}`,
        types: {
          x: f32(...batch, ...(transposeLeft ? [4, 2] : [2, 4])),
          z: f32(...batch, ...(transposeRight ? [3, 4] : [4, 3])),
        },
        body: ({ x, z }: Readonly<Record<string, Tensor>>) => x!.matmul(z!, { transposeLeft, transposeRight }),
      })),
    ),
  ),
  { name: 'reshape', types: { x: f32(2, 3, 2) }, body: ({ x }) => x!.reshape(3, 4) },
  { name: 'reshape bool', types: { x: bool(2, 3) }, body: ({ x }) => x!.reshape(6) },
  { name: 'transpose', types: { x: f32(2, 3, 4) }, body: ({ x }) => x!.transpose(2, 0, 1) },
  { name: 'transpose i32', types: { x: i32(2, 3) }, body: ({ x }) => x!.transpose(), below: 9 },
  { name: 'broadcast', types: { x: f32(3, 1) }, body: ({ x }) => x!.broadcastTo([2, 3, 4]) },
  { name: 'broadcast bool', types: { x: bool(1, 3) }, body: ({ x }) => x!.broadcastTo([2, 3]) },
  { name: 'slice', types: { x: f32(4, 5) }, body: ({ x }) => x!.slice(0, 1, 3).slice(1, 2) },
  { name: 'slice i32', types: { x: i32(6) }, body: ({ x }) => x!.slice(0, 2, 5), below: 9 },
  { name: 'pad', types: { x: x23 }, body: ({ x }) => x!.pad(0, 1, 2).pad(1, 0, 1) },
  { name: 'concat', types: { x: x23, z: f32(2, 1) }, body: ({ x, z }) => concat([x!, z!, x!], 1) },
  { name: 'concat i32', types: { x: i32(2), z: i32(3) }, body: ({ x, z }) => concat([x!, z!], 0), below: 9 },
  { name: 'gather rows', types: { x: f32(5, 3), i: i32(2, 4) }, body: ({ x, i }) => x!.gather(i!), below: 5 },
  { name: 'gather axis 1', types: { x: f32(2, 5, 3), i: i32(4) }, body: ({ x, i }) => x!.gather(i!, 1), below: 5 },
  {
    name: 'scatterAdd rows',
    types: { x: f32(6, 3), i: i32(6) },
    body: ({ x, i }) => x!.scatterAdd(i!, 0, 4),
    below: 4,
  },
  {
    name: 'scatterAdd axis 1, matrix of indices',
    types: { x: f32(2, 2, 3, 2), i: i32(2, 3) },
    body: ({ x, i }) => x!.scatterAdd(i!, 1, 4),
    below: 4,
  },
];

const rope = (layout: 'half' | 'interleaved') => (x: Tensor) => {
  const { cos, sin } = ropeTables(3, 4);
  return rotate(x, cos, sin, { layout });
};
const ops: readonly Sample[] = [
  {
    name: 'convolve',
    types: { x: f32(2, 4, 3, 5), w: f32(2, 3, 1, 3, 2), b: f32(6) },
    body: ({ x, w, b }) => relu(convolve(x!, w!, b!)),
  },
  {
    name: 'convolve 1 x 1',
    types: { x: f32(2, 4, 3, 5), w: f32(1, 3, 1, 1, 4) },
    body: ({ x, w }) => convolve(x!, w!),
  },
  { name: 'relu', types: { x: f32(2, 5) }, body: ({ x }) => relu(x!) },
  { name: 'gelu', types: { x: f32(2, 5) }, body: ({ x }) => gelu(x!) },
  { name: 'gelu tanh', types: { x: f32(2, 5) }, body: ({ x }) => gelu(x!, 'tanh') },
  { name: 'silu', types: { x: f32(2, 5) }, body: ({ x }) => silu(x!) },
  { name: 'softmax', types: { x: f32(2, 3, 4) }, body: ({ x }) => softmax(x!) },
  { name: 'logSoftmax', types: { x: f32(2, 4) }, body: ({ x }) => logSoftmax(x!) },
  { name: 'layerNorm', types: { x: f32(2, 3, 8), g: f32(8), b: f32(8) }, body: ({ x, g, b }) => layerNorm(x!, g!, b!) },
  { name: 'rmsNorm', types: { x: f32(2, 3, 8), g: f32(8) }, body: ({ x, g }) => rmsNorm(x!, g!) },
  {
    name: 'softmaxMatmul',
    types: { x: f32(2, 2, 3, 4), v: f32(2, 2, 4, 2), k: bool(2, 2, 3, 4) },
    body: ({ x, v, k }) => softmaxMatmul(x!, v!, k!).out,
  },
  {
    name: 'attend',
    types: { q: f32(2, 2, 3, 4), k: f32(2, 2, 3, 4), v: f32(2, 2, 3, 4) },
    body: ({ q, k, v }) => attend(q!, k!, v!),
  },
  {
    name: 'attend causal',
    types: { q: f32(1, 2, 4, 4), k: f32(1, 2, 4, 4), v: f32(1, 2, 4, 4) },
    body: ({ q, k, v }) => attend(q!, k!, v!, causalMask(4)),
  },
  {
    name: 'attend grouped',
    types: { q: f32(1, 4, 3, 2), k: f32(1, 2, 5, 2), v: f32(1, 2, 5, 2) },
    body: ({ q, k, v }) => attend(q!, k!, v!),
  },
  { name: 'rotate half', types: { x: f32(1, 2, 3, 4) }, body: ({ x }) => rope('half')(x!) },
  { name: 'rotate interleaved', types: { x: f32(1, 2, 3, 4) }, body: ({ x }) => rope('interleaved')(x!) },
  { name: 'pick', types: { x: f32(3, 4), i: i32(3) }, body: ({ x, i }) => pick(x!, i!), below: 4 },
  {
    name: 'logProbabilities',
    types: { x: f32(3, 4), i: i32(3) },
    body: ({ x, i }) => {
      const { own, total } = logProbabilities(x!, i!);
      return own.add(total.mul(0.3));
    },
    below: 4,
  },
  { name: 'addAt', types: { x: f32(3, 4), i: i32(3), a: f32(3) }, body: ({ x, i, a }) => addAt(x!, i!, a!), below: 4 },
  { name: 'logProbability', types: { x: f32(3, 4), i: i32(3) }, body: ({ x, i }) => logProbability(x!, i!), below: 4 },
];

/** The ops of the kernel, with gradients. */
export const opSamples: readonly Sample[] = ops.map(one => ({ ...one, gradient: true }));

export function backendChecks(
  open: () => Promise<Backend>,
  { tolerance, gradientTolerance, graphs = 12, kernels }: BackendLaws = {},
): readonly Check[] {
  const options = kernels ? { kernels } : {};
  /** Runs something with an engine of its own; whatever it leaves open is a finding. */
  const law = (
    name: string,
    find: (
      backend: Backend,
      limits: { readonly values: number; readonly gradients: number },
    ) => Promise<readonly string[]>,
  ): Check => ({
    law: name,
    find: async () => {
      const backend = await open();
      const values = tolerance ?? backend.limits.tolerance;
      try {
        const findings = [...(await find(backend, { values, gradients: gradientTolerance ?? values * 10 }))];
        if (backend.live() !== 0) findings.push(`${backend.live()} device tensors are still open`);
        return findings;
      } catch (error) {
        return [`throws: ${wordsOf(error)}`];
      } finally {
        await backend.close();
      }
    },
  });
  const computes = async (
    backend: Backend,
    title: string,
    graph: Graph,
    feeds: Readonly<Record<string, HostTensor>>,
    allowed: number,
  ): Promise<readonly string[]> => {
    try {
      const executable = await backend.compile(graph, options);
      try {
        const { outputs } = await executable.run(feeds);
        return differencesAll(interpret(expandOps(graph), feeds, 'f32'), outputs, allowed).map(
          words => `${title}: ${words}`,
        );
      } finally {
        await executable.close();
      }
    } catch (error) {
      return [`${title}: throws: ${wordsOf(error)}`];
    }
  };
  const all = async (
    samples: readonly Sample[],
    backend: Backend,
    limits: { readonly values: number; readonly gradients: number },
  ): Promise<readonly string[]> => {
    const findings: string[] = [];
    for (const [seed, one] of samples.entries()) {
      const { graph, feeds } = graphOf(one, seed);
      findings.push(
        ...(await computes(backend, one.name, graph, feeds, one.gradient ? limits.gradients : limits.values)),
      );
    }
    return findings;
  };
  return [
    law('computes every primitive as the reference does', (backend, limits) => all(primitiveSamples, backend, limits)),
    law('computes ops and their gradients as the reference does', (backend, limits) => all(opSamples, backend, limits)),
    law('computes random graphs and their gradients as the reference does', async (backend, limits) => {
      const findings: string[] = [];
      for (let seed = 0; seed < graphs; seed++) {
        const { graph, feeds } = randomGraph(seed);
        findings.push(...(await computes(backend, `random graph ${seed}`, graph, feeds, limits.gradients)));
      }
      return findings;
    }),
    law('trains five steps as the reference does', async (backend, limits) => {
      const reference = openReference();
      const [mine, theirs] = [await trained(backend, kernels), await trained(reference)];
      await reference.close();
      return [
        ...differences('losses', host([5], theirs.losses), host([mine.losses.length], mine.losses), limits.gradients),
        ...differencesAll(theirs.tensors, mine.tensors, Math.max(limits.gradients, limits.gradients === 0 ? 0 : 1e-3)),
      ];
    }),
    law('gives the same bits twice, where it says so', async backend => {
      if (!backend.limits.deterministic) return [];
      const { graph, feeds } = randomGraph(7);
      const executable = await backend.compile(graph, options);
      const [one, two] = [await executable.run(feeds), await executable.run(feeds)];
      await executable.close();
      return differencesAll(one.outputs, two.outputs, 0);
    }),
    law('says what it takes and gives, and explains itself', backend =>
      withDouble(backend, async executable => [
        ...(JSON.stringify(executable.signature) ===
        JSON.stringify({ inputs: { x: f32(2) }, outputs: { y: f32(2), z: f32(2) } })
          ? []
          : [`signature: received ${JSON.stringify(executable.signature)}`]),
        ...(executable.explain().trim() === '' ? ['explain() says nothing'] : []),
      ]),
    ),
    law('takes runs one after the other, and leaves its inputs as they are', backend =>
      withDouble(backend, async executable => {
        const feeds = [1, 2, 3, 4, 5].map(n => ({ x: host([2], [n, -n]) }));
        const results = await Promise.all(feeds.map(feed => executable.run(feed)));
        return results.flatMap(({ outputs }, i) => [
          ...differences(`run ${i}`, host([2], [2 * (i + 1), -2 * (i + 1)]), outputs['y'], 1e-6),
          ...differences(`input of run ${i}`, host([2], [i + 1, -(i + 1)]), feeds[i]!.x, 0),
        ]);
      }),
    ),
    law('brings tensors up and down unchanged', async backend => {
      const findings: string[] = [];
      for (const tensor of [
        host([2, 2], [0.1, -0, 3e38, 1e-38]),
        host([3], [-5, 0, 2 ** 23], 'i32'),
        host([3], [1, 0, 1], 'bool'),
        host([], [4]),
      ]) {
        const held = await backend.upload(tensor);
        findings.push(
          ...differences(`${tensor.dtype}[${tensor.shape.join(', ')}]`, tensor, await backend.download(held), 0),
        );
        if (backend.live() !== 1) findings.push(`live() says ${backend.live()} with one tensor open`);
        held.close();
        held.close();
      }
      return findings;
    }),
    law('keeps outputs, takes them as feeds and as donations, and counts them', backend =>
      withDouble(backend, async executable => {
        const one = await executable.run({ x: host([2], [1, 2]) }, { keep: ['y'] });
        const findings: string[] = [];
        if ('y' in one.outputs || !('y' in one.kept))
          findings.push('a kept output must be in `kept`, not in `outputs`');
        if (backend.live() !== 1) findings.push(`live() says ${backend.live()} with one tensor kept`);
        const two = await executable.run({ x: one.kept['y']! }, { keep: ['y'], donate: { y: 'x' } });
        findings.push(
          ...differences('z of a kept input', host([2], [3, 5]), two.outputs['z'], 1e-6),
          ...differences('kept output', host([2], [4, 8]), await backend.download(two.kept['y']!), 1e-6),
        );
        if (backend.live() !== 1) findings.push(`live() says ${backend.live()} after a donation; expected 1`);
        one.kept['y']!.close();
        two.kept['y']!.close();
        findings.push(
          ...(await refuses('a closed tensor', 'E_CLOSED', () => executable.run({ x: two.kept['y']! }))),
          ...(await refuses('a download of a closed tensor', 'E_CLOSED', () => backend.download(two.kept['y']!))),
        );
        return findings;
      }),
    ),
    law('refuses wrong feeds before anything runs', backend =>
      withDouble(backend, async executable => [
        ...(await refuses('a missing input', 'E_FEED', () => executable.run({}))),
        ...(await refuses('an unknown input', 'E_FEED', () =>
          executable.run({ x: host([2], [1, 2]), w: host([], [1]) }),
        )),
        ...(await refuses('another shape', 'E_FEED', () => executable.run({ x: host([3], [1, 2, 3]) }))),
        ...(await refuses('another dtype', 'E_FEED', () => executable.run({ x: host([2], [1, 2], 'i32') }))),
        ...(await refuses('an unknown output to keep', 'E_FEED', () =>
          executable.run({ x: host([2], [1, 2]) }, { keep: ['nothing'] }),
        )),
      ]),
    ),
    law('writes outputs to memory of the caller, or pays no heed', backend =>
      withDouble(backend, async executable => {
        const feeds = { x: host([2], [1, 2]) };
        const own = new Float32Array(2);
        const { outputs } = await executable.run(feeds, { into: { y: own } });
        return [
          ...differences('y', host([2], [2, 4]), outputs['y'], 1e-6),
          ...(outputs['y']!.data === own || own.every(n => n === 0)
            ? []
            : ['memory of the caller was changed for nothing']),
          ...(await refuses('memory of another size', 'E_FEED', () =>
            executable.run(feeds, { into: { y: new Float32Array(3) } }),
          )),
          ...(await refuses('memory for an unknown output', 'E_FEED', () =>
            executable.run(feeds, { into: { nothing: own } }),
          )),
        ];
      }),
    ),
    law('bakes constants in: they leave the signature', async backend => {
      const graph = trace({ x: f32(2), w: f32(2) }, ({ x, w }) => ({ y: x.mul(w) }));
      const executable = await backend.compile(graph, { ...options, constants: { w: host([2], [3, 4]) } });
      const { outputs } = await executable.run({ x: host([2], [1, 2]) });
      const inputs = Object.keys(executable.signature.inputs);
      await executable.close();
      return [
        ...differences('y', host([2], [3, 8]), outputs['y'], 1e-6),
        ...(inputs.join() === 'x' ? [] : [`signature has inputs ${inputs.join(', ')}`]),
      ];
    }),
    law('stops when it is aborted, and runs on afterwards', backend =>
      withDouble(backend, async executable => {
        const reason = new Error('enough');
        const stopped = await executable
          .run({ x: host([2], [1, 2]) }, { signal: AbortSignal.abort(reason), keep: ['y'] })
          .then(
            ({ kept }) => {
              for (const t of Object.values(kept)) t.close();
              return ['an aborted run gave a result'];
            },
            (error: unknown) =>
              error === reason ? [] : [`an aborted run threw ${wordsOf(error)}; expected the signal's reason`],
          );
        const { outputs } = await executable.run({ x: host([2], [1, 2]) }, { signal: new AbortController().signal });
        return [...stopped, ...differences('the next run', host([2], [2, 4]), outputs['y'], 1e-6)];
      }),
    ),
    {
      law: 'closes once and for all',
      find: async () => {
        const backend = await open();
        const graph = trace({ x: f32(2) }, ({ x }) => ({ y: x.mul(2) }));
        const findings: string[] = [];
        try {
          const [first, second] = [await backend.compile(graph, options), await backend.compile(graph, options)];
          await first.close();
          await first.close();
          findings.push(
            ...(await refuses('a run after its close', 'E_CLOSED', () => first.run({ x: host([2], [1, 2]) }))),
          );
          await backend.upload(host([1], [1]));
          await backend.close();
          await backend.close();
          if (backend.live() !== 0) findings.push(`live() says ${backend.live()} after close`);
          findings.push(
            ...(await refuses('a run', 'E_CLOSED', () => second.run({ x: host([2], [1, 2]) }))),
            ...(await refuses('an upload', 'E_CLOSED', () => backend.upload(host([1], [1])))),
            ...(await refuses('a compilation', 'E_CLOSED', () => backend.compile(graph))),
          );
        } catch (error) {
          findings.push(`throws: ${wordsOf(error)}`);
        } finally {
          await backend.close();
        }
        return findings;
      },
    },
  ];
}

/** The sample's output, and with `gradient` the slopes of its sum weighted by cell. */
export function graphOf(
  { types, body, below = 2, range = [-2, 2], gradient = false }: Sample,
  seed: number,
): { readonly graph: Graph; readonly feeds: Record<string, HostTensor> } {
  const draw = uniforms(seed, 61);
  const graph = trace(types, inputs => {
    const x = inputs as Readonly<Record<string, Tensor>>;
    const y = body(x);
    if (!gradient) return { y };
    const names = Object.keys(types).filter(name => types[name]!.dtype === 'f32');
    const weights = constant(
      Float64Array.from({ length: sizeOf(y.shape) }, (_, i) => ((i % 7) - 3) / 4),
      y.shape,
    );
    const slopes = grad(
      y.mul(weights).sum(),
      names.map(name => x[name]!),
    );
    return { y, ...Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, slopes[i]!])) };
  });
  return {
    graph,
    feeds: Object.fromEntries(
      Object.entries(types).map(([name, type]) => [name, sample(type, draw, { below, range })]),
    ),
  };
}

async function trained(
  backend: Backend,
  kernels?: KernelSource,
): Promise<{ readonly losses: number[]; readonly tensors: Readonly<Record<string, HostTensor>> }> {
  const losses: number[] = [];
  let tensors: Readonly<Record<string, HostTensor>> = {};
  for await (const event of loop(
    planOf(backend, { steps: 5, ...(kernels ? { kernels } : {}) }),
    new AbortController().signal,
  )) {
    if (event.type === 'step.finished') losses.push(event.loss);
    if (event.type === 'run.finished') tensors = (await event.snapshot()).tensors;
  }
  return { losses, tensors };
}

/** `y` is twice the input, `z` one more than it. */
async function withDouble(
  backend: Backend,
  use: (executable: Executable) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const executable = await backend.compile(trace({ x: f32(2) }, ({ x }) => ({ y: x.mul(2), z: x.add(1) })));
  try {
    return await use(executable);
  } finally {
    await executable.close();
  }
}

async function refuses(what: string, code: string, act: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    await act();
    return [`${what} was taken; expected ${code}`];
  } catch (error) {
    const found = (error as { readonly code?: unknown }).code;
    return found === code ? [] : [`${what} threw ${String(found ?? wordsOf(error))}; expected ${code}`];
  }
}
