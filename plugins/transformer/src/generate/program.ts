/** The executables of decoding: one for each number of tokens a run, weights baked in. */

import {
  bind,
  f32,
  fail,
  i32,
  logSumExp,
  makeGraph,
  parameterTypes,
  sameShape,
  showType,
  trace,
  type Backend,
  type DecoderModel,
  type Executable,
  type Graph,
  type HostTensor,
  type KernelSource,
  type Tensor,
  type Types,
} from '@heddle/core';

export interface DecodeShape {
  /** Rows of the cache. */
  readonly batch: number;
  /** Places of each row. */
  readonly places: number;
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
 * their exponentials above the peak. Parameters that nothing reads are left out.
 */
export function decodeGraph(
  model: DecoderModel,
  { batch: B, places: C, count: N, logits: wanted }: DecodeShape,
): Graph {
  const types: Types = {
    ...prefixed('params', parameterTypes(model)),
    ...prefixed('cache', model.cache(B, C)),
    ids: i32(B, N),
    positions: i32(B, N),
    places: i32(B, N),
    mask: f32(B, N, C),
  };
  const graph = trace(types, inputs => {
    const { ids, positions, places, mask } = inputs as Readonly<
      Record<'ids' | 'positions' | 'places' | 'mask', Tensor>
    >;
    const bound = bind(model, part('params', inputs), { training: false });
    const { logits, cache } = model.decode(bound, { ids, positions, places, mask, cache: part('cache', inputs) });
    if (!wanted) return prefixed('cache', cache);
    const peak = logits.max(-1, { keep: true }); // [B, N, 1]
    // Without the peak the logarithm is small, and so is its rounding: the host adds the two in double precision.
    const mass = logSumExp(logits.sub(peak));
    return { ...prefixed('cache', cache), logits, peak: peak.reshape(B, N), mass };
  });
  const read = new Set(graph.nodes.flatMap(node => node.inputs.map(v => v.node)));
  const inputs = Object.fromEntries(
    Object.entries(graph.inputs).filter(([name, v]) => !name.startsWith('params.') || read.has(v.node)),
  );
  return makeGraph(inputs, graph.outputs);
}

export interface DecodeProgram {
  readonly model: DecoderModel;
  readonly backend: Backend;
  readonly batch: number;
  readonly places: number;
  /** Compiled at the first call. */
  executable(count: number, logits: boolean): Promise<Executable>;
  close(): Promise<void>;
}

export interface ProgramOptions {
  readonly model: DecoderModel;
  /** By path, as `initialise` and checkpoints have them. */
  readonly params: Readonly<Record<string, HostTensor>>;
  readonly backend: Backend;
  readonly kernels?: KernelSource;
}

/** @throws E_PARAMETER when the parameters are not those of the model */
export function createProgram(
  { model, params, backend, kernels }: ProgramOptions,
  batch: number,
  places: number,
): DecodeProgram {
  checkParameters(model, params);
  const compiled = new Map<string, Promise<Executable>>();
  let closed = false;
  return {
    model,
    backend,
    batch,
    places,
    executable(count, logits) {
      if (closed)
        fail('E_CLOSED', 'decode: expected an open program, received a call after close. Create another.', {});
      const key = `${count} ${logits}`;
      const known = compiled.get(key);
      if (known) return known;
      const graph = decodeGraph(model, { batch, places, count, logits });
      const constants = Object.fromEntries(
        Object.keys(graph.inputs)
          .filter(name => name.startsWith('params.'))
          .map(name => [name, params[name.slice('params.'.length)]!]),
      );
      const made = backend.compile(graph, {
        constants,
        name: `decode ${batch} x ${count}`,
        ...(kernels ? { kernels } : {}),
      });
      compiled.set(key, made);
      made.catch(() => compiled.delete(key)); // the next call tries again
      return made;
    },
    async close() {
      closed = true;
      const all = await Promise.allSettled(compiled.values());
      compiled.clear();
      await Promise.all(all.map(one => (one.status === 'fulfilled' ? one.value.close() : undefined)));
    },
  };
}

function checkParameters(model: DecoderModel, params: Readonly<Record<string, HostTensor>>): void {
  const types = parameterTypes(model);
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
