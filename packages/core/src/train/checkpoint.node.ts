/**
 * Checkpoints in a folder: one folder each, `model.safetensors` and `checkpoint.json`, written under a temporary name
 * and renamed when whole. A half-written one is never found.
 */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, isHeddleError } from '../errors.js';
import { atomicFolder, completeFolders } from '../io/atomic.node.js';
import { fileSink, fileSource } from '../io/bytes.node.js';
import { widen } from '../io/dtype.js';
import { canonicalJson, isJsonObject, parseJson } from '../io/json.js';
import { cleanPartials, exists } from '../io/partial.node.js';
import { openSafetensors } from '../io/safetensors.js';
import { writeParameters } from '../io/parameters.js';
import type { HostTensor } from '../ir/types.js';
import type { Checkpoint, CheckpointMeta } from './events.js';
import type { CheckpointStore } from './operators.js';

const tensorsFile = 'model.safetensors';
const metaFile = 'checkpoint.json';
const numbered = /^step-(\d{8,})$/;

export interface FolderCheckpoints extends CheckpointStore {
  /** Steps of the whole, unlabelled checkpoints, oldest first. */
  steps(): Promise<readonly number[]>;
  load(step: number): Promise<Checkpoint>;
}

/**
 * A store in `folder`, which need not exist before the first save.
 *
 * @param options.keep how many unlabelled ones stay; older ones go once a newer one is whole
 */
export function checkpointFolder(folder: string, { keep = 2 } = {}): FolderCheckpoints {
  const place = (step: number, label?: string): string =>
    join(folder, `step-${String(step).padStart(8, '0')}${label === undefined ? '' : `-${label}`}`);
  const steps = async (): Promise<readonly number[]> =>
    (await completeFolders(folder))
      .flatMap(name => numbered.exec(name)?.slice(1).map(Number) ?? [])
      .sort((a, b) => a - b);
  const clean = async (): Promise<void> => {
    if (await exists(folder)) await cleanPartials(folder);
  };
  return {
    steps,
    load: step => readCheckpoint(place(step)),
    async save(checkpoint, label) {
      const path = place(checkpoint.step, label);
      await clean();
      await atomicFolder(path, temporary => writeCheckpoint(temporary, checkpoint), { replace: true });
      if (label === undefined) {
        for (const old of (await steps()).slice(0, -keep)) await rm(place(old), { recursive: true, force: true });
      }
      return path;
    },
    async latest() {
      await clean();
      const newest = (await steps()).at(-1);
      return newest === undefined ? null : readCheckpoint(place(newest));
    },
  };
}

async function writeCheckpoint(folder: string, { tensors, meta }: Checkpoint): Promise<void> {
  const sink = await fileSink(join(folder, tensorsFile));
  await writeParameters(sink, tensors, { format: 'heddle', step: String(meta.step) });
  await writeFile(join(folder, metaFile), `${canonicalJson(meta)}\n`);
}

/**
 * Reads one checkpoint folder.
 *
 * @throws E_CHECKPOINT when it is not one, or was made by a newer version; E_SAFETENSORS
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const text = await readFile(join(folder, metaFile), 'utf8').catch((error: unknown) =>
    fail(
      'E_CHECKPOINT',
      `${folder}: expected a checkpoint with ${metaFile}, received a folder where it cannot be read. Name a folder that a run wrote.`,
      { folder },
      error,
    ),
  );
  const meta = readMeta(text, folder);
  const tensors: Record<string, HostTensor> = {};
  const file = await openSafetensors(await fileSource(join(folder, tensorsFile)));
  try {
    for (const { name } of file.entries) tensors[name] = widen(await file.read(name));
  } finally {
    await file.close();
  }
  return { step: meta.step, tensors, meta };
}

function readMeta(text: string, folder: string): CheckpointMeta {
  const refuse = (what: string, cause?: unknown): never =>
    fail(
      'E_CHECKPOINT',
      `${folder}: ${metaFile}: expected the description of a checkpoint (format 1), received ${what}. Use another checkpoint.`,
      { folder },
      cause,
    );
  let json: unknown;
  try {
    json = parseJson(text, { thing: metaFile });
  } catch (error) {
    return refuse(isHeddleError(error) ? error.message : 'no JSON', error);
  }
  if (!isJsonObject(json as never)) return refuse('another JSON value');
  const meta = json as unknown as CheckpointMeta;
  if (meta.format !== 1) return refuse(`format ${String(meta.format)}`);
  if (
    !Number.isSafeInteger(meta.step) ||
    meta.step < 0 ||
    !Number.isSafeInteger(meta.tokens) ||
    typeof meta.configHash !== 'string'
  )
    return refuse('incomplete fields');
  return meta;
}
