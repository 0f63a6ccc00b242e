/** Plain JavaScript: gpu.js compiles each kernel to a loop. The portable way, and the slow one. */

import type { HostTensor } from '@heddle/core';
import { openCompiler } from '../gpujs/adapter.js';
import type { Lowered } from '../lower/lower.js';
import { productReads, productText } from '../lower/product.js';
import { breather } from './breath.js';
import { isHostTensor, type Engine, type Held, type Program, type Run } from './engine.js';
import { contentOf, hostMemory, tensorOf, type HeldCells } from './host-memory.js';

export async function openCpu(): Promise<Engine> {
  const compiler = await openCompiler('cpu');
  const name = 'gpujs:cpu';
  return {
    name,
    about: 'gpu.js compiles to JavaScript, one thread',
    tolerance: 2e-5,
    maxReads: 16,
    maxElements: 2 ** 24,
    load: async (lowered, title) => load(lowered, title, compiler, name),
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
  const { passes, memory } = lowered;
  const known = new Map<string, (...arrays: unknown[]) => unknown>();
  const steps = passes.map(pass => {
    const [text, reads] = pass.kind === 'cells' ? [pass.text, pass.reads] : [productText(pass), productReads(pass)];
    const constants = pass.kind === 'cells' ? pass.constants : {};
    const cells = pass.output.length;
    const key = JSON.stringify([text, constants, cells, reads.map(p => p.length)]);
    const name = pass.kind === 'cells' ? pass.name : 'product';
    const run =
      known.get(key) ??
      compiler.runner({
        op: pass.kind === 'cells' ? pass.op : null,
        name,
        text,
        constants,
        reads: reads.map(p => p.length),
        cells,
      });
    known.set(key, run);
    return { run, reads: reads.map(p => memory.slotOf.get(p.id)!), to: memory.slotOf.get(pass.output.id)! };
  });
  const slots: ArrayLike<number>[] = memory.slots.map(() => new Float32Array(0));
  const at = (id: number): number => memory.slotOf.get(id)!;
  for (const { place, data } of lowered.fixed) slots[at(place.id)] = Float32Array.from(data);
  const hostOf = (t: HostTensor | Held): HostTensor => (isHostTensor(t) ? t : contentOf(t, engine));
  const rest = breather();
  return {
    async run({ inputs, keep, signal }: Run) {
      // As floats: gpu.js takes a kernel apart again when the kind of an argument changes.
      for (const [input, place] of Object.entries(lowered.fed))
        slots[at(place.id)] = Float32Array.from(hostOf(inputs[input]!).data);
      for (const { run, reads, to } of steps) {
        slots[to] = run(...reads.map(slot => slots[slot])) as Float32Array;
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
        const found =
          'id' in from
            ? tensorOf(type, slots[at(from.id)] as Float32Array)
            : 'input' in from
              ? { ...type, data: hostOf(inputs[from.input]!).data.slice() }
              : { ...type, data: from.data.slice() };
        if (keep.has(output)) kept[output] = { type, data: found.data } as HeldCells;
        else outputs[output] = found;
      }
      return { outputs, kept };
    },
    notes: () => [`${known.size} functions for '${title}'`],
    close() {
      known.clear();
    },
  };
}
