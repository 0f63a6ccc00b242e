/**
 * Reading compiled message catalogs of gettext (`.mo`; GNU gettext manual, "The Format of GNU MO Files"): a header of
 * seven words, two tables of lengths and offsets, strings. Nothing in the file is believed before it is looked at: a
 * catalog is a file that anyone may have written.
 */

import { fail } from '@heddle/core';

export interface Message {
  /** In the language of the program's authors, mostly English. */
  readonly id: string;
  /** Tells equal ids apart; '' for none. */
  readonly context: string;
  /** The id of the plural, for messages that count something. */
  readonly plural: string | null;
  /** One text, or as many as the language has plural forms. */
  readonly texts: readonly string[];
}

export interface Catalog {
  /** Fields of its header: `Language`, `Plural-Forms`. Names in lower case. */
  readonly header: ReadonlyMap<string, string>;
  readonly messages: readonly Message[];
  /** Messages whose bytes are no text of the catalog's encoding: left out. */
  readonly unreadable: number;
}

/**
 * @param name names the file in messages
 * @throws E_CATALOG for a file that is none, is cut short, points outside itself, or has an unknown encoding
 */
export function readCatalog(bytes: Uint8Array, name: string): Catalog {
  const refuse = (received: string, details: Readonly<Record<string, unknown>> = {}): never =>
    fail(
      'E_CATALOG',
      `${name}: expected a catalog of gettext (.mo), received ${received}. Install its package again, or leave it out.`,
      { name, ...details },
    );
  if (bytes.length < headerBytes) refuse(`${bytes.length} bytes, fewer than its header has`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint32(0, true);
  const little = first === magic;
  if (!little && view.getUint32(0, false) !== magic) refuse(`first bytes ${first.toString(16).padStart(8, '0')}`);
  const word = (at: number): number => view.getUint32(at, little);
  const major = word(4) >>> 16;
  if (major > 1) refuse(`format ${major}, newer than 1`);
  const [count, ids, texts] = [word(8), word(12), word(16)];
  for (const [table, at] of Object.entries({ ids, texts }))
    if (at + 8 * count > bytes.length)
      refuse(`a table of ${count} ${table} at byte ${at} of ${bytes.length}`, { count, at });

  // A string may be pointed at twice, but not so often that a small file becomes a huge list.
  let room = 2 * bytes.length;
  const stringAt = (table: number, index: number): Uint8Array => {
    const [length, from] = [word(table + 8 * index), word(table + 8 * index + 4)];
    if (from + length > bytes.length)
      refuse(`string ${index} of ${length} bytes at byte ${from} of ${bytes.length}`, { index, length, from });
    room -= length;
    if (room < 0) refuse(`strings that overlap, string ${index} among them`, { index });
    return bytes.subarray(from, from + length);
  };

  const header = new Map<string, string>();
  let decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let index = 0; index < count; index++) {
    if (word(ids + 8 * index) !== 0) continue;
    for (const line of new TextDecoder('latin1').decode(stringAt(texts, index)).split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) header.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    decoder = decoderOf(header, refuse);
    break;
  }

  const messages: Message[] = [];
  let unreadable = 0;
  for (let index = 0; index < count; index++) {
    const [id, text] = [stringAt(ids, index), stringAt(texts, index)];
    if (id.length === 0) continue;
    try {
      const [whole, plural = null] = decoder.decode(id).split('\0');
      const cut = whole!.indexOf(contextEnd);
      messages.push({
        id: whole!.slice(cut + 1),
        context: cut < 0 ? '' : whole!.slice(0, cut),
        plural,
        texts: decoder.decode(text).split('\0'),
      });
    } catch {
      unreadable++;
    }
  }
  return { header, messages, unreadable };
}

function decoderOf(header: ReadonlyMap<string, string>, refuse: (received: string) => never): TextDecoder {
  const charset = /charset=([\w.:-]+)/i.exec(header.get('content-type') ?? '')?.[1] ?? 'utf-8';
  // What templates leave there; such a catalog is plain ASCII.
  const label = charset.toUpperCase() === 'CHARSET' ? 'utf-8' : charset;
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true });
  } catch {
    return refuse(`text in the unknown encoding '${charset.slice(0, 40)}'`);
  }
}

const magic = 0x950412de;
const headerBytes = 28;
const contextEnd = '\u0004';
