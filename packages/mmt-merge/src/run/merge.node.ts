/** Running a merge: units over threads, a manifest of what is finished, a look back at what was written. */

import { promises as fs } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fail, hashJson } from '@heddle/core';
import { byteSize, planShards, safetensorsLayout, shardIndexText } from '@heddle/core/files';
import { openTensors } from '@heddle/core/node';
import { jsonAt, openCheckpoint, type Checkpoint } from '../checkpoint/open.node.js';
import { planMerge, rowsOf, type MergePlan, type TensorPlan } from '../plan/plan.js';
import { filesOf } from '../plan/source.js';
import { factorMethods } from '../methods/by-factor.js';
import { methods as ownMethods } from '../methods/index.js';
import type { Recipe } from '../recipe/recipe.js';
import { version } from '../version.js';
import {
  configOfFactors,
  distanceOfFactors,
  factorNotice,
  mergeAdapters,
  planOfAdapters,
  type AdapterDistances,
} from './adapters.node.js';
import { engineNotices, openEnginePool, type MergeEngine } from './engine.node.js';
import { openCrew, openHere, type Crew, type Pool } from './pool.node.js';
import { prepare, type PrepareOptions, type Prepared, type Step } from './prepare.node.js';
import { digestOf, headerDigest, modelCard, writeBeside, writeJson, type FileDigest } from './result.node.js';
import { writeRouting } from './routing.node.js';
import { needsWhole, type Unit, type UnitSettings } from './unit.node.js';
import {
  openWorkFolder,
  putInPlace,
  refuseOccupied,
  syncFolder,
  workPath,
  type Finished,
  type WorkFolder,
} from './work-folder.node.js';

export interface MergeOptions extends PrepareOptions {
  /** The folder of the result. */
  readonly out: string;
  /** Threads; 0 works in the calling thread. Default: 2. An engine has its own. */
  readonly threads?: number;
  /**
   * Does the arithmetic instead of this processor's loops; what it cannot hold is left to those, with a notice. Of
   * differences of adapters it takes weighted sums.
   */
  readonly engine?: MergeEngine | undefined;
  /** Bytes of inputs that all threads together keep in memory for methods of several passes. Default 256 MB. */
  readonly memory?: number;
  /** Bytes of tensors per file. Default 5 GB. */
  readonly shardBytes?: number;
  readonly replace?: boolean;
  /** Begin anew instead of going on with what was begun. */
  readonly restart?: boolean;
  /** Write NaN and infinities instead of refusing. */
  readonly allowNotFinite?: boolean;
  /** Read the result again and compare hashes. Default true. */
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MergeProgress) => void;
}

export interface MergeProgress {
  readonly stage: 'merging' | 'verifying' | 'finished';
  /** The result that is being made. */
  readonly name: string;
  /** Bytes written, or read again. */
  readonly done: number;
  readonly total: number;
  /** Of `done`, what an earlier run had written. */
  readonly resumed: number;
}

export interface MergeReport {
  readonly out: string;
  readonly method: string;
  readonly tensors: number;
  readonly bytes: { readonly read: number; readonly written: number; readonly resumed: number };
  readonly seconds: number;
  readonly notFinite: number;
  readonly verified: boolean;
  readonly files: readonly FileDigest[];
  readonly notices: MergePlan['notices'];
  /** Of merged adapters. */
  readonly distances?: AdapterDistances;
}

const defaultMemory = 256_000_000;
/** Bytes of output in one unit of a tensor that can be cut: what is lost by a kill, at most, in each thread. */
const unitBytes = 32 << 20;

/**
 * Merges as a recipe says.
 *
 * The result appears in one step, when all of it is written and was read back; until then it grows in a hidden folder beside
 * it. The same call goes on where one that was interrupted stopped. Inputs are only read.
 *
 * @param recipe the path of a YAML file, or a recipe as a value
 * @returns one report for each result: groups give several
 * @throws E_RECIPE, E_MODEL, E_MERGE, E_MERGE_SHAPE, E_TOKENIZER, E_ADAPTER before anything is written; E_EXISTS, E_BUSY,
 *   E_RESUME; E_DISK_FULL, E_IO, E_NOT_FINITE, E_CANCELLED, after which the same call goes on
 */
export async function mergeModels(recipe: string | Recipe, options: MergeOptions): Promise<readonly MergeReport[]> {
  const prepared = await prepare(recipe, options);
  try {
    return await runSteps(prepared, options);
  } finally {
    await prepared.close();
  }
}

async function runSteps(prepared: Prepared, options: MergeOptions): Promise<readonly MergeReport[]> {
  const out = resolve(options.out);
  const between = join(dirname(out), `.${basename(out)}.documents`);
  const grouped = prepared.steps.find(({ group }) => group !== null);
  // Groups are made one by one inside of the folder that becomes the result when all are there.
  if (grouped !== undefined) await refuseOccupied(out, options.replace ?? false);
  const inside = grouped === undefined ? out : workPath(out);
  const named = new Map<string, string>();
  const crew = openCrew();
  const reports: MergeReport[] = [];
  try {
    for (const step of prepared.steps) {
      const part = step.document !== null || step.group !== null;
      const place =
        step.document !== null ? join(between, step.document) : step.group === null ? out : join(inside, step.group);
      const opened = await withNamed(step, prepared, named, options);
      try {
        const report = await runStep(opened.step, opened.checkpoints, place, options, part, prepared.from, crew);
        if (step.document === null) reports.push({ ...report, out: step.group === null ? out : join(out, step.group) });
      } finally {
        await opened.close();
      }
      if (step.document !== null) named.set(step.document, place);
    }
  } finally {
    await crew.close();
  }
  if (grouped !== undefined) {
    await writeRouting(inside, prepared.document);
    await fs.writeFile(join(inside, 'recipe.yml'), grouped.text);
    await syncAll(inside);
    await putInPlace(inside, out);
  }
  await fs.rm(between, { recursive: true, force: true });
  return reports;
}

/** A step that names earlier results is planned again, now that they exist. */
async function withNamed(
  step: Step,
  prepared: Prepared,
  named: ReadonlyMap<string, string>,
  options: MergeOptions,
): Promise<{ readonly step: Step; readonly checkpoints: ReadonlyMap<string, Checkpoint>; close(): Promise<void> }> {
  const own = step.titles.filter(title => named.has(title));
  if (own.length === 0) return { step, checkpoints: prepared.checkpoints, close: async () => {} };
  const opened = new Map<string, Checkpoint>();
  for (const title of own)
    opened.set(title, await openCheckpoint(title, { from: prepared.from, models: options.models ?? [], named }));
  const checkpoints = new Map([...prepared.checkpoints, ...opened]);
  const models = new Map(
    step.titles.map(title => {
      const { view, vocabulary, config } = checkpoints.get(title)!;
      const size = config?.['vocab_size'];
      return [title, { title, view, vocabulary, vocabularySize: typeof size === 'number' ? size : null }] as const;
    }),
  );
  const plan = planMerge({ recipe: step.recipe, at: step.at, models, methods: prepared.methods });
  return {
    step: { ...step, plan },
    checkpoints,
    close: async () => void (await Promise.all([...opened.values()].map(one => one.close()))),
  };
}

/** @param part of a larger result: one that an earlier run finished is taken as it is, and another one replaced */
async function runStep(
  step: Step,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  out: string,
  options: MergeOptions,
  part: boolean,
  from: string,
  crew: Crew,
): Promise<MergeReport> {
  const byFactors = step.kind === 'adapter' && step.recipe.adapters?.mode === 'factors';
  if (step.kind === 'adapter' && !byFactors) return mergeAdapters(step, checkpoints, out, options, part);
  const methods = [...(options.methods ?? ownMethods), ...Object.values(factorMethods)];
  const { engine } = options;
  const planned = step.plan ?? planOfAdapters(step, checkpoints, options.methods);
  const factorWise = byFactors ? distanceOfFactors(step, checkpoints, options.methods) : null;
  const plan = {
    ...planned,
    notices: [
      ...planned.notices,
      ...(engine ? engineNotices(engine, planned, tensor => cut(tensor, methods)) : []),
      ...(factorWise ? [factorNotice(factorWise)] : []),
    ],
  };
  const started = performance.now();
  await refuseInputs(out, plan, checkpoints);
  const settings: UnitSettings = {
    accumulate: plan.accumulate,
    read: plan.read,
    seed: plan.seed,
    sources: plan.sources,
    memory: Math.floor((options.memory ?? defaultMemory) / Math.max(1, options.threads ?? 2)),
    allowNotFinite: options.allowNotFinite ?? false,
  };
  const layout = byFactors
    ? layoutOf(plan, Number.MAX_SAFE_INTEGER, 'adapter_model')
    : layoutOf(plan, options.shardBytes);
  const key = await keyOf(plan, settings, layout, step.text, engine?.backend.name ?? null);
  if (part) {
    const before = await finishedReport(out, key);
    if (before !== null) return before;
  }
  const work = await openWorkFolder(out, key, {
    replace: (options.replace ?? false) || part,
    restart: options.restart ?? false,
  });
  let done = false;
  try {
    const pool = await openPool(plan, methods, settings, options, crew);
    try {
      const result = await fill(work, plan, layout, pool, methods, options, out);
      const files = layout.map(({ file, size }) => ({ name: file, bytes: size, digest: digestOf(result.ranges.filter(range => range.file === file).map(({ sha256 }) => sha256)) })); // prettier-ignore
      const inputs = plan.sources.filter(title => checkpoints.has(title)).map(title => ({ title, digest: headerDigest(checkpoints.get(title)!) })); // prettier-ignore
      if (layout.length > 1)
        await fs.writeFile(
          join(work.path, 'model.safetensors.index.json'),
          shardIndexText(layout.map(({ file, specs }) => ({ file, specs }))),
        );
      if (byFactors) {
        await writeJson(join(work.path, 'adapter_config.json'), configOfFactors(plan, checkpoints));
        await fs.writeFile(join(work.path, 'recipe.yml'), step.text);
      } else await writeBeside(work.path, step, plan, checkpoints);
      await fs.writeFile(join(work.path, 'README.md'), modelCard(step, plan, files, inputs));
      if (options.verify ?? true)
        await verifyWork(work.path, byFactors ? layout[0]!.file : '', plan, result.ranges, pool, options, out);
      const report: MergeReport = {
        out,
        method: plan.method,
        tensors: plan.tensors.length,
        bytes: { read: result.read, written: result.written, resumed: result.resumed },
        seconds: (performance.now() - started) / 1000,
        notFinite: result.notFinite,
        verified: options.verify ?? true,
        files,
        notices: plan.notices,
        ...(byFactors ? { distances: { factorWise, truncation: { mean: 0, worst: 0 } } } : {}),
      };
      await writeJson(
        join(work.path, 'merge.json'),
        recordOf(step, plan, settings, files, inputs, result.ranges, checkpoints, key, from),
      );
      await syncAll(work.path);
      await work.finish();
      done = true;
      const total = plan.bytes.written;
      options.onProgress?.({ stage: 'finished', name: basename(out), done: total, total, resumed: result.resumed });
      return report;
    } finally {
      await pool.close();
    }
  } finally {
    if (!done) await work.release();
  }
}

/** Methods of others live in this thread only. */
async function openPool(
  plan: MergePlan,
  methods: MergeOptions['methods'] & {},
  settings: UnitSettings,
  { engine, threads = 2 }: MergeOptions,
  crew: Crew,
): Promise<Pool> {
  if (engine !== undefined) return openEnginePool(engine, methods, settings);
  const foreign =
    !ownMethods.some(own => own.name === plan.method && methods.includes(own)) &&
    plan.tensors.some(({ copy }) => !copy);
  return threads === 0 || foreign ? openHere(methods, settings) : crew.pool(threads, settings);
}

interface FileLayout {
  readonly file: string;
  readonly specs: readonly TensorPlan[];
  readonly header: Uint8Array;
  readonly size: number;
  readonly entries: readonly { readonly tensor: TensorPlan; readonly at: number }[];
}

function layoutOf(plan: MergePlan, shardBytes = 5_000_000_000, stem = 'model'): readonly FileLayout[] {
  const byName = new Map(plan.tensors.map(tensor => [tensor.name, tensor]));
  const shards = planShards(plan.tensors, shardBytes, stem);
  return shards.map(({ file, specs }) => {
    const name = shards.length === 1 ? `${stem}.safetensors` : file;
    const { header, entries, size } = safetensorsLayout(specs, { format: 'pt' }, name);
    return {
      file: name,
      specs: specs.map(spec => byName.get(spec.name)!),
      header,
      size,
      entries: entries.map(entry => ({ tensor: byName.get(entry.name)!, at: entry.byteRange[0] })),
    };
  });
}

/** Everything that decides the bytes of the result; inputs count by size and time of change. */
async function keyOf(
  plan: MergePlan,
  { accumulate, read, seed }: UnitSettings,
  layout: readonly FileLayout[],
  text: string,
  engine: string | null,
): Promise<string> {
  const inputs = [...new Set(plan.tensors.flatMap(({ models, base }) => [...models, ...(base ? [base] : [])].flatMap(({ source }) => filesOf(source))))].sort(); // prettier-ignore
  const stats = await Promise.all(
    inputs.map(async path => [path, ...(await fs.stat(path).then(({ size, mtimeMs }) => [size, mtimeMs]))]),
  );
  return hashJson(JSON.parse(JSON.stringify({ version, text, engine, tensors: plan.tensors, accumulate, read, seed, files: layout.map(({ file, size }) => [file, size]), stats }))); // prettier-ignore
}

interface Filled {
  readonly ranges: readonly (Finished & { readonly tensor: string })[];
  readonly read: number;
  readonly written: number;
  readonly resumed: number;
  readonly notFinite: number;
}

async function fill(
  work: WorkFolder,
  plan: MergePlan,
  layout: readonly FileLayout[],
  pool: Pool,
  methods: MergeOptions['methods'] & {},
  options: MergeOptions,
  out: string,
): Promise<Filled> {
  const units: (Unit & { readonly name: string; readonly bytes: number })[] = [];
  for (const { file, entries } of layout)
    for (const { tensor, at } of entries)
      for (const [from, to] of cut(tensor, methods)) {
        const size = byteSize[tensor.dtype];
        units.push({
          id: units.length,
          tensor,
          from,
          to,
          file: join(work.path, file),
          name: file,
          at: at + from * size,
          bytes: (to - from) * size,
        });
      }
  const total = units.reduce((n, { bytes }) => n + bytes, 0);
  const place = (file: string, at: number): string => `${file} ${at}`;
  const known = new Map(work.finished.map(one => [place(one.file, one.at), one]));
  const hashes = new Map<number, Pick<Finished, 'sha256' | 'crc32'>>();
  let [read, written, resumed, notFinite, done] = [0, 0, 0, 0, 0];
  const tell = (): void => options.onProgress?.({ stage: 'merging', name: basename(out), done, total, resumed });

  await checkSpace(
    work.path,
    total - units.reduce((n, unit) => n + (known.has(place(unit.name, unit.at)) ? unit.bytes : 0), 0),
  );
  for (const { file, header, size } of layout) await openOutput(join(work.path, file), header, size);
  tell();
  await each(units, pool.size, options.signal, out, async unit => {
    const before = known.get(place(unit.name, unit.at));
    if (before !== undefined && before.bytes === unit.bytes) {
      // What a manifest says is believed when the bytes are there: a crash may have lost what was never forced to the disk.
      const reply = await pool.ask({ kind: 'hash', range: { file: unit.file, at: unit.at, bytes: unit.bytes } });
      if (reply.kind === 'hash' && reply.sha256 === before.sha256) {
        hashes.set(unit.id, { sha256: before.sha256, crc32: before.crc32 });
        resumed += unit.bytes;
        done += unit.bytes;
        tell();
        return;
      }
    }
    const { id, tensor, from, to, file, at } = unit;
    const reply = await pool.ask({ kind: 'unit', unit: { id, tensor, from, to, file, at } });
    if (reply.kind !== 'unit') return;
    const { result } = reply;
    work.note({ file: unit.name, at: unit.at, bytes: unit.bytes, sha256: result.sha256, crc32: result.crc32 });
    hashes.set(unit.id, { sha256: result.sha256, crc32: result.crc32 });
    read += result.read;
    written += result.written;
    notFinite += result.notFinite;
    done += unit.bytes;
    tell();
  });
  const ranges = units.map(unit => ({
    tensor: unit.tensor.name,
    file: unit.name,
    at: unit.at,
    bytes: unit.bytes,
    ...hashes.get(unit.id)!,
  }));
  return { ranges, read, written, resumed, notFinite };
}

/** Whole rows, some megabytes at a time; a whole tensor where something must be known of all of it. */
function cut(tensor: TensorPlan, methods: MergeOptions['methods'] & {}): readonly (readonly [number, number])[] {
  const { elements, columns } = rowsOf(tensor.shape);
  if (elements === 0) return [];
  const method = methods.find(({ name }) => name === tensor.method);
  if (method?.stream === undefined ? !tensor.copy : needsWhole(method, tensor)) return [[0, elements]];
  const size = Math.max(1, Math.floor(unitBytes / byteSize[tensor.dtype] / columns)) * columns;
  return Array.from({ length: Math.ceil(elements / size) }, (_, i) => [i * size, Math.min(elements, (i + 1) * size)]);
}

/** As many at once as there are threads; the first failure ends it when those under way are done. */
async function each<T>(
  items: readonly T[],
  width: number,
  signal: AbortSignal | undefined,
  out: string,
  act: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    while (next < items.length && failures.length === 0 && !signal?.aborted) {
      const item = items[next++]!;
      await act(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  if (failures.length > 0) throw failures[0];
  if (signal?.aborted)
    fail(
      'E_CANCELLED',
      `${out}: expected to be merged, received a request to stop. Run the same command again: it goes on where it stopped.`,
      { out },
    );
}

async function openOutput(path: string, header: Uint8Array, size: number): Promise<void> {
  const handle = await fs.open(path, (await isThere(path)) ? 'r+' : 'wx+');
  try {
    await handle.truncate(size);
    await handle.write(header, 0, header.length, 0);
  } finally {
    await handle.close();
  }
}

async function checkSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await fs.statfs(folder);
  // Files of an earlier run are sparse where nothing was written yet, so all that is missing counts.
  if (bavail * bsize < needed + 1_000_000)
    fail('E_DISK_FULL', `${folder}: expected ${needed} free bytes for the result, received ${bavail * bsize}. Free some space, or name another --out.`, { needed, free: bavail * bsize }); // prettier-ignore
}

/**
 * Opens the result like anybody would, compares its header with the plan and its bytes with their hashes.
 *
 * @param single the file that is opened; empty for what the folder's names say
 */
async function verifyWork(
  folder: string,
  single: string,
  plan: MergePlan,
  ranges: Filled['ranges'],
  pool: Pool,
  options: MergeOptions,
  out: string,
): Promise<void> {
  const file = await openTensors(join(folder, single));
  try {
    for (const { name, dtype, shape } of plan.tensors) {
      const entry = file.entry(name);
      if (entry.dtype !== dtype || entry.shape.join() !== shape.join())
        fail('E_VERIFY', `${out}: expected '${name}' as ${dtype} [${shape.join(', ')}], received ${entry.dtype} [${entry.shape.join(', ')}]. Run the merge again with --restart.`, { name }); // prettier-ignore
    }
    if (file.entries.length !== plan.tensors.length)
      fail(
        'E_VERIFY',
        `${out}: expected ${plan.tensors.length} tensors, received ${file.entries.length}. Run the merge again with --restart.`,
        {},
      );
  } finally {
    await file.close();
  }
  let done = 0;
  await each(ranges, pool.size, options.signal, out, async range => {
    const reply = await pool.ask({
      kind: 'checksum',
      range: { file: join(folder, range.file), at: range.at, bytes: range.bytes },
    });
    if (reply.kind !== 'checksum' || reply.crc32 !== range.crc32)
      fail('E_VERIFY', `${out}: expected the bytes of '${range.tensor}' that were written, received others. Check the disk, then run the merge again with --restart.`, { tensor: range.tensor }); // prettier-ignore
    done += range.bytes;
    options.onProgress?.({ stage: 'verifying', name: basename(out), done, total: plan.bytes.written, resumed: 0 });
  });
}

/** How the result came to be: for people, for `heddle merge explain`, and for making it again. */
const recordOf = (
  step: Step,
  plan: MergePlan,
  { accumulate, read, seed }: UnitSettings,
  files: readonly FileDigest[],
  inputs: readonly { readonly title: string; readonly digest: string }[],
  ranges: Filled['ranges'],
  checkpoints: ReadonlyMap<string, Checkpoint>,
  key: string,
  from: string,
): unknown => ({
  format: 'heddle-merge-1',
  key,
  package: `@heddle/mmt-merge ${version}`,
  recipe: step.recipe,
  method: plan.method,
  accumulate,
  read,
  seed,
  base: plan.base,
  from,
  inputs: inputs.map(input => ({ ...input, path: checkpoints.get(input.title)!.path })),
  files,
  notices: plan.notices,
  tensors: plan.tensors.map(({ name, method, copy, options, each: values, models, base }) => ({
    name,
    method: copy ? 'copy' : method,
    ...(copy ? {} : { options, each: values }),
    models: models.map(({ model }) => plan.sources[model]),
    ...(base === null ? {} : { base: plan.sources[base.model] }),
  })),
  ranges,
});

async function syncAll(folder: string): Promise<void> {
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const handle = await fs.open(join(folder, entry.name), process.platform === 'win32' ? 'r+' : 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  await syncFolder(folder);
}

/** A result that would take the place of an input, or stand inside of one. */
async function refuseInputs(out: string, plan: MergePlan, checkpoints: ReadonlyMap<string, Checkpoint>): Promise<void> {
  const real = async (path: string): Promise<string> => fs.realpath(path).catch(() => resolve(path));
  const target = await real(out);
  for (const title of plan.sources.filter(one => checkpoints.has(one))) {
    const checkpoint = checkpoints.get(title)!;
    const input = await real(checkpoint.path);
    const inside = target === input || target.startsWith(`${input}/`) || input.startsWith(`${target}/`);
    if (inside)
      fail(
        'E_EXISTS',
        `${out}: expected a folder apart from the inputs, received that of ${title}. Name another --out.`,
        { out, title },
      );
  }
}

const isThere = async (path: string): Promise<boolean> => (await fs.lstat(path).catch(() => null)) !== null;

/** What an earlier run made of the same: a part of a larger result. */
async function finishedReport(out: string, key: string): Promise<MergeReport | null> {
  const record = (await jsonAt(join(out, 'merge.json'))) as Readonly<Record<string, unknown>> | null;
  if (record === null || record['key'] !== key) return null;
  const files = record['files'] as readonly FileDigest[];
  const bytes = files.reduce((n, file) => n + file.bytes, 0);
  return {
    out,
    method: String(record['method']),
    tensors: (record['tensors'] as readonly unknown[]).length,
    bytes: { read: 0, written: 0, resumed: bytes },
    seconds: 0,
    notFinite: 0,
    verified: true,
    files,
    notices: record['notices'] as MergePlan['notices'],
  };
}
