/** Pairs out of the message catalogs that programs brought along. Under Node only. */

import { fail, isHeddleError } from '@heddle/core';
import { files, readBytes } from '../corpus.node.js';
import { filterPairs } from '../parallel/filter.js';
import { dropCount, type Pair, type PairReading } from '../parallel/pair.js';
import { cleanMessage } from './clean.js';
import { readCatalog, type Message } from './mo.js';

export interface CatalogOptions {
  /** `en`: the messages as programs have them. Default `en`. */
  readonly source?: string;
  /** `de`, `pt_BR`, `zh_CN`. */
  readonly target: string;
  /** Folders with a folder for each language. Default: `defaultRoots()`. */
  readonly roots?: readonly string[];
  /** Catalogs whose name begins so are passed by. Default: the lists of names of ISO codes. */
  readonly except?: readonly string[];
  /** The longest message, in characters. Default 400. */
  readonly longest?: number;
}

export interface CatalogReading extends PairReading {
  readonly catalogs: number;
  /** Catalogs that could not be read, and why. */
  readonly broken: readonly { readonly name: string; readonly reason: string }[];
}

/** Where systems keep catalogs: `/usr/share/locale` and its like, and the `locale` folders of single programs. */
export async function defaultRoots(): Promise<readonly string[]> {
  const shares = ['/usr/share', '/usr/local/share', '/opt/homebrew/share'];
  const found: string[] = [];
  for (const share of shares) {
    const programs = (await namesIn(share)).map(name => `${share}/${name}/locale`);
    for (const root of [`${share}/locale`, `${share}/locale-langpack`, ...programs])
      if ((await namesIn(root)).length > 0) found.push(root);
  }
  return found;
}

/** Languages that have catalogs, and how many, the one with most first. */
export async function catalogLanguages(
  roots?: readonly string[],
): Promise<readonly { readonly language: string; readonly catalogs: number }[]> {
  const counts = new Map<string, number>();
  for (const root of roots ?? (await defaultRoots()))
    for (const language of await namesIn(root)) {
      const count = (await catalogsIn(root, language)).length;
      if (count > 0) counts.set(language, (counts.get(language) ?? 0) + count);
    }
  return [...counts]
    .map(([language, catalogs]) => ({ language, catalogs }))
    .sort((a, b) => b.catalogs - a.catalogs || (a.language < b.language ? -1 : 1));
}

/**
 * Messages with their translations, each source once; between two languages, neither of them English, the translations of
 * one message. Catalogs that cannot be read are passed by and named.
 *
 * @throws E_LANGUAGE for a language without catalogs, naming those that have some; E_EMPTY where no message is left
 */
export async function readCatalogs({
  source = 'en',
  target,
  roots: given,
  except = ['iso_'],
  longest = 400,
}: CatalogOptions): Promise<CatalogReading> {
  const roots = given ?? (await defaultRoots());
  const broken: { readonly name: string; readonly reason: string }[] = [];
  const drops = dropCount();
  const load = async (language: string): Promise<ReadonlyMap<string, readonly Message[]>> => {
    const catalogs = new Map<string, readonly Message[]>();
    for (const [domain, path] of await catalogsOf(roots, language)) {
      if (except.some(beginning => domain.split('/').at(-1)!.startsWith(beginning))) continue;
      try {
        const { messages, unreadable } = readCatalog(await readBytes(path), path);
        catalogs.set(domain, messages);
        for (let i = 0; i < unreadable; i++) drops.drop('broken text', path);
      } catch (error) {
        if (!isHeddleError(error)) throw error;
        broken.push({ name: path, reason: error.message });
      }
    }
    return catalogs;
  };

  const translations = await load(target);
  const originals = source === 'en' ? null : await load(source);
  const pairs: Pair[] = [];
  let seen = 0;
  for (const [domain, messages] of translations) {
    const other = originals?.get(domain);
    const texts = new Map(other?.map(message => [`${message.context}\u0004${message.id}`, message]));
    for (const message of messages) {
      const from = originals === null ? message.id : texts.get(`${message.context}\u0004${message.id}`)?.texts[0];
      if (from === undefined) continue; // not translated into the source language: no pair
      seen++;
      const where = `${domain} '${message.id.slice(0, 40).replaceAll('\n', ' ')}'`;
      if (message.plural !== null) {
        drops.drop('plural', where);
        continue;
      }
      const cleaned = cleanMessage(from, message.texts[0] ?? '');
      if ('reason' in cleaned) drops.drop(cleaned.reason, where);
      else {
        const [left, right] = cleaned.text;
        pairs.push({ source: left, target: right, where, ...(originals ? { key: message.id } : {}) });
      }
    }
  }
  const unreadable = drops.take().find(({ reason }) => reason === 'broken text')?.count ?? 0;
  const reading = filterPairs(
    { pairs, seen: seen + unreadable, dropped: drops.take() },
    { longest, ratio: 3, duplicates: 'source' },
  );
  if (reading.pairs.length === 0)
    fail(
      'E_EMPTY',
      `catalogs ${source} to ${target}: expected messages that are sentences, received none of ${reading.seen}. Take another pair of languages, or a corpus of files.`,
      { source, target, seen: reading.seen },
    );
  return { ...reading, catalogs: translations.size, broken };
}

/** Domain and path of each catalog; of a domain in two roots the first. */
async function catalogsOf(roots: readonly string[], language: string): Promise<ReadonlyMap<string, string>> {
  const wanted = language.replace('-', '_');
  const found = new Map<string, string>();
  for (const root of roots) {
    const names = await namesIn(root);
    const exact = names.includes(wanted) ? [wanted] : names.filter(name => name.startsWith(`${wanted}_`)).slice(0, 1);
    for (const name of exact)
      for (const file of await catalogsIn(root, name))
        if (!found.has(file)) found.set(file, `${root}/${name}/LC_MESSAGES/${file}`);
  }
  if (found.size > 0) return found;
  const known = (await catalogLanguages(roots)).map(one => one.language);
  return fail(
    'E_LANGUAGE',
    `catalogs: expected a language with catalogs${known.length > 0 ? ` (${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''})` : ''}, received '${language}'${known.length > 0 ? '' : ' where none is installed'}. ${known.length > 0 ? 'Take one of these, or install its packages' : 'Use a corpus of files, or a generated one'}.`,
    { language, known, roots },
  );
}

async function catalogsIn(root: string, language: string): Promise<readonly string[]> {
  return (await namesIn(`${root}/${language}/LC_MESSAGES`)).filter(name => name.endsWith('.mo'));
}

/** In the order of UTF-16 units, the same on every machine; none for what is no folder or may not be read. */
const namesIn = async (folder: string): Promise<readonly string[]> =>
  (
    await files()
      .readdir(folder)
      .catch(() => [] as string[])
  ).sort();
