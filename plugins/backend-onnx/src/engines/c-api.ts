/**
 * ONNX Runtime's C API through koffi: the few functions that this backend needs.
 *
 * Why beside onnxruntime-node: its binding copies every output into a fresh ArrayBuffer, blocks the event loop while
 * it runs, and refuses memory that others see. Over the C API outputs are written straight into memory of ours, on a
 * thread of libuv's pool.
 *
 * Memory safety: a native object never outlives what it points to. Tensors hold their array, bindings their tensors
 * and session; what is in flight is held by `inFlight`.
 */

import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fail } from '@heddle/core';
import type koffiModule from 'koffi';

type Koffi = typeof koffiModule;
export type Pointer = bigint;

/** Positions in `struct OrtApi` of onnxruntime_c_api.h, which only ever grows at its end. */
const position = {
  GetErrorMessage: 2,
  CreateEnv: 3,
  CreateSessionFromArray: 8,
  CreateSessionOptions: 10,
  SetSessionExecutionMode: 13,
  EnableMemPattern: 16,
  EnableCpuMemArena: 18,
  SetSessionGraphOptimizationLevel: 23,
  SetIntraOpNumThreads: 24,
  SetInterOpNumThreads: 25,
  CreateRunOptions: 39,
  RunOptionsSetTerminate: 46,
  RunOptionsUnsetTerminate: 47,
  CreateTensorWithDataAsOrtValue: 49,
  CreateCpuMemoryInfo: 69,
  ReleaseEnv: 92,
  ReleaseStatus: 93,
  ReleaseMemoryInfo: 94,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseRunOptions: 97,
  ReleaseSessionOptions: 100,
  AddSessionConfigEntry: 130,
  RunWithBinding: 133,
  CreateIoBinding: 134,
  ReleaseIoBinding: 135,
  BindInput: 136,
  BindOutput: 137,
} as const;

/** Served by every library since 1.16; all functions above are older. */
const apiVersion = 16;

/** koffi runs native code on stacks of its own, 128 KiB by default for async calls; graph passes recurse deeper. */
const stackBytes = 8 << 20;

/** ONNXTensorElementDataType */
export const elementType = { f32: 1, i32: 6, bool: 9 } as const;

type Native = (...args: readonly unknown[]) => unknown;
type Call = Native & { readonly async: (...args: readonly unknown[]) => void };
type Api = Readonly<Record<keyof typeof position, Call>>;

export interface OrtLibrary {
  /** koffi unloads a library whose handle is garbage: the code would vanish under our feet. */
  readonly handle: unknown;
  readonly version: string;
  readonly api: Api;
  readonly env: Pointer;
  readonly memory: Pointer;
  address(view: ArrayBufferView): Pointer;
  /** Calls a function that returns a status. */
  call(name: keyof Api, ...args: readonly unknown[]): void;
  /** Calls a function whose last parameter receives a pointer. */
  make(name: keyof Api, ...args: readonly unknown[]): Pointer;
  /** The same on libuv's pool. `hold` stays reachable meanwhile. */
  later(name: keyof Api, args: readonly unknown[], hold: unknown): Promise<void>;
  /** Another library of this process, by the system's name. */
  load(name: string): { func(name: string, result: string, args: string[]): Native };
}

/** Where the onnxruntime-node package keeps the library for this machine. */
function libraryPath(): string {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const bin = join(root, 'bin');
  const versions = readdirSync(bin).filter(name => name.startsWith('napi-'));
  const folder = join(bin, versions.at(-1) ?? '', process.platform, process.arch);
  const file = readdirSync(folder).find(name => /^(lib)?onnxruntime(\.so|\.dll$|\.[\d.]*dylib$)/.test(name));
  return file === undefined
    ? fail(
        'E_ENGINE',
        `onnxruntime-node: expected its library in ${folder}, received none. Install onnxruntime-node again.`,
        { folder },
      )
    : join(folder, file);
}

const inFlight = new Set<unknown>();

let loaded: Promise<OrtLibrary> | null = null;

/**
 * Loads the library, once for the process: ONNX Runtime's environment is global anyway.
 *
 * @throws E_ENGINE when koffi or the library cannot be used here
 */
export const openLibrary = (): Promise<OrtLibrary> => (loaded ??= loadLibrary());

async function loadLibrary(): Promise<OrtLibrary> {
  const koffi: Koffi = await import('koffi').then(
    module => module.default,
    (error: unknown) =>
      fail(
        'E_ENGINE',
        `koffi: expected the package, received none that loads (${String(error)}). Install koffi, or use the binding 'worker'.`,
        {},
        error,
      ),
  );
  growStacks(koffi);
  const library = koffi.load(libraryPath());
  const base: Pointer = library.func('OrtGetApiBase', 'void *', [])();
  const [getApi, getVersion] = koffi.decode(base, koffi.array('void *', 2)) as [Pointer, Pointer];
  const version = koffi.call(getVersion, koffi.proto('str', [])) as string;
  const table: Pointer | null = koffi.call(getApi, koffi.proto('void *', ['uint32_t']), apiVersion);
  if (!table)
    fail(
      'E_ENGINE',
      `ONNX Runtime ${version}: expected C API ${apiVersion}, received none. Use onnxruntime-node 1.16 or newer.`,
      { version },
    );
  const functions = koffi.decode(table, koffi.array('void *', Math.max(...Object.values(position)) + 1)) as Pointer[];
  const fn = (name: keyof typeof position, result: string, ...args: string[]): Call =>
    koffi.decode(functions[position[name]]!, koffi.proto(result, args)) as Call;
  const status = 'void *';
  const p = 'void *';
  const api: Api = {
    GetErrorMessage: fn('GetErrorMessage', 'str', p),
    CreateEnv: fn('CreateEnv', status, 'int', 'str', p),
    CreateSessionFromArray: fn('CreateSessionFromArray', status, p, p, 'size_t', p, p),
    CreateSessionOptions: fn('CreateSessionOptions', status, p),
    SetSessionExecutionMode: fn('SetSessionExecutionMode', status, p, 'int'),
    EnableMemPattern: fn('EnableMemPattern', status, p),
    EnableCpuMemArena: fn('EnableCpuMemArena', status, p),
    SetSessionGraphOptimizationLevel: fn('SetSessionGraphOptimizationLevel', status, p, 'int'),
    SetIntraOpNumThreads: fn('SetIntraOpNumThreads', status, p, 'int'),
    SetInterOpNumThreads: fn('SetInterOpNumThreads', status, p, 'int'),
    CreateRunOptions: fn('CreateRunOptions', status, p),
    RunOptionsSetTerminate: fn('RunOptionsSetTerminate', status, p),
    RunOptionsUnsetTerminate: fn('RunOptionsUnsetTerminate', status, p),
    CreateTensorWithDataAsOrtValue: fn('CreateTensorWithDataAsOrtValue', status, p, p, 'size_t', p, 'size_t', 'int', p),
    CreateCpuMemoryInfo: fn('CreateCpuMemoryInfo', status, 'int', 'int', p),
    ReleaseEnv: fn('ReleaseEnv', 'void', p),
    ReleaseStatus: fn('ReleaseStatus', 'void', p),
    ReleaseMemoryInfo: fn('ReleaseMemoryInfo', 'void', p),
    ReleaseSession: fn('ReleaseSession', 'void', p),
    ReleaseValue: fn('ReleaseValue', 'void', p),
    ReleaseRunOptions: fn('ReleaseRunOptions', 'void', p),
    ReleaseSessionOptions: fn('ReleaseSessionOptions', 'void', p),
    AddSessionConfigEntry: fn('AddSessionConfigEntry', status, p, 'str', 'str'),
    RunWithBinding: fn('RunWithBinding', status, p, p, p),
    CreateIoBinding: fn('CreateIoBinding', status, p, p),
    ReleaseIoBinding: fn('ReleaseIoBinding', 'void', p),
    BindInput: fn('BindInput', status, p, 'str', p),
    BindOutput: fn('BindOutput', status, p, 'str', p),
  };
  const check = (name: string, result: unknown): void => {
    if (!result) return;
    const message = api.GetErrorMessage(result) as string;
    api.ReleaseStatus(result);
    fail('E_ENGINE', `ONNX Runtime: ${name}: ${message}. If the model is Heddle's own, please report it.`, {
      call: name,
      message,
    });
  };
  const cell = new BigUint64Array(1);
  const make = (name: keyof Api, ...args: readonly unknown[]): Pointer => {
    cell[0] = 0n;
    check(name, api[name](...args, cell));
    return cell[0];
  };
  const env = make('CreateEnv', 3, 'heddle');
  // Arena allocator, default memory type.
  const memory = make('CreateCpuMemoryInfo', 1, 0);
  return {
    handle: library,
    version,
    api,
    env,
    memory,
    address: view => koffi.address(view) as Pointer,
    call: (name, ...args) => check(name, api[name](...args)),
    make,
    later: (name, args, hold) =>
      new Promise((resolve, reject) => {
        const ticket = { args, hold };
        inFlight.add(ticket);
        api[name].async(...args, (error: unknown, result: unknown) => {
          inFlight.delete(ticket);
          try {
            if (error) throw error;
            check(name, result);
            resolve();
          } catch (caught) {
            reject(caught);
          }
        });
      }),
    load: name => koffi.load(name),
  };
}

/** koffi's settings are fixed once any library is loaded; who came first may have left them too small for us. */
function growStacks(koffi: Koffi): void {
  try {
    koffi.config({ sync_stack_size: stackBytes, async_stack_size: stackBytes });
  } catch (error) {
    const { async_stack_size: size } = koffi.config() as { readonly async_stack_size: number };
    if (size < stackBytes) {
      fail(
        'E_ENGINE',
        `koffi: expected stacks of ${stackBytes} bytes, received ${size}: another package loaded a library first. Open this backend before it, or use the binding 'worker'.`,
        { size },
        error,
      );
    }
  }
}
