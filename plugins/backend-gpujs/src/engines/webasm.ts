/**
 * WebAssembly: gpu.js compiles each kernel to a module over one memory that holds every array, so nothing is copied
 * between kernels; products run in a module of our own with SIMD.
 */

import type { HostTensor } from '@heddle/core';
import { openCompiler } from '../gpujs/adapter.js';
import type { Lowered, Pass } from '../lower/lower.js';
import { contentOf, hostMemory, tensorOf, type HeldCells } from './host-memory.js';
import { isHostTensor, type Engine, type Held, type Program, type Run } from './engine.js';
import { productModule, scratchBytes } from './wasm-product.js';
import { breather } from './breath.js';

const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;

export async function openWebasm(): Promise<Engine> {
  const compiler = await openCompiler('webasm');
  const name = 'gpujs:webasm';
  return {
    name,
    about: 'gpu.js compiles to WebAssembly over one memory, one thread; products with SIMD',
    tolerance: 2e-5,
    maxReads: 16,
    maxElements: 2 ** 24,
    async load(lowered, title) {
      return load(lowered, title, compiler, name);
    },
    ...hostMemory(name),
    async close() {
      compiler.close();
    },
  };
}

async function load(
  lowered: Lowered,
  title: string,
  compiler: Awaited<ReturnType<typeof openCompiler>>,
  engine: string,
): Promise<Program> {
  const { memory: plan } = lowered;
  const offsets: number[] = [];
  let end = 64;
  for (const length of plan.slots) {
    offsets.push(end);
    end += align(4 * length);
  }
  const scratch = end;
  end += scratchBytes(lowered.passes);
  const at = (id: number): number => offsets[plan.slotOf.get(id)!]!;
  let memory: WebAssembly.Memory | null = null;
  const modules = new Map<string, WebAssembly.Module>();
  const imports = (math: readonly string[]): WebAssembly.Imports => ({
    env: { memory: memory!, ...Object.fromEntries(math.map(fn => [`math_${fn}`, Math[fn as 'exp']])) },
  });
  /** A module knows where its arrays are; the same kernel over other arrays is another. */
  const compile = async (pass: Pass): Promise<() => void> => {
    if (pass.kind === 'matmul') return () => product(pass);
    const wasm = compiler.wasm(
      {
        op: pass.op,
        name: pass.name,
        text: pass.text,
        constants: pass.constants,
        reads: pass.reads.map(p => p.length),
        cells: pass.output.length,
      },
      { reads: pass.reads.map(p => at(p.id)), output: at(pass.output.id), totalBytes: end },
    );
    memory ??= new WebAssembly.Memory(wasm.pages);
    const key = JSON.stringify([
      pass.text,
      pass.constants,
      pass.reads.map(p => at(p.id)),
      at(pass.output.id),
      pass.output.length,
    ]);
    const module = modules.get(key) ?? (await WebAssembly.compile(wasm.bytes));
    modules.set(key, module);
    const { run, run_simd: simd } = (await WebAssembly.instantiate(module, imports(wasm.math))).exports as Record<
      string,
      (from: number, to: number, seed: number) => void
    >;
    const cells = pass.output.length;
    const whole = simd ? cells - (cells % 4) : 0;
    return () => {
      if (whole > 0) simd!(0, whole, 0);
      if (whole < cells) run!(whole, cells, 0);
    };
  };
  const runs: (() => void)[] = [];
  for (const pass of lowered.passes) runs.push(await compile(pass));
  memory ??= new WebAssembly.Memory({ initial: Math.ceil(end / 65536) + 16 });
  const floats = new Float32Array(memory.buffer);
  const product = await productModule(memory, at, scratch, lowered.passes);
  const put = (id: number, data: ArrayLike<number>): void => floats.set(data, at(id) / 4);
  for (const { place, data } of lowered.fixed) put(place.id, data);
  const rest = breather();
  return {
    async run({ inputs, keep, signal }: Run) {
      for (const [input, place] of Object.entries(lowered.fed)) put(place.id, dataOf(inputs[input]!, engine));
      for (const run of runs) {
        run();
        const turn = rest();
        if (turn !== null) {
          await turn;
          signal?.throwIfAborted();
        }
      }
      const outputs: Record<string, HostTensor> = {};
      const kept: Record<string, Held> = {};
      for (const [output, type] of Object.entries(lowered.outputs)) {
        const from = lowered.results[output]!;
        const found: HostTensor =
          'id' in from
            ? tensorOf(type, floats.subarray(at(from.id) / 4, at(from.id) / 4 + from.length))
            : 'input' in from
              ? ((t: HostTensor) => ({ ...type, data: t.data.slice() }))(hostOf(inputs[from.input]!, engine))
              : { ...type, data: from.data.slice() };
        if (keep.has(output)) kept[output] = { type, data: found.data } as HeldCells;
        else outputs[output] = found;
      }
      return { outputs, kept };
    },
    notes: () => [`${modules.size} modules over one memory of ${(end / 2 ** 20).toFixed(1)} MiB for '${title}'`],
    close() {
      runs.length = 0;
    },
  };
}

const hostOf = (t: HostTensor | Held, engine: string): HostTensor => (isHostTensor(t) ? t : contentOf(t, engine));
const dataOf = (t: HostTensor | Held, engine: string): ArrayLike<number> => hostOf(t, engine).data;
