/** The CPU engine over the C API: bound memory, no copies of state, the event loop free. */

import { availableParallelism } from 'node:os';
import { fail, sizeOf, type HostTensor, type TensorType } from '@heddle/core';
import { openLibrary, type OrtLibrary, type Pointer } from './c-api.js';
import { isHeld, type Engine, type Held, type ModelFace, type Program } from './engine.js';
import { tensorMemory, type Block, type TensorMemory } from './memory.js';

export interface NativeOptions {
  readonly threads?: number;
  /** Session configuration entries, such as `session.intra_op.allow_spinning`. */
  readonly config?: Readonly<Record<string, string>>;
}

interface NativeHeld extends Held {
  block: Block | null;
}

const everyOptimisation = 99;

/** @throws E_ENGINE when koffi or the library cannot be used here */
export async function openNative({
  threads = availableParallelism(),
  config = {},
}: NativeOptions = {}): Promise<Engine> {
  const library = await openLibrary();
  const memory = tensorMemory(library);
  return {
    name: 'onnx:cpu',
    binding: `C API of ONNX Runtime ${library.version} through koffi, zero-copy`,
    threads,
    resident: true,
    load: (model, face) => load(library, memory, model, face, threads, config),
    async hold(host) {
      const block = memory.take(host.dtype, host.data.length);
      memory.fill(block, host.data);
      return { type: { dtype: host.dtype, shape: host.shape }, block } satisfies NativeHeld;
    },
    async read(held) {
      const { dtype, shape } = held.type;
      return { dtype, shape, data: memory.view(blockOf(held), dtype, sizeOf(shape)).slice() };
    },
    release(held) {
      const native = held as NativeHeld;
      if (native.block) memory.give(native.block);
      native.block = null;
    },
    async close() {
      memory.close();
    },
  };
}

const blockOf = (held: Held): Block =>
  (held as NativeHeld).block ??
  fail(
    'E_CLOSED',
    'onnx:cpu: expected an open tensor, received one after its close. Keep it open until its last use.',
    {},
  );

function sessionOptions(library: OrtLibrary, threads: number, config: Readonly<Record<string, string>>): Pointer {
  const options = library.make('CreateSessionOptions');
  try {
    library.call('SetIntraOpNumThreads', options, threads);
    library.call('SetInterOpNumThreads', options, 1);
    library.call('SetSessionExecutionMode', options, 0);
    library.call('SetSessionGraphOptimizationLevel', options, everyOptimisation);
    library.call('EnableCpuMemArena', options);
    library.call('EnableMemPattern', options);
    for (const [key, value] of Object.entries(config)) library.call('AddSessionConfigEntry', options, key, value);
  } catch (error) {
    library.api.ReleaseSessionOptions(options);
    throw error;
  }
  return options;
}

async function load(
  library: OrtLibrary,
  memory: TensorMemory,
  model: Uint8Array,
  face: ModelFace,
  threads: number,
  config: Readonly<Record<string, string>>,
): Promise<Program> {
  const options = sessionOptions(library, threads, config);
  // Over a buffer of its own: V8 keeps small typed arrays inside its heap, where they move while native code runs.
  const cell = new BigUint64Array(new ArrayBuffer(8));
  try {
    await library.later(
      'CreateSessionFromArray',
      [library.env, library.address(model), model.byteLength, options, library.address(cell)],
      { model, cell },
    );
  } finally {
    library.api.ReleaseSessionOptions(options);
  }
  const session = cell[0]!;
  const binding = library.make('CreateIoBinding', session);
  const bound = new Map<string, Pointer>();
  const bind = (side: 'BindInput' | 'BindOutput', name: string, value: Pointer): void => {
    if (bound.get(name) === value) return;
    library.call(side, binding, name, value);
    bound.set(name, value);
  };
  /** Memory of inputs that come from the host: allocated once, filled at each run. */
  const staged = new Map<string, Block>();
  const stage = (name: string, host: HostTensor): Block => {
    let block = staged.get(name);
    if (!block) staged.set(name, (block = memory.take(host.dtype, host.data.length)));
    memory.fill(block, host.data);
    return block;
  };
  const names = Object.entries(face.outputs);
  return {
    async run({ inputs, keep, donate, into = {}, signal }) {
      const donated = new Map<string, Block>();
      for (const [name, fed] of Object.entries(inputs)) {
        const block = isHeld(fed) ? blockOf(fed) : stage(name, fed);
        bind('BindInput', name, memory.value(block, face.inputs[name]!.dtype, face.inputs[name]!.shape));
      }
      for (const [output, input] of Object.entries(donate)) {
        const held = inputs[input] as NativeHeld;
        donated.set(output, blockOf(held));
        held.block = null;
      }
      const made: [string, TensorType, Block][] = names.map(([name, type]) => [
        name,
        type,
        donated.get(name) ?? memory.take(type.dtype, sizeOf(type.shape)),
      ]);
      for (const [name, type, block] of made) bind('BindOutput', name, memory.value(block, type.dtype, type.shape));
      const options = library.make('CreateRunOptions');
      const stop = (): void => library.call('RunOptionsSetTerminate', options);
      signal?.addEventListener('abort', stop, { once: true });
      try {
        await library.later('RunWithBinding', [session, options, binding], { inputs, made });
      } catch (error) {
        for (const [, , block] of made) memory.give(block);
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', stop);
        library.api.ReleaseRunOptions(options);
      }
      const outputs: Record<string, HostTensor> = {};
      const kept: Record<string, Held> = {};
      for (const [name, type, block] of made) {
        if (keep.has(name)) {
          kept[name] = { type, block } as NativeHeld;
        } else {
          const cells = memory.view(block, type.dtype, sizeOf(type.shape));
          const given = into[name];
          given?.set(cells);
          outputs[name] = { ...type, data: given ?? cells.slice() };
          memory.give(block);
        }
      }
      return { outputs, kept };
    },
    async close() {
      library.api.ReleaseIoBinding(binding);
      library.api.ReleaseSession(session);
      for (const block of staged.values()) memory.give(block);
      staged.clear();
    },
  };
}
