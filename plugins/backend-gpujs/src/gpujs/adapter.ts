/**
 * The one file that touches gpu.js's private fields: gpu.js is used as a compiler, and what it compiles runs over memory
 * of ours. Pinned to 2.24.1; `adapter.test.ts` guards what is relied upon here.
 */

import { fail } from '@heddle/core';

export const pinned = '2.24.1';

export type Mode = 'webgpu' | 'webgl2' | 'webasm' | 'cpu';

/** What is compiled: a kernel of flat arrays. */
export interface Source {
  /** The op whose kernel it is; null for what passes wrote. */
  readonly op: string | null;
  readonly name: string;
  readonly text: string;
  readonly constants: Readonly<Record<string, number>>;
  /** Lengths of the arrays that it reads. */
  readonly reads: readonly number[];
  readonly cells: number;
}

interface ArgumentPlace {
  readonly index: number;
  readonly offset: number;
  readonly dims: readonly number[];
  readonly flatLength: number;
}

/** Private parts of a gpu.js kernel, of all modes together. */
interface PrivateKernel {
  built: boolean;
  threadDim: number[];
  argumentNames: readonly string[];
  readonly constructor: { readonly mode: string };
  readonly fallbackReason?: string | null;
  usedMathImports: Iterable<string>;
  paramsLayout: {
    readonly arrayArgs: readonly { readonly name: string }[];
    readonly bufferConstants: readonly unknown[];
    readonly randomSeedOffset: number | null;
  };
  workgroupSize: readonly number[];
  componentCount: number;
  build(...args: unknown[]): void;
  setupConstants(): void;
  setupArguments(args: readonly unknown[]): void;
  validateSettings(args: readonly unknown[]): void;
  translateSource(): boolean | undefined;
  computeParamsLayout(): PrivateKernel['paramsLayout'];
  assembleWGSL(): string;
  _assembleModule(
    layout: {
      readonly arrays: Readonly<Record<string, ArgumentPlace>>;
      readonly scalars: Readonly<Record<string, never>>;
      readonly constantArrays: Readonly<Record<string, never>>;
      readonly outputOffset: number;
      readonly totalBytes: number;
    },
    cells: number,
    shared: boolean,
  ): { readonly bytes: Uint8Array; readonly initial: number; readonly maximum: number };
}

type Runner = ((...args: unknown[]) => unknown) & { readonly kernel: PrivateKernel };

interface GpuInstance {
  createKernel(text: string, settings: Readonly<Record<string, unknown>>): Runner;
  destroy(): Promise<void> | void;
}

interface GpuModule {
  readonly GPU: {
    new (settings: { readonly mode: Mode }): GpuInstance;
    disableValidation(): void;
    enableValidation(): void;
    readonly isWebGL2Supported: boolean;
  };
}

/** Loops run as long as they must; gpu.js cuts them off at 1000 unless told otherwise. */
const loopMaxIterations = 2 ** 24;

/** A compiler for one mode. */
export interface Compiler {
  readonly mode: Mode;
  /** WGSL with its sizes as constants: arrays are bound at 1, 2…, the output after them. */
  wgsl(source: Source, maxGroups: number): Wgsl;
  wasm(
    source: Source,
    at: { readonly reads: readonly number[]; readonly output: number; readonly totalBytes: number },
  ): Wasm;
  /** A function of arrays that gives an array; on WebGL2 of textures that gives a texture. */
  runner(source: Source): (...arrays: unknown[]) => unknown;
  close(): void;
}

export interface Wgsl {
  readonly code: string;
  readonly groups: readonly [number, number];
}

export interface Wasm {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Functions of Math that the module imports. */
  readonly math: readonly string[];
  readonly pages: { readonly initial: number; readonly maximum: number };
}

/** Loads gpu.js, on first use. */
async function load(): Promise<GpuModule> {
  const module = (await import('gpu.js')) as unknown as GpuModule & {
    readonly default?: GpuModule & { readonly GPU?: GpuModule['GPU'] };
  };
  // Its build for browsers is one function with everything on it.
  const found = module.GPU ? module : module.default!;
  return found.GPU ? found : { GPU: found as unknown as GpuModule['GPU'] };
}

export async function openCompiler(mode: Mode): Promise<Compiler> {
  const { GPU } = await load();
  // For the compiler alone no device must be there; WebGL, which runs, learns of its features by asking for them.
  if (mode !== 'webgl2') GPU.disableValidation();
  let gpu: GpuInstance;
  try {
    gpu = new GPU({ mode });
  } finally {
    GPU.enableValidation();
  }
  const kernelOf = (source: Source): Runner => {
    try {
      return gpu.createKernel(source.text, {
        output: [source.cells],
        constants: source.constants,
        argumentTypes: source.reads.map(() => 'Array'),
        precision: 'single',
        loopMaxIterations,
        ...(mode === 'webgl2' ? { pipeline: true, immutable: true } : {}),
      });
    } catch (error) {
      return unparsed(source, error);
    }
  };
  /** Everything that gpu.js's own build does before it asks for a device. */
  const translate = (source: Source): PrivateKernel => {
    const { kernel } = kernelOf(source);
    const samples = source.reads.map(sample);
    try {
      kernel.setupConstants();
      kernel.setupArguments(samples);
      kernel.validateSettings(samples);
      kernel.threadDim = [source.cells, 1, 1];
      if (kernel.translateSource() === false || kernel.componentCount !== 1)
        throw new Error('a kernel returns one number');
    } catch (error) {
      return unparsed(source, error);
    }
    return kernel;
  };
  return {
    mode,
    wgsl(source, maxGroups) {
      const kernel = translate(source);
      kernel.paramsLayout = kernel.computeParamsLayout();
      const { arrayArgs } = kernel.paramsLayout;
      const written = kernel.assembleWGSL();
      const [groups, width] = dispatch(source.cells, kernel.workgroupSize[0]!, maxGroups);
      const dims = arrayArgs.map((_, i) => `vec4<u32>(${source.reads[i]}u, 1u, 1u, ${source.reads[i]}u)`);
      const declared = '@group(0) @binding(0) var<uniform> params : Params;';
      if (!written.includes(declared)) return broken('the uniform block of a WGSL kernel');
      const fixed = `const params : Params = Params(${[`${source.cells}u`, '1u', '1u', `${width}u`, ...dims].join(', ')});`;
      return { code: written.replace(declared, fixed), groups };
    },
    wasm(source, { reads, output, totalBytes }) {
      const kernel = translate(source);
      const arrays = Object.fromEntries(
        kernel.argumentNames.map((name, index) => [
          name,
          { index, offset: reads[index]!, dims: [source.reads[index]!, 1, 1], flatLength: source.reads[index]! },
        ]),
      );
      const { bytes, initial, maximum } = kernel._assembleModule(
        { arrays, scalars: {}, constantArrays: {}, outputOffset: output, totalBytes },
        source.cells,
        false,
      );
      return { bytes: Uint8Array.from(bytes), math: [...kernel.usedMathImports], pages: { initial, maximum } };
    },
    runner(source) {
      const run = kernelOf(source);
      try {
        // WebGL compiles for the kinds of its arguments, which the first run shows.
        if (mode === 'cpu') run.kernel.build(...source.reads.map(sample));
      } catch (error) {
        return unparsed(source, error);
      }
      return (...arrays) => {
        try {
          const made = run(...arrays);
          const ran = run.kernel.constructor.mode;
          if (ran !== mode && !(mode === 'webgl2' && ran === 'gpu')) {
            fail(
              'E_FALLBACK',
              `${source.name}: expected gpu.js to run it in mode ${mode}, received ${ran}: ${run.kernel.fallbackReason ?? 'no reason given'}. Choose that engine, or write the kernel within its limits.`,
              { kernel: source.name, mode: ran, ...(source.op === null ? {} : { op: source.op }) },
            );
          }
          return made;
        } catch (error) {
          return unparsed(source, error);
        }
      };
    },
    close() {
      void gpu.destroy();
    },
  };
}

/** gpu.js looks at types and lengths of arguments, never at their numbers: one array serves for all. */
const sample = (length: number): Float32Array => {
  if (length > shared.length) shared = new Float32Array(length);
  return shared.subarray(0, length);
};
let shared = new Float32Array(1024);

function dispatch(
  cells: number,
  size: number,
  most: number,
): readonly [groups: readonly [number, number], width: number] {
  const groups = Math.ceil(cells / size);
  if (groups <= most) return [[groups, 1], groups * size];
  const rows = Math.ceil(groups / most);
  const columns = Math.ceil(groups / rows);
  return [[columns, rows], columns * size];
}

function unparsed(source: Source, error: unknown): never {
  if ((error as { readonly code?: unknown }).code === 'E_FALLBACK') throw error;
  const words = error instanceof Error ? error.message : String(error);
  return fail(
    'E_KERNEL',
    `${source.name}: expected a body that gpu.js can compile, received its error: ${words.split('\n')[0]}. Limit: language.`,
    { kernel: source.name, limit: 'language', text: source.text, ...(source.op === null ? {} : { op: source.op }) },
    error,
  );
}

const broken = (what: string): never =>
  fail('E_ENGINE', `gpu.js: expected ${what} as in version ${pinned}, received another. Install gpu.js ${pinned}.`, {});
