/** A package that knows published entries only, used as a user would: through a host. And two copies of core. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  bind,
  causalMask,
  iota,
  COMMANDS,
  createHost,
  evaluate,
  f32,
  FFN,
  grad,
  host as numbers,
  initialise,
  OPS,
  parameterTypes,
  trace,
  type AnyLayer,
  type CommandCall,
  type Graph,
  type HostTensor,
  type Tensor,
} from '@heddle/core';
import { checkGradient, conformPlugin } from '@heddle/core/testing';
import onnx from '@heddle/backend-onnx';
import warp, { mish, warpFfn } from '../third-party/warp/src/index.js';
import { widest } from './support/compare.js';
import { command } from './support/programs.js';
import { importsOf } from './imports.js';

const folder = new URL('../third-party/warp/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
  readonly name: string;
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
};

conformPlugin(warp, {
  packageJson: manifest,
  beside: [onnx],
  ops: { 'warp.mish': { samples: [{ inputs: [f32()] }, { inputs: [f32(2, 1, 3)], range: [-30, 30] }] } },
  parts: {
    squared: {
      config: { width: 6, heads: 3 },
      samples: [{ inputs: [f32(2, 4, 6)], output: [2, 4, 6] }],
      causal: true,
      call: (attend, [x]) =>
        attend(x, {
          mask: causalMask(4).reshape(1, 1, 4, 4),
          positions: { embedding: null, angles: null },
          at: iota([1, 4], 1, 'f32'),
          remember: (_: string, make: () => Tensor) => make(),
          handed: new Map(),
        }),
    },
    warp: {
      config: { width: 6, inner: 8 },
      samples: [
        { inputs: [f32(1, 6)], output: [1, 6] },
        { inputs: [f32(2, 3, 6)], output: [2, 3, 6] },
      ],
    },
  },
});

it('imports published entries of its peers, and nothing else', () => {
  for (const file of ['index', 'op', 'kernel', 'layer', 'attention', 'command']) {
    for (const { specifier } of importsOf(file, readFileSync(new URL(`src/${file}.ts`, folder), 'utf8'))) {
      if (specifier.startsWith('./')) continue;
      expect(['@heddle/core', '@heddle/backend-onnx/kernel'], `${file}.ts`).toContain(specifier);
      expect(
        Object.keys(manifest.peerDependencies).some(peer => specifier === peer || specifier.startsWith(`${peer}/`)),
      ).toBe(true);
    }
  }
});

describe('a plugin of a third party', () => {
  it('means what its paper says, with a gradient', async () => {
    const at = (x: number): number => x * Math.tanh(Math.log1p(Math.exp(x)));
    const { data } = evaluate(mish, numbers([5], [-20, -1, 0, 0.5, 20]));
    [-20, -1, 0, 0.5, 20].forEach((x, i) => expect(data[i]).toBeCloseTo(at(x), 6));
    const { worst } = await checkGradient(mish, [[2, 3]]);
    expect(worst).toBeLessThan(1e-6);
  });

  it('runs its op by its kernel where the engine takes it, by its meaning elsewhere, to the same numbers', async () => {
    const host = createHost({ plugins: [warp, onnx] });
    const layer: AnyLayer = host.find(FFN, 'warp').create({ width: 6, inner: 8 });
    const graph = slopes(layer);
    const feeds: Record<string, HostTensor> = {
      ...initialise(layer, 1),
      x: numbers(
        [4, 6],
        Array.from({ length: 24 }, (_, i) => (i - 12) / 4),
      ),
    };
    const run = async (name: string, kernels: boolean) => {
      const { backend } = await host.openBackend(name);
      const executable = await backend.compile(graph, kernels ? { kernels: host.kernels } : {});
      const { outputs } = await executable.run(feeds);
      const said = executable.explain();
      await executable.close();
      return { outputs, said };
    };
    const [meaning, plain, fused] = [
      await run('reference', true),
      await run('onnx:cpu', false),
      await run('onnx:cpu', true),
    ];
    expect(plain.said).toContain('kernel warp.mish: none accepted');
    expect(fused.said).toContain('kernel warp.mish: onnx, 1 times');
    for (const { outputs } of [plain, fused]) expect(widest(meaning.outputs, outputs).gap).toBeLessThan(1e-5);
    await host.close();
  });

  it('adds a command', async () => {
    const host = createHost({ plugins: [onnx, warp] });
    const said: string[] = [];
    const call: CommandCall = {
      args: [],
      options: { json: true },
      signal: new AbortController().signal,
      print: text => void said.push(text),
      note: () => {},
    };
    expect(await host.find(COMMANDS, 'warp ops').run(call, host)).toBe(0);
    expect(JSON.parse(said.join(''))).toContain('warp.mish');
    await host.close();
  });

  it('stays in the host that has it', async () => {
    const parent = createHost({ plugins: [onnx] });
    const child = parent.fork({ plugins: [warp] });
    expect(child.find(OPS, 'warp.mish').version).toBe(1);
    expect(() => parent.find(OPS, 'warp.mish')).toThrow(expect.objectContaining({ code: 'E_UNKNOWN' }));
    expect(() => child.fork({ plugins: [warp] })).toThrow(expect.objectContaining({ code: 'E_DUPLICATE' }));
    await parent.close();
  });

  it('works without the engine that its kernel is for, and fails in the project’s way', async () => {
    const host = createHost({ plugins: [warp] });
    const { backend } = await host.openBackend();
    expect(backend.name).toBe('reference');
    expect(host.kernels.find('onnx@1', 'warp.mish')).toHaveLength(1);
    await host.close();
    expect(() => warpFfn({ width: 0 })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });
});

/** The layer's output and the gradients of its sum. */
const slopes = (layer: AnyLayer): Graph =>
  trace({ ...parameterTypes(layer), x: f32(4, 6) }, inputs => {
    const { x, ...params } = inputs as Record<string, Tensor>;
    const y = (bind(layer, params, { training: false }) as unknown as (x: Tensor) => Tensor)(x!);
    const names = Object.keys(params);
    const gradients = grad(
      y.square().sum(),
      names.map(name => params[name]!),
    );
    return { y, ...Object.fromEntries(names.map((name, i) => [`gradient.${name}`, gradients[i]!])) };
  });

describe('two copies of core', () => {
  const core = dirname(createRequire(import.meta.url).resolve('@heddle/core/package.json'));

  /** An application whose plugin brought a core of its own, as npm installs it when ranges disagree. */
  async function withTwoCopies(
    use: (run: (how: string) => ReturnType<typeof command>) => Promise<void>,
  ): Promise<void> {
    const place = mkdtempSync(join(tmpdir(), 'heddle-copies-'));
    try {
      const plugin = join(place, 'node_modules', 'heddle-old');
      const second = join(plugin, 'node_modules', '@heddle', 'core');
      mkdirSync(second, { recursive: true });
      for (const part of ['dist', 'package.json']) cpSync(join(core, part), join(second, part), { recursive: true });
      symlinkSync(join(core, 'node_modules'), join(second, 'node_modules'), 'junction');
      writeFileSync(
        join(plugin, 'package.json'),
        '{ "name": "heddle-old", "version": "0.3.0", "type": "module", "exports": "./index.js" }',
      );
      writeFileSync(
        join(plugin, 'index.js'),
        `import { contribute, definePlugin, HeddleError, REWARDS } from '@heddle/core';
         export const failure = new HeddleError('E_CONFIG', 'from the other copy');
         export default definePlugin({ name: 'heddle-old', version: '0.3.0', register: c => contribute(c, REWARDS, { name: 'old', score: async batch => batch.map(() => 1) }) });`,
      );
      writeFileSync(
        join(place, 'main.mjs'),
        `import plugin, { failure } from 'heddle-old';
         const { createHost, isHeddleError, HeddleError, REWARDS } = await import(${JSON.stringify(pathToFileURL(join(core, 'dist/index.js')).href)});
         try {
           const host = createHost({ plugins: [plugin], allowCopies: process.argv[2] === 'allow' });
           const scores = await host.find(REWARDS, 'old').score([1, 2]);
           console.log(JSON.stringify({ scores, recognised: isHeddleError(failure), same: failure instanceof HeddleError }));
           await host.close();
         } catch (error) {
           console.log(JSON.stringify({ code: error.code, message: error.message }));
         }`,
      );
      await use(how => command(process.execPath, [join(place, 'main.mjs'), how]));
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  }

  it('are refused by name, with what to do; and run together where asked', async () => {
    await withTwoCopies(async run => {
      const refused = await run('refuse');
      expect(refused.stderr).toBe('');
      const { code, message } = JSON.parse(refused.stdout) as { readonly code: string; readonly message: string };
      expect(code).toBe('E_CORE_COPIES');
      for (const part of ['heddle-old 0.3.0', 'npm dedupe', fileURLToPath(pathToFileURL(core))])
        expect(message).toContain(part);
      const allowed = await run('allow');
      expect(JSON.parse(allowed.stdout)).toEqual({ scores: [1, 1], recognised: true, same: false });
    });
  });
});
