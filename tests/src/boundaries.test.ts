import { describe, expect, it } from 'vitest';
import { exceptions, unused, violations, type Package } from './boundaries.js';
import { folders, publicFolders, readPackage } from './workspace.js';

describe('this workspace', () => {
  const all = folders.map(readPackage);

  it('keeps every import rule', () => {
    expect(violations(all)).toEqual([]);
  });

  it('needs every exception it lists', () => {
    expect(unused(all.find(item => item.kind === 'core')!)).toEqual([]);
  });

  it('tags every package with a kind that the rules know', () => {
    const kinds = [
      'core',
      'research',
      'backend',
      'plugin',
      'tracker',
      'executor',
      'cli',
      'tests',
      'benchmarks',
      'examples',
    ];
    expect(all.filter(({ kind }) => !kinds.includes(kind)).map(({ folder }) => folder)).toEqual([]);
    for (const { folder, kind } of all) {
      if (folder.startsWith('packages/')) expect([folder, ['core', 'research'].includes(kind)]).toEqual([folder, true]);
    }
  });

  it('has core as a peer of every other published package', () => {
    for (const folder of publicFolders.filter(folder => folder !== 'packages/core')) {
      expect([folder, readPackage(folder).dependencies]).toEqual([folder, expect.arrayContaining(['@heddle/core'])]);
    }
  });
});

describe('a forbidden import is caught', () => {
  const core = {
    name: '@heddle/core',
    folder: 'packages/core',
    kind: 'core',
    dependencies: ['rxjs', 'tsyringe', 'vitest'],
    devDependencies: [],
    entries: ['.', './testing'],
    files: new Map(),
  } satisfies Package;
  const other = (kind: string, name: string, entries = ['.']): Package => ({
    ...core,
    name: `@heddle/${name}`,
    folder: `${kind === 'research' ? 'packages' : 'plugins'}/${name}`,
    kind,
    entries,
    dependencies: ['@heddle/core', '@heddle/beside', '@heddle/onnx', 'rxjs', 'tsyringe'],
    files: new Map(),
  });
  const beside = other('research', 'beside');
  const onnx = other('backend', 'onnx', ['.', './kernel', './web']);

  const check = (
    from: Package,
    file: string,
    text: string,
    more: readonly [string, string][] = [],
  ): readonly string[] => violations([{ ...from, files: new Map([[file, text], ...more]) }, core, beside, onnx]);

  it.each<[string, Package, string, string, string]>([
    [
      'tsyringe outside the container',
      core,
      'src/plugin/host.ts',
      `import { container } from 'tsyringe';`,
      'only packages/core/src/plugin/container.ts imports tsyringe',
    ],
    [
      'rxjs in the wrong folder of core',
      core,
      'src/tensor/a.ts',
      `import type { Observable } from 'rxjs';`,
      'in core only train, pipeline, plugin import rxjs',
    ],
    [
      'rxjs in a backend',
      onnx,
      'src/a.ts',
      `export * from 'rxjs/operators';`,
      'a backend package does not import rxjs',
    ],
    [
      'node: in core',
      core,
      'src/io/a.ts',
      `const fs = await import('node:fs');`,
      'node: modules are imported in files named',
    ],
    [
      'node: in a research package',
      beside,
      'src/a.ts',
      `import 'node:fs';`,
      'node: modules are imported in files named',
    ],
    [
      'an arrow the wrong way',
      core,
      'src/ir/a.ts',
      `import { fit } from '../train/loop.js';`,
      'ir may import errors, random, types of tensor, not train',
    ],
    [
      'a value where only types may go',
      core,
      'src/plugin/a.ts',
      `import { Tensor } from '../tensor/tensor.js';`,
      'not tensor',
    ],
    ['a re-export the wrong way', core, 'src/random/a.ts', `export type { A } from '../model/model.js';`, 'not model'],
    [
      'another package in core',
      { ...core, dependencies: ['@heddle/beside'] },
      'src/ir/a.ts',
      `import '@heddle/beside';`,
      'core knows no other package',
    ],
    ['a folder of core nobody ordered', core, 'src/util/a.ts', `import '../errors.js';`, `core has no folder 'util'`],
    [
      'a research package in another',
      other('research', 'mine'),
      'src/a.ts',
      `import { b } from '@heddle/beside';`,
      'research packages meet by name',
    ],
    [
      'a whole backend in a research package',
      beside,
      'src/a.ts',
      `type A = import('@heddle/onnx').A;`,
      'import @heddle/onnx/kernel',
    ],
    [
      'a plugin in a plugin',
      other('plugin', 'mine'),
      'src/a.ts',
      `import '@heddle/beside';`,
      'a plugin package imports core only',
    ],
    ['the kit outside tests', beside, 'src/a.ts', `import '@heddle/core/testing';`, 'the conformance kit is for tests'],
    [
      'a way around the exports map',
      beside,
      'src/a.ts',
      `import '@heddle/core/dist/ir/graph.js';`,
      `@heddle/core has no entry './dist/ir/graph.js'`,
    ],
    [
      'another package by path',
      beside,
      'src/a.ts',
      `import '../../core/src/errors.js';`,
      'a relative import stays in its package',
    ],
    [
      'what package.json does not declare',
      beside,
      'src/a.ts',
      `const chalk = require('chalk');`,
      'packages/beside/package.json does not declare chalk',
    ],
  ])('%s', (_, from, file, text, rule) => {
    const found = check(from, file, text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${from.folder}/${file}:1 imports '`);
    expect(found[0]).toContain(rule);
  });

  it('node: in a file that the browser entry of a backend loads', () => {
    const files: [string, string][] = [['src/web.ts', `import './shared.js';`]];
    expect(check(onnx, 'src/shared.ts', `import 'node:fs';`, files)[0]).toContain('the entry ./web loads this file');
    expect(check(onnx, 'src/session.ts', `import 'node:fs';`, files)).toEqual([]);
  });

  it.each<[string, Package, string, string]>([
    ['tsyringe in the container', core, 'src/plugin/container.ts', `import 'tsyringe';`],
    ['node: in a marked file', core, 'src/io/atomic.node.ts', `import 'node:fs';`],
    ['node: in a test', core, 'src/io/a.test.ts', `import 'node:fs';`],
    [
      'types that a plugin registers',
      core,
      'src/plugin/points.ts',
      `import { type Tensor } from '../tensor/tensor.js';`,
    ],
    ['a kernel entry', beside, 'src/a.ts', `import '@heddle/onnx/kernel';`],
    ['the kit in a test', beside, 'src/a.test.ts', `import '@heddle/core/testing';`],
    ['what only looks like an import', core, 'src/ir/a.ts', `const text = "import 'tsyringe'"; // import 'rxjs'`],
  ])('and %s is not', (_, from, file, text) => {
    expect(check(from, file, text)).toEqual([]);
  });

  it('each exception says why', () => {
    for (const { reason } of exceptions) expect(reason.length).toBeGreaterThan(10);
  });
});
