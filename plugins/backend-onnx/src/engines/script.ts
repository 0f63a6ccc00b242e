/**
 * Engines over ONNX Runtime's JavaScript interface: onnxruntime-node (CPU, WebGPU, CUDA) and onnxruntime-web (wasm,
 * WebGPU). On WebGPU kept outputs stay on the device.
 */

import { fail, sizeOf, type HostData, type HostTensor, type TensorType } from '@heddle/core';
import { isHeld, type Engine, type Held, type Program } from './engine.js';

/** The part of onnxruntime-common that is used. */
export interface OrtTensorLike {
  readonly dims: readonly number[];
  readonly data: unknown;
  readonly location: string;
  getData(release?: boolean): Promise<unknown>;
  dispose(): void;
}

export interface OrtModule {
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: Readonly<Record<string, unknown>>,
    ): Promise<{
      run(feeds: Readonly<Record<string, OrtTensorLike>>): Promise<Readonly<Record<string, OrtTensorLike>>>;
      release(): Promise<void>;
    }>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensorLike;
}

export interface ScriptOptions {
  readonly name: string;
  readonly binding: string;
  readonly threads: number;
  /** `cpu`, `webgpu`, `cuda`, `wasm` */
  readonly provider: string;
  /** Kept outputs stay on the device. */
  readonly resident: boolean;
}

/** The WebGPU provider leaves the statistics of norms out. */
const withoutStatistics = ['layerNorm', 'rmsNorm'];

export const firstOutputsOf = (provider: string): readonly string[] => (provider === 'webgpu' ? withoutStatistics : []);

const elementName = { f32: 'float32', i32: 'int32', bool: 'bool' } as const;

interface ScriptHeld extends Held {
  tensor: OrtTensorLike | null;
}

export function openScript(ort: OrtModule, { name, binding, threads, provider, resident }: ScriptOptions): Engine {
  const wrap = ({ dtype, shape, data }: HostTensor): OrtTensorLike => new ort.Tensor(elementName[dtype], data, shape);
  const tensorOf = (held: Held): OrtTensorLike =>
    (held as ScriptHeld).tensor ??
    fail(
      'E_CLOSED',
      `${name}: expected an open tensor, received one after its close. Keep it open until its last use.`,
      {},
    );
  return {
    name,
    binding,
    threads,
    resident,
    firstOutputOnly: firstOutputsOf(provider),
    async load(model, face): Promise<Program> {
      const location = (keep: boolean): Record<string, string> =>
        Object.fromEntries(Object.keys(face.outputs).map(n => [n, keep ? 'gpu-buffer' : 'cpu']));
      const create = (options: Readonly<Record<string, unknown>>) =>
        ort.InferenceSession.create(model, {
          executionProviders: [provider],
          graphOptimizationLevel: 'all',
          intraOpNumThreads: threads,
          interOpNumThreads: 1,
          logSeverityLevel: 3,
          ...options,
        }).catch((error: unknown) =>
          fail(
            'E_ENGINE',
            `${name}: expected a model that ONNX Runtime takes, received a refusal: ${String(error)}.`,
            {},
            error,
          ),
        );
      // Where outputs go is fixed when a session is made: one for each set of kept outputs that is asked for.
      const sessions = new Map<string, Awaited<ReturnType<typeof create>>>();
      const sessionFor = async (keep: ReadonlySet<string>) => {
        const key = resident ? [...keep].sort().join() : '';
        const known = sessions.get(key);
        if (known) return known;
        const made = await create(
          resident && keep.size > 0
            ? {
                preferredOutputLocation: {
                  ...location(false),
                  ...Object.fromEntries([...keep].map(n => [n, 'gpu-buffer'])),
                },
              }
            : {},
        );
        sessions.set(key, made);
        return made;
      };
      return {
        async run({ inputs, keep, donate }) {
          const session = await sessionFor(keep);
          const feeds = Object.fromEntries(
            Object.entries(inputs).map(([n, t]) => [n, isHeld(t) ? tensorOf(t) : wrap(t)]),
          );
          const results = await session.run(feeds);
          for (const input of Object.values(donate)) dispose(inputs[input] as ScriptHeld);
          const outputs: Record<string, HostTensor> = {};
          const kept: Record<string, Held> = {};
          for (const [n, type] of Object.entries(face.outputs)) {
            if (keep.has(n)) kept[n] = { type, tensor: results[n]! } as ScriptHeld;
            else outputs[n] = await read(type, results[n]!);
          }
          return { outputs, kept };
        },
        async close() {
          for (const session of sessions.values()) await session.release();
        },
      };
    },
    // A copy: what is held must not change when the caller's array does.
    hold: async host =>
      ({
        type: { dtype: host.dtype, shape: host.shape },
        tensor: wrap({ ...host, data: host.data.slice() }),
      }) satisfies ScriptHeld,
    read: held => read(held.type, tensorOf(held)),
    release: dispose,
    async close() {},
  };
}

function dispose(held: Held): void {
  const script = held as ScriptHeld;
  if (script.tensor && script.tensor.location !== 'cpu') script.tensor.dispose();
  script.tensor = null;
}

async function read(type: TensorType, tensor: OrtTensorLike): Promise<HostTensor> {
  const data = (tensor.location === 'cpu' ? tensor.data : await tensor.getData()) as HostData;
  if (data.length !== sizeOf(type.shape))
    fail('E_ENGINE', `ONNX Runtime: expected ${sizeOf(type.shape)} cells, received ${data.length}.`, { type });
  return { ...type, data: data.slice() };
}
