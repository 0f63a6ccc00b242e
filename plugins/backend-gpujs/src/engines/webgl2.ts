/** WebGL 2, for browsers without WebGPU: gpu.js compiles to fragment shaders, arrays are textures that stay on the device. */

import { fail, type HostTensor } from '@heddle/core';
import { openCompiler } from '../gpujs/adapter.js';
import type { Lowered, Place } from '../lower/lower.js';
import { readsOf } from '../lower/plan-memory.js';
import { productReads, productText } from '../lower/product.js';
import { breather } from './breath.js';
import { isHostTensor, type Engine, type Held, type Program, type Run } from './engine.js';
import { tensorOf } from './host-memory.js';

/** A texture of gpu.js. */
interface Texture {
  toArray(): Float32Array;
  clone(): Texture;
  delete(): void;
}

interface HeldTexture extends Held {
  texture: Texture | null;
}

type Compiler = Awaited<ReturnType<typeof openCompiler>>;

/** @throws E_UNAVAILABLE outside of browsers, and where float textures are missing */
export async function openWebgl2(): Promise<Engine> {
  const name = 'gpujs:webgl2';
  if (typeof document !== 'object') {
    return fail('E_UNAVAILABLE', `${name}: expected a browser, received none. Use gpujs:webgpu or gpujs:webasm.`, {});
  }
  const context = document.createElement('canvas').getContext('webgl2');
  if (!context?.getExtension('EXT_color_buffer_float')) {
    return fail(
      'E_UNAVAILABLE',
      `${name}: expected WebGL 2 that renders to float textures, received ${context ? 'WebGL 2 without' : 'none'}. Use gpujs:webasm.`,
      {},
    );
  }
  const words = context.getExtension('WEBGL_debug_renderer_info');
  const renderer = words ? String(context.getParameter(words.UNMASKED_RENDERER_WEBGL)) : 'an unnamed renderer';
  const side = context.getParameter(context.MAX_TEXTURE_SIZE) as number;
  const compiler = await openCompiler('webgl2');
  const copies = new Map<number, (...arrays: unknown[]) => unknown>();
  /** Brings an array onto the device. */
  const upload = (data: ArrayLike<number>): Texture => {
    const cells = data.length;
    const copy =
      copies.get(cells) ??
      compiler.runner({
        op: null,
        name: 'upload',
        text: 'function (a) { return a[this.thread.x]; }',
        constants: {},
        reads: [cells],
        cells,
      });
    copies.set(cells, copy);
    return copy(Float32Array.from(data)) as Texture;
  };
  const textureOf = (held: Held): Texture =>
    (held as HeldTexture).texture ??
    fail(
      'E_CLOSED',
      `${name}: expected an open tensor, received one after its close. Keep it open until its last use.`,
      {},
    );
  const read = async (held: Held): Promise<HostTensor> => tensorOf(held.type, textureOf(held).toArray());
  return {
    name,
    about: `gpu.js compiles to GLSL over textures that stay on the device; ${renderer}`,
    resident: true,
    tolerance: 1e-4,
    maxReads: 12,
    maxElements: Math.min(2 ** 24, side * side),
    load: async (lowered, title) => load(lowered, title, { compiler, upload, textureOf, read }),
    hold: ({ dtype, shape, data }) => ({ type: { dtype, shape }, texture: upload(data) }) as HeldTexture,
    read,
    release: held => {
      (held as HeldTexture).texture?.delete();
      (held as HeldTexture).texture = null;
    },
    lost: () => (context.isContextLost() ? 'the WebGL context was lost' : null),
    async close() {
      compiler.close();
    },
  };
}

interface Device {
  readonly compiler: Compiler;
  readonly upload: (data: ArrayLike<number>) => Texture;
  readonly textureOf: (held: Held) => Texture;
  readonly read: (held: Held) => Promise<HostTensor>;
}

function load(lowered: Lowered, title: string, { compiler, upload, textureOf, read }: Device): Program {
  const known = new Map<string, (...arrays: unknown[]) => unknown>();
  const kept = new Set(
    Object.values(lowered.results)
      .filter((r): r is Place => 'id' in r)
      .map(p => p.id),
  );
  const fixed = new Map(lowered.fixed.map(({ place, data }) => [place.id, upload(data)]));
  const outside = new Set([...fixed.keys(), ...Object.values(lowered.fed).map(p => p.id)]);
  const last = new Map<number, number>();
  lowered.passes.forEach((pass, i) => [...readsOf(pass), pass.output].forEach(p => last.set(p.id, i)));
  const steps = lowered.passes.map((pass, i) => {
    const [text, reads] = pass.kind === 'cells' ? [pass.text, pass.reads] : [productText(pass), productReads(pass)];
    const constants = pass.kind === 'cells' ? pass.constants : {};
    const source = {
      op: pass.kind === 'cells' ? pass.op : null,
      name: pass.kind === 'cells' ? pass.name : 'product',
      text,
      constants,
      reads: reads.map(p => p.length),
      cells: pass.output.length,
    };
    const key = JSON.stringify([text, constants, source.reads, source.cells]);
    const run = known.get(key) ?? compiler.runner(source);
    known.set(key, run);
    const dead = [...new Set([...readsOf(pass), pass.output].map(p => p.id))].filter(
      id => last.get(id) === i && !outside.has(id) && !kept.has(id),
    );
    return { run, reads: reads.map(p => p.id), to: pass.output.id, dead };
  });
  const rest = breather();
  return {
    async run({ inputs, keep, signal }: Run) {
      const textures = new Map<number, Texture>(fixed);
      const own: Texture[] = [];
      for (const [input, place] of Object.entries(lowered.fed)) {
        const t = inputs[input]!;
        if (isHostTensor(t)) {
          const texture = upload(t.data);
          own.push(texture);
          textures.set(place.id, texture);
        } else textures.set(place.id, textureOf(t));
      }
      const made = new Set<number>();
      try {
        for (const { run, reads, to, dead } of steps) {
          textures.set(to, run(...reads.map(id => textures.get(id))) as Texture);
          made.add(to);
          for (const id of dead) {
            textures.get(id)!.delete();
            made.delete(id);
          }
          const turn = rest();
          if (turn !== null) {
            await turn;
            signal?.throwIfAborted();
          }
        }
        const outputs: Record<string, HostTensor> = {};
        const held: Record<string, HeldTexture> = {};
        for (const [output, type] of Object.entries(lowered.outputs)) {
          const from = lowered.results[output]!;
          if (keep.has(output)) {
            let texture: Texture;
            if ('data' in from) texture = upload(from.data);
            else if ('input' in from) {
              const t = inputs[from.input]!;
              texture = isHostTensor(t) ? upload(t.data) : textureOf(t).clone();
            } else {
              texture = textures.get(from.id)!;
              if (!made.delete(from.id)) texture = texture.clone();
            }
            held[output] = { type, texture };
          } else if ('id' in from) outputs[output] = tensorOf(type, textures.get(from.id)!.toArray());
          else if ('data' in from) outputs[output] = { ...type, data: from.data.slice() };
          else {
            const t = inputs[from.input]!;
            outputs[output] = { ...type, data: (isHostTensor(t) ? t : await read(t)).data.slice() };
          }
        }
        return { outputs, kept: held };
      } finally {
        for (const id of made) textures.get(id)?.delete();
        for (const texture of own) texture.delete();
      }
    },
    notes: () => [`${known.size} shaders for '${title}'`],
    close() {
      for (const texture of fixed.values()) texture.delete();
      fixed.clear();
      known.clear();
    },
  };
}
