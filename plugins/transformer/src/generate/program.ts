/** The executables of decoding: one for each number of tokens a run, and one that reads sources; weights baked in. */

import {
  bind,
  f32,
  fail,
  i32,
  makeGraph,
  parameterTypes,
  sameShape,
  showType,
  trace,
  where,
  type Backend,
  type EncoderDecoderModel,
  type Executable,
  type Graph,
  type HostTensor,
  type KernelSource,
  type GenerativeModel,
  type Tensor,
  type Types,
} from '@heddle/core';

import { chosenVariants, countVariants, type Variants } from './variants.js';

export interface DecodeShape {
  /** Rows of the cache. */
  readonly batch: number;
  /** Places of each row. */
  readonly places: number;
  /** Tokens of each row's source; 0 for models without. */
  readonly sourceTokens?: number;
  /** Tokens of each row in one run. */
  readonly count: number;
  /** Whether anybody reads the logits; without them a run only fills the cache. */
  readonly logits: boolean;
}

const prefixed = <T>(prefix: string, items: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(items).map(([name, item]) => [`${prefix}.${name}`, item]));

const part = (prefix: string, items: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(items).flatMap(([name, t]) =>
      name.startsWith(`${prefix}.`) ? [[name.slice(prefix.length + 1), t]] : [],
    ),
  );

/**
 * The graph of one run: `params.*`, `cache.*`, `ids`, `positions`, `places`, `mask` in; the new `cache.*` out, and with
 * logits `logits` f32[B, N, V], `peak` f32[B, N], the largest of them, and `mass` f32[B, N], the logarithm of the sum of
 * their exponentials above the peak. A model with sources also reads `memory.*` and `sourceMask` f32[B, S]. Parameters
 * that nothing reads are left out. Where there are variants of some, each row reads `variants.*` [K, ...] at its `variant` i32[B].
 */
export function decodeGraph(
  model: GenerativeModel,
  { batch: B, places: C, count: N, logits: wanted, sourceTokens: S = 0 }: DecodeShape,
  variants: Types = {},
): Graph {
  const types: Types = {
    ...ownTypes(model, variants, B),
    ...prefixed('cache', model.cache(B, C)),
    ids: i32(B, N),
    positions: i32(B, N),
    places: i32(B, N),
    mask: f32(B, N, C),
    ...(model.kind === 'encoder-decoder' ? { ...prefixed('memory', model.memory(B, S)), sourceMask: f32(B, S) } : {}),
  };
  const graph = trace(types, inputs => {
    const { ids, positions, places, mask, sourceMask } = inputs as Readonly<
      Record<'ids' | 'positions' | 'places' | 'mask' | 'sourceMask', Tensor>
    >;
    const own = { ids, positions, places, mask, cache: part('cache', inputs) };
    const params = ownParameters(inputs);
    const { logits, cache } =
      model.kind === 'decoder'
        ? model.decode(bind(model, params, { training: false }), own)
        : model.decode(bind(model, params, { training: false }), {
            ...own,
            sourceMask,
            memory: part('memory', inputs),
          });
    if (!wanted) return prefixed('cache', cache);
    const peak = logits.max(-1, { keep: true }); // [B, N, 1]
    // Without the peak the logarithm is small, and so is its rounding: the host adds the two in double precision.
    const mass = logits.sub(peak).exp().sum(-1).log();
    return { ...prefixed('cache', cache), logits, peak: peak.reshape(B, N), mass };
  });
  return withoutUnread(graph);
}

/** Sources that are read in one run. */
export interface ReadShape {
  /** How many. */
  readonly rows: number;
  /** Tokens of each. */
  readonly count: number;
}

/**
 * The graph that reads R sources of up to N tokens into a memory of B rows of S: `params.*`, `source` i32[R, N],
 * `sourceMask` f32[R, N], `fresh` f32[B], `from` i32[B] and `memory.*` in; the new `memory.*` out. A row takes the source
 * `from` where it is fresh, and is as before where not. With as many sources as rows each takes its own, and there is no `from`.
 */
export function encodeGraph(
  model: EncoderDecoderModel,
  { batch: B, sourceTokens: S, rows: R, count: N }: ReadShape & Required<Pick<DecodeShape, 'batch' | 'sourceTokens'>>,
  variants: Types = {},
): Graph {
  const types: Types = {
    ...ownTypes(model, variants, R),
    ...prefixed('memory', model.memory(B, S)),
    source: i32(R, N),
    sourceMask: f32(R, N),
    fresh: f32(B),
    ...(R < B ? { from: i32(B) } : {}),
  };
  const graph = trace(types, inputs => {
    const { source, sourceMask, fresh } = inputs as Readonly<Record<'source' | 'sourceMask' | 'fresh', Tensor>>;
    const { from } = inputs;
    const read = model.encode(bind(model, ownParameters(inputs), { training: false }), { source, sourceMask });
    const isFresh = fresh.greater(0).reshape(B, 1, 1, 1);
    const before = part('memory', inputs);
    return prefixed(
      'memory',
      Object.fromEntries(
        Object.entries(read).map(([name, made]) => {
          const whole = made.pad(2, 0, S - N);
          return [name, where(isFresh, from ? whole.gather(from) : whole, before[name]!)];
        }),
      ),
    );
  });
  return withoutUnread(graph);
}

/** Inputs of the parameters: those of all rows, those that there are several of, and which of these a row has. */
const ownTypes = (model: GenerativeModel, variants: Types, batch: number): Types => ({
  ...prefixed('params', Object.fromEntries(Object.entries(parameterTypes(model)).filter(([name]) => !Object.hasOwn(variants, name)))), // prettier-ignore
  ...prefixed('variants', variants),
  ...(Object.keys(variants).length > 0 ? { variant: i32(batch) } : {}),
});

const ownParameters = (inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> => ({
  ...part('params', inputs),
  ...(inputs['variant'] ? chosenVariants(part('variants', inputs), inputs['variant']) : {}),
});

const isWeight = (input: string): boolean => input.startsWith('params.') || input.startsWith('variants.');

/** Parameters that nothing reads need not be fed. */
function withoutUnread(graph: Graph): Graph {
  const read = new Set(graph.nodes.flatMap(node => node.inputs.map(v => v.node)));
  const inputs = Object.fromEntries(
    Object.entries(graph.inputs).filter(([name, v]) => !isWeight(name) || read.has(v.node)),
  );
  return makeGraph(inputs, graph.outputs);
}

export interface DecodeProgram {
  readonly model: GenerativeModel;
  readonly backend: Backend;
  readonly batch: number;
  readonly places: number;
  /** Tokens of each row's source; 0 for models without. */
  readonly sourceTokens: number;
  /** How many there are of some parameters; 0: one of each. */
  readonly variants: number;
  /** Compiled at the first call. */
  executable(count: number, logits: boolean): Promise<Executable>;
  /** What reads sources, for models that have them. */
  encoder(shape: ReadShape): Promise<Executable>;
  close(): Promise<void>;
}

export interface ProgramOptions {
  readonly model: GenerativeModel;
  /** By path, as `initialise` and checkpoints have them. */
  readonly params: Readonly<Record<string, HostTensor>>;
  /** Several of some parameters instead, by path [K, ...]: each text says which it is written with. */
  readonly variants?: Variants;
  readonly backend: Backend;
  readonly kernels?: KernelSource;
}

/** @throws E_PARAMETER when the parameters are not those of the model */
export function createProgram(
  { model, params, variants = {}, backend, kernels }: ProgramOptions,
  batch: number,
  places: number,
  sourceTokens: number = model.kind === 'encoder-decoder' ? model.sourceLength : 0,
): DecodeProgram {
  const count = countVariants(variants, parameterTypes(model));
  checkParameters(model, params, variants);
  const variantTypes: Types = Object.fromEntries(Object.entries(variants).map(([name, { dtype, shape }]) => [name, { dtype, shape }])); // prettier-ignore
  const weights = { ...prefixed('params', params), ...prefixed('variants', variants) };
  const compiled = new Map<string, Promise<Executable>>();
  let closed = false;
  const executableOf = (name: string, build: () => Graph): Promise<Executable> => {
    if (closed) fail('E_CLOSED', 'decode: expected an open program, received a call after close. Create another.', {});
    const known = compiled.get(name);
    if (known) return known;
    const graph = build();
    const constants = Object.fromEntries(
      Object.keys(graph.inputs)
        .filter(isWeight)
        .map(input => [input, weights[input]!]),
    );
    const made = backend.compile(graph, { constants, name, ...(kernels ? { kernels } : {}) });
    compiled.set(name, made);
    made.catch(() => compiled.delete(name)); // the next call tries again
    return made;
  };
  return {
    model,
    backend,
    batch,
    places,
    sourceTokens,
    variants: count,
    executable: (count, logits) =>
      executableOf(`decode ${batch} x ${count}${logits ? '' : ' silently'}`, () =>
        decodeGraph(model, { batch, places, count, logits, sourceTokens }, variantTypes),
      ),
    encoder: shape =>
      executableOf(`encode ${shape.rows} x ${shape.count}`, () =>
        model.kind === 'encoder-decoder'
          ? encodeGraph(model, { batch, sourceTokens, ...shape }, variantTypes)
          : fail('E_PROMPT', 'encode: expected a model that reads sources, received a decoder.', {}),
      ),
    async close() {
      closed = true;
      const all = await Promise.allSettled(compiled.values());
      compiled.clear();
      await Promise.all(all.map(one => (one.status === 'fulfilled' ? one.value.close() : undefined)));
    },
  };
}

function checkParameters(
  model: GenerativeModel,
  params: Readonly<Record<string, HostTensor>>,
  variants: Variants,
): void {
  const types = Object.fromEntries(Object.entries(parameterTypes(model)).filter(([name]) => !Object.hasOwn(variants, name))); // prettier-ignore
  for (const [name, type] of Object.entries(types)) {
    const given =
      params[name] ??
      fail('E_PARAMETER', `parameter '${name}': expected ${showType(type)}, received none. Load or initialise it.`, {
        name,
      });
    if (given.dtype !== type.dtype || !sameShape(given.shape, type.shape)) {
      fail(
        'E_PARAMETER',
        `parameter '${name}': expected ${showType(type)}, received ${showType(given)}. These are the parameters of another configuration.`,
        { name, expected: type, received: { dtype: given.dtype, shape: given.shape } },
      );
    }
  }
  const extra = Object.keys(params).find(name => !(name in types));
  if (extra !== undefined)
    fail(
      'E_PARAMETER',
      `parameter '${extra}': expected only parameters of the model, received this one too. These are the parameters of another configuration.`,
      { name: extra },
    );
}
