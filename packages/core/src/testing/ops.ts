/** The laws of ops and their kernels. */

import { interpret } from '../backend/reference.js';
import { expandOps } from '../lower/expand-ops.js';
import { sameShape, showType, showTypes } from '../ir/shape.js';
import { callNode } from '../ir/call.js';
import { uniforms } from '../random/philox.js';
import { concat, constant, Tensor } from '../tensor/tensor.js';
import { grad, trace } from '../tensor/trace.js';
import type { Attrs, Graph, HostTensor, TensorType } from '../ir/types.js';
import type { Op } from '../ir/op.js';
import type { BackendOffer, Kernel, KernelSource } from '../backend/contract.js';
import { conform, wordsOf, type Check } from './checks.js';
import { differences, differencesAll, typeOf } from './compare.js';
import { sample as sampled, type Sampling } from './fixtures.js';
import { checkGradient } from './gradient.js';

/** One way to call an op: types to sample, or tensors where the numbers matter, such as indices. */
export interface OpSample extends Sampling {
  readonly inputs: readonly (TensorType | HostTensor)[];
  readonly attrs?: Attrs;
  /** Inputs by number that are data: no gradient flows to them by intent, as to the tables of rotary positions. */
  readonly data?: readonly number[];
}

export interface OpLaws {
  /** Shapes and attributes that cover the op: each rank, each flag, sizes of 1. */
  readonly samples: readonly OpSample[];
  /** Kernels to try, beside what `kernels` finds. */
  readonly kernels?: readonly Kernel[] | KernelSource;
  /** Engines to run kernels on; those that cannot run here are left out. */
  readonly backends?: readonly BackendOffer[];
  /** Largest relative difference from the decomposition; by default what the engine states. */
  readonly tolerance?: number;
  /** Largest gap from finite differences, first and second order. Default 1e-6 and 1e-5. */
  readonly gradient?: readonly [first: number, second: number];
}

/**
 * Tests an op: shape rule, gradient, and every kernel on every engine here.
 *
 * @example
 * conformOp(emhaMaps, { samples: [{ inputs: [f32(1, 2, 3, 4), f32(1, 2, 3, 4), f32(2, 2)], attrs: { scale: 0.5 } }] });
 */
export const conformOp = (op: Op, laws: OpLaws): void => conform(`op ${op.name}`, opChecks(op, laws));

/** The laws of an op, each able to say what breaks it. */
export function opChecks(op: Op, laws: OpLaws): readonly Check[] {
  const { samples, gradient: [first, second] = [1e-6, 1e-5] } = laws;
  const cases = samples.map((given, i) => caseOf(given, i));
  const each =
    (find: (one: Case) => readonly string[] | Promise<readonly string[]>) => async (): Promise<readonly string[]> => {
      if (cases.length === 0) return ['no samples were given'];
      const findings: string[] = [];
      for (const one of cases) {
        try {
          findings.push(...(await find(one)).map(words => `${one.title}: ${words}`));
        } catch (error) {
          findings.push(`${one.title}: throws: ${wordsOf(error)}`);
        }
      }
      return findings;
    };
  const offers = laws.backends ?? [];
  return [
    {
      law: 'has a whole number from 1 up for a version',
      find: async () => (Number.isInteger(op.version) && op.version >= 1 ? [] : [`version: ${op.version}`]),
    },
    { law: 'takes attributes that are JSON', find: each(({ attrs }) => notJson(attrs)) },
    { law: 'infers what its decomposition makes', find: each(one => shapeFindings(op, one)) },
    {
      law: 'has the gradient that finite differences give, first and second order',
      find: each(one => gradientFindings(op, one, first, second)),
    },
    ...(op.vjp
      ? [{ law: 'has the gradient that its decomposition has', find: each(one => ownGradientFindings(op, one)) }]
      : []),
    ...offers.map(offer => ({
      law: `gives on ${offer.name} what its decomposition gives`,
      find: engineFindings(op, laws, cases, offer),
      unavailable: () => offer.unavailable(),
    })),
  ];
}

interface Case {
  readonly title: string;
  readonly types: readonly TensorType[];
  readonly values: readonly HostTensor[];
  readonly attrs: Attrs;
  /** Inputs that gradients flow to. */
  readonly smooth: readonly number[];
  readonly range: readonly [number, number];
}

function caseOf({ inputs, attrs = {}, data = [], range = [-2, 2], below = 2 }: OpSample, seed: number): Case {
  const draw = uniforms(seed, 31);
  const values = inputs.map(given => ('data' in given ? given : sampled(given, draw, { range, below })));
  const types = values.map(typeOf);
  const smooth = types.flatMap(({ dtype }, i) => (dtype === 'f32' && !data.includes(i) ? [i] : []));
  return { title: `sample ${seed}, ${showTypes(types)}`, types, values, attrs, smooth, range };
}

const notJson = (attrs: Attrs): readonly string[] => {
  const back: unknown = JSON.parse(JSON.stringify(attrs));
  const same = (a: unknown, b: unknown): boolean =>
    typeof a === 'object' && a !== null && typeof b === 'object' && b !== null
      ? Object.keys(a).length === Object.keys(b).length &&
        Object.entries(a).every(([key, value]) => same(value, (b as Record<string, unknown>)[key]))
      : Object.is(a, b);
  return same(attrs, back) ? [] : [`attributes change when written as JSON: ${JSON.stringify(attrs)}`];
};

const named = <T>(items: readonly T[], prefix: string): Record<string, T> =>
  Object.fromEntries(items.map((item, i) => [`${prefix}${i}`, item]));

const inputsOf = (one: Case, x: Readonly<Record<string, Tensor>>): Tensor[] => one.types.map((_, i) => x[`in${i}`]!);

const callOp = (op: Op, inputs: readonly Tensor[], attrs: Attrs): Tensor[] =>
  callNode(
    op,
    inputs.map(t => t.value),
    attrs,
  ).map(v => new Tensor(v));

function shapeFindings(op: Op, { types, attrs }: Case): readonly string[] {
  const promised = op.infer(types, attrs);
  let made: readonly TensorType[] = [];
  trace(named(types, 'in'), x => {
    const outputs = op.decompose(
      types.map((_, i) => (x as Record<string, Tensor>)[`in${i}`]!),
      attrs,
    );
    made = outputs.map(t => typeOf(t.type));
    return named(outputs, 'out');
  });
  if (made.length !== promised.length) return [`infers ${promised.length} outputs, makes ${made.length}`];
  return promised.flatMap((t, i) =>
    t.dtype === made[i]!.dtype && sameShape(t.shape, made[i]!.shape)
      ? []
      : [`output ${i}: infers ${showType(t)}, makes ${showType(made[i]!)}`],
  );
}

/** All float outputs in one row; null where there are none. */
function joined(outputs: readonly Tensor[]): Tensor | null {
  const floats = outputs.filter(t => t.dtype === 'f32').map(t => t.reshape(-1));
  return floats.length === 0 ? null : concat(floats, 0);
}

async function gradientFindings(op: Op, one: Case, first: number, second: number): Promise<readonly string[]> {
  if (one.smooth.length === 0 || !op.infer(one.types, one.attrs).some(t => t.dtype === 'f32')) return [];
  const fn = (...x: Tensor[]): Tensor => {
    const inputs = one.values.map((t, i) =>
      one.smooth.includes(i) ? x[one.smooth.indexOf(i)]! : constant(t.data, t.shape, t.dtype),
    );
    return joined(callOp(op, inputs, one.attrs))!;
  };
  const gap = await checkGradient(
    fn,
    one.smooth.map(i => one.types[i]!.shape),
    { range: one.range },
  );
  return [
    ...(gap.first <= first
      ? []
      : [`first order: differs from finite differences by ${gap.first.toExponential(1)}, allowed ${first}`]),
    ...(gap.second <= second
      ? []
      : [`second order: differs from finite differences by ${gap.second.toExponential(1)}, allowed ${second}`]),
  ];
}

/** Slopes of a weighted sum of all float outputs, in double precision. */
function slopesOf(op: Op, one: Case): Record<string, HostTensor> | null {
  let smooth = true;
  const graph = trace(named(one.types, 'in'), x => {
    const inputs = inputsOf(one, x);
    const row = joined(callOp(op, inputs, one.attrs));
    if (!row) {
      smooth = false;
      return {};
    }
    const draw = uniforms(5, 5);
    const loss = row
      .mul(
        constant(
          Float64Array.from({ length: row.size }, () => 2 * draw() - 1),
          row.shape,
        ),
      )
      .sum();
    return Object.fromEntries(
      grad(
        loss,
        one.smooth.map(i => inputs[i]!),
      ).map((g, k) => [`gradient of input ${one.smooth[k]}`, g]),
    );
  });
  if (!smooth || one.smooth.length === 0) return null;
  return interpret(expandOps(graph), doubled(one), 'f64');
}

/** Double precision throughout: the interpreter takes what it is fed. */
const doubled = ({ values }: Case): Record<string, HostTensor> =>
  named(
    values.map(t => (t.dtype === 'f32' ? { ...t, data: Float64Array.from(t.data) as unknown as Float32Array } : t)),
    'in',
  );

function ownGradientFindings(op: Op, one: Case): readonly string[] {
  const plain: Op = { name: op.name, version: op.version, infer: op.infer, decompose: op.decompose };
  const [own, derived] = [slopesOf(op, one), slopesOf(plain, one)];
  return own && derived ? differencesAll(derived, own, 1e-9) : [];
}

const sourceOf = (kernels: OpLaws['kernels']): KernelSource =>
  kernels === undefined || Array.isArray(kernels)
    ? { find: (format, op) => ((kernels ?? []) as readonly Kernel[]).filter(k => k.format === format && k.op === op) }
    : (kernels as KernelSource);

function engineFindings(op: Op, { kernels, tolerance }: OpLaws, cases: readonly Case[], offer: BackendOffer) {
  return async (): Promise<readonly string[]> => {
    const backend = await offer.open();
    const source = sourceOf(kernels);
    const findings: string[] = [];
    try {
      for (const one of cases) {
        const graph = trace(named(one.types, 'in'), x => {
          const inputs = inputsOf(one, x);
          return named(callOp(op, inputs, one.attrs), 'out');
        });
        const mine =
          backend.format === null
            ? []
            : source.find(backend.format, op.name).filter(k => k.accepts(one.types, one.attrs));
        const found = await runOn(backend, graph, named(one.values, 'in'), source);
        const expected = interpret(expandOps(graph), named(one.values, 'in'), 'f32');
        const allowed = tolerance ?? backend.limits.tolerance;
        for (const [name, t] of Object.entries(expected))
          findings.push(...differences(`${one.title}: ${name}`, t, found.outputs[name], allowed));
        if (mine.length > 0 && !ranKernel(found.explain, op.name)) {
          findings.push(
            `${one.title}: a kernel accepts this, but explain() does not say that it ran. Expected a line 'kernel ${op.name}: …', received:\n${found.explain}`,
          );
        }
      }
    } finally {
      await backend.close();
    }
    return findings;
  };
}

/** Whether `explain()` says so: a line `kernel NAME: …` other than `none …`. */
export const ranKernel = (explain: string, op: string): boolean =>
  explain.split('\n').some(line => line.startsWith(`kernel ${op}: `) && !line.startsWith(`kernel ${op}: none`));

async function runOn(
  backend: Awaited<ReturnType<BackendOffer['open']>>,
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
  kernels: KernelSource,
) {
  const executable = await backend.compile(graph, { kernels });
  try {
    return { outputs: (await executable.run(feeds)).outputs, explain: executable.explain() };
  } finally {
    await executable.close();
  }
}
