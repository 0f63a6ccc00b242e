/** The packages as users get them: packed, installed by npm in an empty project, imported, bundled, type-checked. */

import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, outcome, publish, readTarball, type Published } from './published.js';
import { publicFolders, readManifest, root } from './workspace.js';

const minutes = 60_000; // ms

const manifests = publicFolders.map(readManifest);
const names = manifests.map(({ name }) => name);
const entries = manifests.flatMap(({ name, exports = {} }) =>
  Object.keys(exports)
    .filter(key => key !== './package.json')
    .map(key => name + key.slice(1)),
);

/** Entries that a program imports: the kit is for tests, a worker's entry for workers. */
const imported = entries.filter(entry => !/\/(testing|worker)$/.test(entry));

/** What must load where there is no Node. */
const browserEntries = [
  '@heddle/core',
  '@heddle/attention-emha',
  '@heddle/backend-gpujs',
  '@heddle/backend-gpujs/kernel',
  '@heddle/backend-onnx/web',
  '@heddle/backend-onnx/kernel',
  '@heddle/connectome',
  '@heddle/eval-text',
  '@heddle/eval-math',
  '@heddle/eval-math/benchmark',
  '@heddle/openai-client',
  '@heddle/rl-grpo',
  '@heddle/text',
  '@heddle/transformer',
];

let published: Published;
beforeAll(async () => {
  published = await publish(['onnxruntime-web', 'vitest', '@types/node']);
}, 10 * minutes);
afterAll(() => published?.remove());

/** Bundles a line of code as a browser application would; what stays outside is in the metafile. */
async function bundle(code: string, external: readonly string[] = []): Promise<{ text: string; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: published.project },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: [...external],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return { text: outputFiles[0]!.text, metafile };
}

/** Packages that a bundle took something from. */
const takenFrom = ({ inputs }: Metafile): readonly string[] =>
  [...new Set(Object.keys(inputs).map(path => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]))]
    .filter(name => name !== undefined)
    .sort();

describe('a tarball', () => {
  it.each(names)('of %s holds what is needed and nothing else', async name => {
    const { code, output } = await outcome('tar', ['-tzf', published.tarballs.get(name)!], root);
    expect(code).toBe(0);
    const files = output.trim().split('\n');
    expect(files).toEqual(
      expect.arrayContaining(['package/package.json', 'package/README.md', 'package/LICENSE', 'package/src/index.ts']),
    );
    expect(files.filter(file => /\.test\.|tsbuildinfo|\/golden\/|node_modules|reports/.test(file))).toEqual([]);
    const maps = files.filter(file => file.endsWith('.js')).filter(file => file.startsWith('package/dist'));
    expect(maps.filter(file => !files.includes(`${file}.map`))).toEqual([]);
  });

  it.each(names)('of %s passes publint', async name => {
    const { messages, pkg } = await publint({
      pack: { tarball: await readTarball(published.tarballs.get(name)!) },
      strict: true,
    });
    expect(messages.map(message => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it.each(names)('of %s passes attw', { timeout: 2 * minutes }, async name => {
    const args = [bin('@arethetypeswrong/cli'), published.tarballs.get(name)!, '--profile', 'esm-only', '--no-color'];
    const { code, output } = await outcome(process.execPath, args, root);
    expect(code, output).toBe(0);
  });

  it('has no script that runs when it is installed', () => {
    const scripts = manifests.flatMap(manifest => Object.keys((manifest as { scripts?: object }).scripts ?? {}));
    expect(scripts.filter(name => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
  });
});

describe('an installed package', () => {
  it.each(imported)(
    '%s is imported by Node, prints nothing and leaves nothing running',
    { timeout: minutes },
    async entry => {
      const args = ['--input-type=module', '--eval', `await import('${entry}')`];
      expect(await outcome(process.execPath, args, published.project)).toEqual({ code: 0, output: '' });
    },
  );

  it('is one copy of core for all', () => {
    const own = names.map(name => join(published.project, 'node_modules', name, 'node_modules', '@heddle', 'core'));
    expect(own.filter(folder => existsSync(folder))).toEqual([]);
  });

  it.each([
    // Declarations of our own are checked too, and those of what they name. Not for the kit: it names vitest's, and
    // those want more than a browser and Node have.
    { module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: false, of: imported },
    { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: false, of: imported },
    { module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: true, of: entries },
    { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true, of: entries },
  ])(
    'is type-checked with module $module, resolution $moduleResolution, skipLibCheck $skipLibCheck',
    { timeout: 3 * minutes },
    async ({ of, ...resolution }) => {
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        target: 'es2022',
        lib: ['es2023', 'dom'],
        types: ['node'],
        ...resolution,
      };
      const lines = of.map(
        (entry, i) => `import * as entry${i} from '${entry}';\nexport const used${i} = entry${i};\n`,
      );
      await writeFile(join(published.project, 'consumer.ts'), lines.join(''));
      const config = join(published.project, 'tsconfig.json');
      await writeFile(config, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
      const { code, output } = await outcome(process.execPath, [bin('typescript'), '-p', config], published.project);
      expect(output).toBe('');
      expect(code).toBe(0);
    },
  );

  it('can be held against the conformance kit', { timeout: 2 * minutes }, async () => {
    const code = `import { conformPlugin } from '@heddle/core/testing';\nimport plugin from '@heddle/text';\nconformPlugin(plugin);\n`;
    await writeFile(join(published.project, 'text.test.js'), code);
    const { code: exit, output } = await outcome(process.execPath, [bin('vitest'), 'run'], published.project);
    expect(exit, output).toBe(0);
  });

  it('gives the command heddle without engines and models, where npm was told to leave them out', async () => {
    const light = join(published.project, '..', 'light');
    await mkdir(join(light, 'node_modules', '@heddle'), { recursive: true });
    // As `npm install --omit=optional` leaves it: linked from the full project, but for what the manifest calls optional.
    const { dependencies = {} } = readManifest('plugins/cli');
    for (const name of ['@heddle/core', '@heddle/cli', ...Object.keys(dependencies)])
      await cp(join(published.project, 'node_modules', name), join(light, 'node_modules', name), { recursive: true });
    for (const name of ['tsyringe', 'tslib', '@abraham/reflection', 'picocolors'])
      await cp(join(published.project, 'node_modules', name), join(light, 'node_modules', name), { recursive: true });
    const heddle = (...args: readonly string[]) =>
      outcome(process.execPath, [join(light, 'node_modules', '@heddle', 'cli', 'bin', 'heddle.js'), ...args], light);
    expect(await heddle('--help')).toMatchObject({ code: 0 });
    const doctor = await heddle('doctor', '--json');
    expect(doctor.code, doctor.output).toBe(0);
    expect(doctor.output).toContain('"name":"reference"');
    expect(await heddle('train', '--out', 'x', '--text', 'y')).toMatchObject({
      code: 1,
      output: expect.stringContaining('npm install @heddle/text'),
    });
  });

  it('gives the command heddle', { timeout: minutes }, async () => {
    const command = join(published.project, 'node_modules', '.bin', 'heddle');
    const { code, output } = await outcome(command, ['--help'], published.project);
    expect(code, output).toBe(0);
  });
});

describe('a browser bundle', () => {
  it.each(browserEntries)('of %s needs nothing of Node', { timeout: minutes }, async entry => {
    const { metafile } = await bundle(`export * from '${entry}';`, ['onnxruntime-web']);
    const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    expect(outside.filter(path => path !== 'onnxruntime-web')).toEqual([]);
  });

  it('of all of core is under 50 kB gzipped', { timeout: minutes }, async () => {
    const { text } = await bundle(`export * from '@heddle/core';`);
    expect(gzipSync(text).length).toBeLessThan(50_000);
  });

  it('of one function of core leaves most of core out', { timeout: minutes }, async () => {
    const all = await bundle(`export * from '@heddle/core';`);
    const one = await bundle(`export { fail } from '@heddle/core';`);
    expect(one.text.length).toBeLessThan(all.text.length / 4);
  });

  it.each(browserEntries)('of %s takes from that package and core only', { timeout: minutes }, async entry => {
    const { metafile } = await bundle(`export * from '${entry}';`, ['onnxruntime-web']);
    const own = entry.split('/').slice(0, 2).join('/');
    const core = ['@abraham/reflection', '@heddle/core', 'rxjs', 'tslib', 'tsyringe'];
    // Kernels take the token of an engine's `/kernel` entry, which loads nothing of the engine.
    const others: Readonly<Record<string, readonly string[]>> = {
      '@heddle/backend-gpujs': ['gpu.js'],
      '@heddle/attention-emha': ['@heddle/backend-gpujs'],
      // Runs `tokenizer.json` through the library of its authors.
      '@heddle/text': ['@huggingface/tokenizers'],
      // Rewards measure how alike paths are by its BLEU.
      '@heddle/rl-grpo': ['@heddle/eval-text'],
      '@heddle/openai-client': ['eventsource-parser'],
      // Asks servers.
      '@heddle/eval-math/benchmark': ['@heddle/openai-client', 'eventsource-parser'],
    };
    expect(takenFrom(metafile).filter(name => ![own, ...core, ...(others[entry] ?? [])].includes(name))).toEqual([]);
  });
});

describe('the workspace', () => {
  it('has no unused file, export or dependency, says knip', { timeout: 3 * minutes }, async () => {
    const { code, output } = await outcome(process.execPath, [bin('knip'), '--no-progress', '--no-config-hints'], root);
    expect(code, output).toBe(0);
  });
});
