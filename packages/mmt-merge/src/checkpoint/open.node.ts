/** Checkpoints on disk: finding what a recipe names, and opening it by its headers. */

import { promises as fs } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fail, parseJson, type Json } from '@heddle/core';
import { isPlainName, type TensorFile } from '@heddle/core/files';
import { openTensors } from '@heddle/core/node';
import { referenceOf, titleOfReference } from '../recipe/reference.js';
import type { ModelName } from '../recipe/recipe.js';
import { readAdapterConfig, type AdapterConfig } from './adapter.js';
import { adaptedView, plainView, type ModelView } from './view.js';
import { readVocabulary, type Vocabulary } from './vocabulary.js';

export interface Checkpoint {
  readonly title: string;
  /** The folder of the model, without an adapter; null for an adapter alone. */
  readonly folder: string | null;
  /** What was named itself: a folder, or a file. */
  readonly path: string;
  readonly view: ModelView;
  /** What lies in its files, before adapters. */
  readonly files: readonly TensorFile[];
  readonly config: Readonly<Record<string, Json>> | null;
  readonly vocabulary: Vocabulary | null;
  /** Set where the checkpoint is, or ends with, an adapter. */
  readonly adapter: { readonly path: string; readonly config: AdapterConfig; readonly file: TensorFile } | null;
  close(): Promise<void>;
}

export interface Places {
  /** Paths are taken from here: the folder of the recipe, mostly. */
  readonly from: string;
  /** Further folders in which names are looked up. */
  readonly models?: readonly string[];
  /** Results of earlier documents, by name. */
  readonly named?: ReadonlyMap<string, string>;
}

/** JSON beside weights is read whole. Bytes. */
const longestJson = 200_000_000;

/**
 * Opens what a recipe names. Only headers and the JSON beside them are read.
 *
 * @throws E_MODEL when there is no such model; E_SAFETENSORS, E_SHARD_INDEX, E_ADAPTER, E_TOKENIZER when it is damaged
 */
export async function openCheckpoint(name: ModelName, places: Places): Promise<Checkpoint> {
  const reference = referenceOf(name);
  const title = titleOfReference(reference);
  const opened: TensorFile[] = [];
  try {
    const own = await openPart(reference.path, reference.revision, places, opened);
    const lora = reference.lora && (await openPart(reference.lora.path, reference.lora.revision, places, opened));
    if (lora && !lora.adapter) fail('E_MODEL', `${lora.path}: expected an adapter after '+', received a model. Name its folder with adapter_config.json.`, { path: lora.path }); // prettier-ignore
    if (lora && own.adapter)
      fail('E_MODEL', `${own.path}: expected a model before '+', received an adapter. Name the model first.`, {
        path: own.path,
      });
    const adapter = lora?.adapter ?? own.adapter;
    const plain = own.adapter ? null : plainView(title, own.file);
    const view = adapter ? adaptedView(title, plain, adapter.file, adapter.config) : plain!;
    return {
      title,
      folder: own.adapter ? null : own.folder,
      path: own.path,
      view,
      files: opened,
      config: own.config,
      vocabulary: own.vocabulary ?? lora?.vocabulary ?? null,
      adapter,
      close: () => closeAll(opened),
    };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

const closeAll = async (files: readonly TensorFile[]): Promise<void> =>
  void (await Promise.all(files.map(file => file.close().catch(() => {}))));

interface Part {
  readonly path: string;
  readonly folder: string;
  readonly file: TensorFile;
  readonly config: Readonly<Record<string, Json>> | null;
  readonly vocabulary: Vocabulary | null;
  readonly adapter: Checkpoint['adapter'];
}

async function openPart(name: string, revision: string | null, places: Places, opened: TensorFile[]): Promise<Part> {
  const path = await find(name, revision, places);
  const folder = (await fs.stat(path)).isDirectory() ? path : dirname(path);
  const adapterJson = await jsonAt(join(folder, 'adapter_config.json'));
  const adapterFile = join(folder, 'adapter_model.safetensors');
  const isAdapter = adapterJson !== null && (path === folder ? !(await isThere(join(folder, 'config.json'))) || (await isThere(adapterFile)) : basename(path) === 'adapter_model.safetensors'); // prettier-ignore
  const file = await openTensors(isAdapter ? adapterFile : path);
  opened.push(file);
  const tokenizer = await jsonAt(join(folder, 'tokenizer.json'));
  const config = await jsonAt(join(folder, 'config.json'));
  return {
    path,
    folder,
    file,
    config: config === null || typeof config !== 'object' || Array.isArray(config) ? null : (config as Part['config']),
    vocabulary: tokenizer === null ? null : readVocabulary(tokenizer, join(folder, 'tokenizer.json')),
    adapter: isAdapter
      ? { path, file, config: readAdapterConfig(adapterJson!, join(folder, 'adapter_config.json')) }
      : null,
  };
}

/** @returns null where there is no such file */
export async function jsonAt(path: string): Promise<Json | null> {
  const stat = await fs.stat(path).catch(() => null);
  if (stat === null) return null;
  if (stat.size > longestJson)
    fail('E_JSON', `${path}: expected at most ${longestJson} bytes, received ${stat.size}. Check the file.`, { path });
  return parseJson(await fs.readFile(path, 'utf8'), { thing: path });
}

const isThere = async (path: string): Promise<boolean> => (await fs.stat(path).catch(() => null)) !== null;

/** The first of: an earlier result, a path from the recipe, a folder of `models`, what Hugging Face's tools downloaded. */
async function find(name: string, revision: string | null, { from, models = [], named }: Places): Promise<string> {
  const earlier = named?.get(name);
  if (earlier !== undefined) return earlier;
  const tried = isAbsolute(name) ? [name] : [resolve(from, name), ...models.map(folder => resolve(folder, name))];
  const withRevision = revision === null ? tried : tried.flatMap(path => [`${path}@${revision}`, path]);
  for (const path of withRevision) if (await isThere(path)) return path;
  const cached = await inHubCache(name, revision);
  if (cached !== null) return cached;
  const isId = /^[\w.-]+\/[\w.-]+$/.test(name) && name.split('/').every(isPlainName);
  return fail(
    'E_MODEL',
    `model '${name}': expected a folder or a .safetensors file, received nothing at ${withRevision.join(' or ')}. ` +
      (isId
        ? `Download it (hf download ${name}), or name the folder that holds it with --models.`
        : 'Correct the path; relative ones begin at the recipe.'),
    { name, tried: withRevision },
  );
}

/** Snapshots of `~/.cache/huggingface/hub`, or where HF_HUB_CACHE or HF_HOME point. */
async function inHubCache(name: string, revision: string | null): Promise<string | null> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) return null;
  const home = process.env['HF_HOME'] ?? join(homedir(), '.cache', 'huggingface');
  const cache = process.env['HF_HUB_CACHE'] ?? join(home, 'hub');
  const folder = join(cache, `models--${name.replace('/', '--')}`);
  const ref = await fs.readFile(join(folder, 'refs', revision ?? 'main'), 'utf8').catch(() => revision);
  const commit = ref?.trim() ?? '';
  if (!isPlainName(commit)) return null;
  const snapshot = join(folder, 'snapshots', commit);
  return (await isThere(snapshot)) ? snapshot : null;
}
