/** What is relied upon in gpu.js's private fields: a new version that changes them fails here, by name. */

import { createRequire } from 'node:module';
import { afterAll, describe, expect, it } from 'vitest';
import { openCompiler, pinned, type Mode, type Source } from './adapter.js';

const source: Source = {
  op: null,
  name: 'axpy',
  text: 'function (x, y) { let sum = 0; for (let i = 0; i < this.constants.n; i++) { sum += x[i] * y[this.thread.x]; } return sum + Math.exp(y[0]); }',
  constants: { n: 3 },
  reads: [3, 5],
  cells: 5,
};
const compilers = {
  webgpu: await openCompiler('webgpu'),
  webasm: await openCompiler('webasm'),
  cpu: await openCompiler('cpu'),
};
afterAll(() => Object.values(compilers).forEach(c => c.close()));

describe('the adapter to gpu.js', () => {
  it('is for the version that is installed, and package.json pins that one', () => {
    const require = createRequire(import.meta.url);
    expect((require('gpu.js/package.json') as { readonly version: string }).version).toBe(pinned);
    const own = require('../../package.json') as { readonly dependencies: Readonly<Record<string, string>> };
    expect(own.dependencies['gpu.js']).toBe(pinned);
  });

  it('gets WGSL without a device, its sizes as constants, arrays at bindings 1, 2 and the output after them', () => {
    const { code, groups } = compilers.webgpu.wgsl(source, 65535);
    expect(groups).toEqual([1, 1]);
    expect(code).toContain(
      'const params : Params = Params(5u, 1u, 1u, 64u, vec4<u32>(3u, 1u, 1u, 3u), vec4<u32>(5u, 1u, 1u, 5u));',
    );
    expect(code).not.toContain('@binding(0)');
    expect(code).toContain('@group(0) @binding(1) var<storage, read> user_x : array<f32>;');
    expect(code).toContain('@group(0) @binding(3) var<storage, read_write> result : array<f32>;');
    expect(code).toContain('@compute @workgroup_size(64, 1, 1)\nfn main(');
  });

  it('folds a launch that is too long for one row of groups', () => {
    const { code, groups } = compilers.webgpu.wgsl(
      { ...source, cells: 64 * 65535 + 1, reads: [3, 64 * 65535 + 1] },
      65535,
    );
    expect(groups[0] * groups[1]).toBeGreaterThanOrEqual(65536);
    expect(groups[0]).toBeLessThanOrEqual(65535);
    expect(code).toContain(`${64 * groups[0]}u`);
  });

  it('gets modules over memory of ours, with arrays where they are said to be', async () => {
    const { bytes, math, pages } = compilers.webasm.wasm(source, { reads: [64, 128], output: 256, totalBytes: 1024 });
    expect(math).toEqual(['exp']);
    const memory = new WebAssembly.Memory(pages);
    const floats = new Float32Array(memory.buffer);
    floats.set([1, 2, 3], 64 / 4);
    floats.set([0, 1, 2, 3, 4], 128 / 4);
    const { instance } = await WebAssembly.instantiate(bytes, { env: { memory, math_exp: Math.exp } });
    (instance.exports['run'] as (from: number, to: number, seed: number) => void)(0, 5, 0);
    expect(Array.from(floats.subarray(64, 69))).toEqual([1, 7, 13, 19, 25]);
    if (instance.exports['run_simd']) {
      floats.fill(0, 256 / 4, 256 / 4 + 5);
      (instance.exports['run_simd'] as (from: number, to: number, seed: number) => void)(0, 4, 0);
      expect(Array.from(floats.subarray(64, 69))).toEqual([1, 7, 13, 19, 0]);
    }
  });

  it('gets functions whose results are their own', () => {
    const run = compilers.cpu.runner(source);
    const [first, second] = [
      run(Float32Array.of(1, 2, 3), new Float32Array(5)),
      run(Float32Array.of(0, 0, 0), new Float32Array(5)),
    ];
    expect([...(first as Float32Array)]).toEqual([1, 1, 1, 1, 1]);
    expect(second).not.toBe(first);
  });

  it.each(['webgpu', 'webasm', 'cpu'] satisfies Mode[])(
    '%s tells what gpu.js says of a body that it cannot compile, and whose it is',
    mode => {
      const broken: Source = {
        ...source,
        op: 'my.op',
        text: 'function (x, y) { const o = { a: x[0] }; return o.a + y[0]; }',
      };
      const compile = {
        webgpu: () => compilers.webgpu.wgsl(broken, 65535),
        webasm: () => compilers.webasm.wasm(broken, { reads: [64, 128], output: 256, totalBytes: 1024 }),
        cpu: () => compilers.cpu.runner(broken)(new Float32Array(3), new Float32Array(5)),
      }[mode];
      expect(compile).toThrow(
        expect.objectContaining({
          code: 'E_KERNEL',
          details: expect.objectContaining({ op: 'my.op', limit: 'language' }),
        }),
      );
    },
  );
});
