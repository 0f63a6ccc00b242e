/** An adapter out of two models: what distinguishes a fine-tuned one from its base, as factors of low rank. */

import { join } from 'node:path';
import { fail } from '@heddle/core';
import { narrow, writeSafetensors, type TensorBytes } from '@heddle/core/files';
import { atomicFolder, fileSink } from '@heddle/core/node';
import { isTokenTable } from '../checkpoint/names.js';
import { openCheckpoint, type Checkpoint } from '../checkpoint/open.node.js';
import { isFloat } from '../checkpoint/view.js';
import { factors, product, relativeDistance } from '../linear-algebra/svd.js';
import { rowsOf } from '../plan/plan.js';
import { configOf } from './adapters.node.js';
import { converter } from './convert.js';
import type { MergeProgress } from './merge.node.js';
import { openFiles, readerOf, readInto } from './reader.node.js';
import { writeJson } from './result.node.js';

export interface ExtractOptions {
  readonly base: string;
  readonly model: string;
  readonly out: string;
  readonly from: string;
  readonly models?: readonly string[];
  /** At most; default 32. */
  readonly rank?: number;
  /** Leave out singular values up to this; default 0. */
  readonly least?: number;
  /** Parts of the names of tensors to be taken, or left out. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MergeProgress) => void;
}

export interface ExtractReport {
  readonly out: string;
  readonly modules: readonly { readonly path: string; readonly rank: number; readonly lost: number }[];
  /** Saved whole: tables of tokens, vectors. */
  readonly saved: readonly string[];
  readonly unchanged: number;
}

/** @throws E_MODEL, E_MERGE_SHAPE, E_EXISTS */
export async function extractAdapter(options: ExtractOptions): Promise<ExtractReport> {
  const { out, rank = 32, least = 0, include = [], exclude = [] } = options;
  const places = { from: options.from, models: options.models ?? [] };
  const opened: Checkpoint[] = [];
  const files = openFiles();
  const convert = converter();
  try {
    const base = await openCheckpoint(options.base, places);
    opened.push(base);
    const model = await openCheckpoint(options.model, places);
    opened.push(model);
    const tensors: TensorBytes[] = [];
    const modules: { path: string; rank: number; lost: number }[] = [];
    const saved: string[] = [];
    let [unchanged, done] = [0, 0];
    const names = [...model.view.tensors.values()].filter(
      ({ name, dtype }) => isFloat(dtype) && name.endsWith('.weight'),
    );
    const wanted = names.filter(({ name }) => (include.length === 0 || include.some(part => name.includes(part))) && !exclude.some(part => name.includes(part))); // prettier-ignore
    for (const { name, shape, source } of wanted) {
      if (options.signal?.aborted)
        fail('E_CANCELLED', `${out}: expected to be written, received a request to stop. Run the same command again.`, {
          out,
        });
      await new Promise(resolve => setImmediate(resolve));
      options.onProgress?.({ stage: 'merging', name, done: ++done, total: wanted.length, resumed: 0 });
      const before = base.view.tensors.get(name);
      if (before === undefined) fail('E_MERGE_SHAPE', `tensor '${name}': expected it in ${base.title}, received none. Name the model that ${model.title} was trained from.`, { name }); // prettier-ignore
      if (before.shape.join() !== shape.join()) fail('E_MERGE_SHAPE', `tensor '${name}': expected [${before.shape.join(', ')}] as in ${base.title}, received [${shape.join(', ')}]. Name the model that it was trained from, or leave it out with --exclude.`, { name }); // prettier-ignore
      const { elements } = rowsOf(shape);
      const read = (one: typeof source): Float32Array => {
        const array = new Float32Array(elements);
        readInto(readerOf(one, { files, converter: convert, hold: false, ahead: 0, to: Infinity }), 0, elements, array);
        return array;
      };
      const whole = read(source);
      const difference = read(before.source).map((x, i) => whole[i]! - x);
      if (difference.every(x => x === 0)) {
        unchanged++;
        continue;
      }
      const path = name.replace(/\.weight$/, '');
      if (shape.length !== 2 || isTokenTable(name)) {
        saved.push(path);
        tensors.push({ name: `base_model.model.${name}`, dtype: 'F32', shape, bytes: narrow(whole, 'F32', name) });
        continue;
      }
      const [rows, columns] = shape as [number, number];
      const pair = factors({ rows, columns, data: difference }, rank);
      const own = Math.max(1, pair.values.filter(value => value > Math.max(least, 1e-7 * pair.values[0]!)).length);
      const width = pair.values.length;
      const b = Float32Array.from({ length: rows * own }, (_, i) => pair.b[Math.floor(i / own) * width + (i % own)]!);
      const a = pair.a.slice(0, own * columns);
      modules.push({ path, rank: own, lost: relativeDistance(difference, product(b, a, rows, columns)) });
      tensors.push({
        name: `base_model.model.${path}.lora_A.weight`,
        dtype: 'F32',
        shape: [own, columns],
        bytes: narrow(a, 'F32', name),
      });
      tensors.push({
        name: `base_model.model.${path}.lora_B.weight`,
        dtype: 'F32',
        shape: [rows, own],
        bytes: narrow(b, 'F32', name),
      });
    }
    if (tensors.length === 0)
      fail(
        'E_MERGE',
        `${out}: expected tensors that differ, received none. Check that ${model.title} was trained from ${base.title}.`,
        {},
      );
    const config = {
      ...configOf(model, new Map(modules.map(one => [one.path, one.rank])), saved),
      base_model_name_or_path: base.path,
    };
    await atomicFolder(
      out,
      async folder => {
        await writeSafetensors(await fileSink(join(folder, 'adapter_model.safetensors')), tensors, { format: 'pt' });
        await writeJson(join(folder, 'adapter_config.json'), config);
      },
      { replace: options.replace ?? false },
    );
    return { out, modules, saved, unchanged };
  } finally {
    files.close();
    await Promise.all(opened.map(one => one.close()));
  }
}
