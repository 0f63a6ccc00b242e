import { build, type BuildOptions } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { defineKernel, f32, sizeOf } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { GPUJS, perCell, type CellBody, type Thread } from './kernel.js';

interface Mixing {
  readonly H: number;
  readonly S: number;
  readonly scale: number;
}

function mixed(this: Thread<Mixing>, q: number[], w: number[]): number {
  const { H, S, scale } = this.constants;
  const s = this.thread.x % S; // a comment with an = and a 'name'
  const h = Math.floor(this.thread.x / S) % H;
  let sum = 0;
  for (let g = 0; g < H; g++) {
    /* another one */
    if (w[h * H + g]! !== 0) sum += w[h * H + g]! * q[g * S + s]!;
  }
  return sum * scale;
}

describe('perCell', () => {
  it('makes launches of a function, with its name, text, constants and reads', () => {
    const launch = perCell(mixed);
    const cells = launch({ output: 12, constants: { H: 3, S: 4, scale: 0.5 }, reads: [1, 0] });
    expect(cells).toMatchObject({ name: 'mixed', output: 12, constants: { H: 3, S: 4, scale: 0.5 }, reads: [1, 0] });
    expect(cells.text).toMatch(/^function mixed\(q, w\)/);
    expect(cells.text).not.toContain('comment');
    // @ts-expect-error a constant is missing
    launch({ output: 12, constants: { H: 3, S: 4 } });
  });

  it('needs no constants where the body has none', () => {
    const twice = perCell(function twice(this: Thread, x: number[]) {
      return 2 * x[this.thread.x]!;
    });
    const kernel = defineKernel(GPUJS, { op: 'my.twice', build: ([x]) => twice({ output: sizeOf(x!.shape) }) });
    expect(kernel).toMatchObject({ op: 'my.twice', format: 'gpujs@1' });
    expect(kernel.build([f32(2, 3)], {})).toMatchObject({ output: 6, constants: {}, reads: null });
  });

  const outer = 3;
  const refused: readonly (readonly [limit: string, body: CellBody, words: RegExp])[] = [
    ['form', ((x: number[]) => x[0]!) as CellBody, /expected function \(a, b\)/],
    ['form', Math.abs as unknown as CellBody, /expected function \(a, b\)/],
    ['form', async function () {} as unknown as CellBody, /received async function/],
    [
      'reads',
      function eight(
        this: Thread,
        a: number[],
        b: number[],
        c: number[],
        d: number[],
        e: number[],
        f: number[],
        g: number[],
        h: number[],
      ) {
        return a[0]! + b[0]! + c[0]! + d[0]! + e[0]! + f[0]! + g[0]! + h[0]!;
      },
      /eight: expected at most 7 arguments, received 8/,
    ],
    [
      'math',
      function noise(this: Thread) {
        return Math.random();
      },
      /random numbers are inputs\), received Math.random/,
    ],
    [
      'axis',
      function flat(this: Thread, x: number[]) {
        return x[(this.thread as { readonly x: number; readonly y?: number }).y!]!;
      },
      /flat: expected this.thread.x, received this.thread.y/,
    ],
    [
      'scatter',
      function push(this: Thread, x: number[]) {
        x[this.thread.x] = 1;
        return 0;
      },
      /push: .*received a write to 'x'/,
    ],
    [
      'scatter',
      function nested(this: Thread, x: number[], i: number[]) {
        x[i[this.thread.x]!]! += 1;
        return 0;
      },
      /a write to 'x'/,
    ],
    [
      'scatter',
      function counted(this: Thread, x: number[]) {
        x[this.thread.x]!++;
        return x[0]!;
      },
      /a write to 'x'/,
    ],
    [
      'names',
      function closure(this: Thread, x: number[]) {
        return outer * x[0]!;
      },
      /arguments, locals and this.constants only, received 'outer'/,
    ],
    [
      'names',
      function called(this: Thread, x: number[]) {
        return Number.isNaN(x[0]!) ? 0 : 1;
      },
      /received 'Number'/,
    ],
  ];
  it.each(refused)('refuses by the limit %s, at once', (limit, body, words) => {
    expect(() => perCell(body)).toThrow(
      expect.objectContaining({
        code: 'E_KERNEL',
        message: expect.stringMatching(words),
        details: expect.objectContaining({ limit }),
      }),
    );
  });

  it('refuses launches that no engine can run', () => {
    const launch = perCell(mixed);
    const constants = { H: 1, S: 1, scale: 1 };
    const refusal = (limit: string) =>
      expect.objectContaining({ code: 'E_KERNEL', details: { kernel: 'mixed', limit } });
    for (const output of [0, 1.5, -1, NaN, 2 ** 24 + 1])
      expect(() => launch({ output, constants })).toThrow(refusal('cells'));
    for (const scale of [NaN, Infinity, 2 ** 24 + 1])
      expect(() => launch({ output: 1, constants: { ...constants, scale } })).toThrow(refusal('constants'));
    expect(() => launch({ output: 1, constants, reads: [0] })).toThrow(refusal('reads'));
    expect(launch({ output: 2 ** 24, constants: { ...constants, scale: -1e30 / 7 } }).output).toBe(2 ** 24);
  });

  it('takes what a minifier leaves of a function', async () => {
    const source = `import { perCell } from './kernel.js';
      ${mixed.toString()}
      globalThis.minified = perCell(mixed)({ output: 12, constants: { H: 3, S: 4, scale: 0.5 } });`;
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
    });
    await import(`data:text/javascript,${encodeURIComponent(outputFiles[0]!.text)}`);
    const { text } = (globalThis as unknown as { readonly minified: { readonly text: string } }).minified;
    expect(text).toMatch(/^function \w+\(\w,\w\)\{(let|const)\{H:/);
  });
});

describe('the entry', () => {
  const bundled = async (options: BuildOptions) =>
    build({
      entryPoints: [fileURLToPath(new URL('kernel.ts', import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
      metafile: true,
      ...options,
    });

  it('is under 2 kB beside core, and loads nothing of gpu.js', async () => {
    const { outputFiles } = await bundled({ external: ['@heddle/core'] });
    expect(outputFiles![0]!.contents.length).toBeLessThan(2048);
    const { metafile } = await bundled({});
    expect(Object.keys(metafile!.inputs).filter(file => file.includes('gpu.js'))).toEqual([]);
  });
});
