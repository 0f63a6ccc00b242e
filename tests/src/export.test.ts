/** An exported file is the graph: other programs open it and get the backend's numbers. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as ort from 'onnxruntime-node';
import {
  adamW,
  drawHoisted,
  evaluationStep,
  host,
  initialise,
  nextToken,
  sizeOf,
  stateTypes,
  trainStep,
  type Dtype,
  type Graph,
  type HostTensor,
} from '@heddle/core';
import { exportOnnx, openOnnx } from '@heddle/backend-onnx';
import { widest } from './support/compare.js';
import { counted, tinyDecoder } from './support/training.js';

type Tensors = Record<string, HostTensor>;

const names = { f32: 'float32', i32: 'int32', bool: 'bool' } as const;
const arrays = { f32: Float32Array, i32: Int32Array, bool: Uint8Array } as const;
const dtypeOf = (name: string): Dtype => (Object.keys(names) as Dtype[]).find(dtype => names[dtype] === name)!;

const model = tinyDecoder({ rate: 0.1 });
const { batch } = (await counted().next())!;
const batchTypes = Object.fromEntries(
  Object.entries(batch).map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
);
const optimizer = adamW();
const named = (prefix: string, tensors: Readonly<Record<string, HostTensor>>): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [`${prefix}.${name}`, t]));
const params = named('params', initialise(model, 11));
const state = Object.fromEntries(
  Object.entries(stateTypes({ model, optimizer })).map(([name, { shape }]) => [
    name,
    host(shape, new Float32Array(sizeOf(shape)).fill(0.01)),
  ]),
);
const scalars = Object.fromEntries(
  Object.entries(optimizer.scalars(3, 1e-2)).map(([name, x]) => [name, host([], [x])]),
);
const key = host([2], [99, 4], 'i32');

interface Exported {
  readonly graph: Graph;
  readonly feeds: Tensors;
  readonly constants?: Tensors;
}

const cases: Readonly<Record<string, Exported>> = {
  'a training step': {
    graph: trainStep({ model, objective: nextToken(), optimizer, batch: batchTypes, clip: 1 }),
    feeds: { ...params, ...named('state', state), ...named('scalars', scalars), ...named('batch', batch), key },
  },
  'a forward pass with its weights inside': {
    graph: evaluationStep({ model, objective: nextToken(), batch: batchTypes }),
    feeds: named('batch', batch),
    constants: params,
  },
};

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'heddle-export-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes the file; what to feed it by its own names, and the backend's results by ours. */
async function written(what: string, { graph, feeds, constants = {} }: Exported) {
  const file = exportOnnx(graph, { name: what, constants });
  const path = join(folder, `${what.replaceAll(' ', '-')}.onnx`);
  await writeFile(path, file.model);
  const hidden = Object.fromEntries(file.hidden.map(random => [random.name, drawHoisted(random, feeds[random.key]!)]));
  // A key serves only the random numbers, which the file takes as they are.
  const fed = Object.entries({ ...feeds, ...hidden }).filter(([name]) => name in file.inputNames);
  const backend = await openOnnx({ threads: 1 });
  const executable = await backend.compile(graph, { constants });
  const { outputs } = await executable.run(feeds);
  await executable.close();
  await backend.close();
  const inputs = Object.fromEntries(fed.map(([name, t]) => [file.inputNames[name]!, t]));
  const ours = (theirs: Tensors): Tensors =>
    Object.fromEntries(Object.entries(file.outputNames).map(([our, their]) => [our, theirs[their]!]));
  return { path, file, inputs, outputs, ours };
}

describe.each(Object.entries(cases))('%s, exported', (what, exported) => {
  it('gives the same numbers in onnxruntime-node alone', async () => {
    const { path, file, inputs, outputs, ours } = await written(what, exported);
    const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    // The key of the random numbers is an input of the file too, though nothing reads it.
    const wanted = Object.fromEntries(session.inputNames.map(name => [name, inputs[name]!]));
    const results = await session.run(
      Object.fromEntries(
        Object.entries(wanted).map(([name, { dtype, shape, data }]) => [
          name,
          new ort.Tensor(names[dtype], data as Float32Array, [...shape]),
        ]),
      ),
    );
    const theirs = Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        { dtype: dtypeOf(type), shape: dims, data: data as Float32Array },
      ]),
    );
    await session.release();
    expect(Object.keys(outputs).sort()).toEqual(Object.keys(file.outputNames).sort());
    expect(Object.keys(outputs).length).toBeGreaterThan(1);
    const worst = widest(outputs, ours(theirs));
    expect(worst.gap, worst.name).toBeLessThan(1e-6);
    if (what === 'a training step') expect(file.hidden.length).toBeGreaterThan(0);
  });

  const python = process.env['HEDDLE_TEST_PYTHON'];
  const reason =
    python === undefined
      ? 'HEDDLE_TEST_PYTHON names no Python with onnxruntime'
      : existsSync(python)
        ? null
        : `${python} does not exist`;
  if (reason !== null) console.warn(`skipped: ${what} in Python: ${reason}`);
  it.skipIf(reason !== null)(
    `gives the same numbers in Python${reason === null ? '' : ` (skipped: ${reason})`}`,
    async () => {
      const { path, inputs, outputs, ours } = await written(what, exported);
      const said = Object.fromEntries(
        Object.entries(inputs).map(([name, { dtype, shape, data }]) => [
          name,
          {
            dtype: names[dtype],
            shape,
            data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
          },
        ]),
      );
      const script = fileURLToPath(new URL('../python/run.py', import.meta.url));
      const { status, stdout, stderr } = spawnSync(python!, [script, path], {
        input: JSON.stringify(said),
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      expect(status, stderr).toBe(0);
      console.info(`${what}: ${stderr.trim()}`);
      const answered = JSON.parse(stdout) as Readonly<Record<string, { dtype: string; shape: number[]; data: string }>>;
      const theirs = Object.fromEntries(
        Object.entries(answered).map(([name, { dtype, shape, data }]) => {
          const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
          return [name, { dtype: dtypeOf(dtype), shape, data: new arrays[dtypeOf(dtype)](bytes.buffer) }];
        }),
      );
      const worst = widest(outputs, ours(theirs));
      expect(worst.gap, worst.name).toBeLessThan(1e-6);
    },
  );
});
