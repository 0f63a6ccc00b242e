/**
 * JSON with one spelling per value, its hash, and a reader that takes no liberties.
 *
 * `JSON.parse` keeps the last of two equal keys without a word; a header that says two things about one tensor must be
 * refused instead.
 */

import { fail } from '../errors.js';
import { sha256 } from './sha256.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The one spelling of a value: keys sorted by code unit, no spaces.
 *
 * @throws E_JSON for whatever JSON would drop or change in silence: undefined, NaN and Infinity, bigint, functions,
 *   symbols, dates, maps, typed arrays, cycles; names the path
 */
export const canonicalJson = (value: unknown): string => spell(value, '$', []);

/** SHA-256 of the canonical spelling in UTF-8, 64 hexadecimal digits. Equal values give equal hashes. */
export const hashJson = (value: unknown): string => sha256(new TextEncoder().encode(canonicalJson(value)));

function spell(value: unknown, path: string, above: readonly object[]): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : notJson(path, String(value));
  if (typeof value !== 'object') return notJson(path, typeof value);
  if (above.includes(value)) return notJson(path, 'a value that contains itself');
  const here = [...above, value];
  if (Array.isArray(value)) return `[${Array.from(value, (item, i) => spell(item, `${path}[${i}]`, here)).join(',')}]`;
  if (!isPlain(value))
    return notJson(path, `an instance of ${(value.constructor as { name?: string } | undefined)?.name ?? 'a class'}`);
  const record = value as Readonly<Record<string, unknown>>; // plain: string keys
  const fields = Object.keys(record)
    .sort()
    .map(key => `${JSON.stringify(key)}:${spell(record[key], `${path}.${key}`, here)}`);
  return `{${fields.join(',')}}`;
}

/** An object literal of this or another realm, or one without prototype. */
const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return (
    prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'))
  );
};

const notJson = (path: string, received: string): never =>
  fail(
    'E_JSON',
    `JSON at ${path}: expected null, a boolean, a finite number, a string, an array or a plain object, received ${received}. Convert or leave out that field.`,
    {
      reason: 'value',
      path,
      received,
    },
  );

export interface JsonReading {
  /** What is read, for messages: `header of model.safetensors`. */
  readonly thing?: string;
  /** Nested arrays and objects, at most; default 64. */
  readonly maxDepth?: number;
  /** What becomes of a number, from its spelling; default `Number`. */
  readonly number?: (spelling: string) => Json;
}

/**
 * Reads strict JSON (RFC 8259): refuses equal keys in one object, lone surrogates, and numbers beyond a double.
 *
 * Objects come without prototype, so that a key such as `__proto__` or `toString` is a key like any other.
 *
 * @throws E_JSON with `details.reason` ('syntax' | 'duplicate' | 'depth' | 'surrogate' | 'number') and
 *   `details.position`, counted in UTF-16 units
 */
export function parseJson(text: string, { thing = 'JSON', maxDepth = 64, number = Number }: JsonReading = {}): Json {
  let at = 0;
  const value = element(0);
  skipSpace();
  if (at < text.length) refuse('syntax', 'nothing after the value', at);
  return value;

  function refuse(reason: string, expected: string, position: number): never {
    const received = position < text.length ? JSON.stringify(text.slice(position, position + 12)) : 'the end';
    fail(
      'E_JSON',
      `${thing}: expected ${expected} at position ${position}, received ${received}. Write the file again, or fetch it again.`,
      {
        thing,
        reason,
        position,
      },
    );
  }

  function skipSpace(): void {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      at++;
    }
  }

  function element(depth: number): Json {
    skipSpace();
    switch (text[at]) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"':
        return string();
      case 't':
        return word('true', true);
      case 'f':
        return word('false', false);
      case 'n':
        return word('null', null);
      default:
        return numeral();
    }
  }

  function enter(depth: number): void {
    if (depth > maxDepth) refuse('depth', `at most ${maxDepth} levels of nesting`, at);
    at++;
    skipSpace();
  }

  /** After an item: true when another follows, false when the bracket closes. */
  function another(closing: '}' | ']'): boolean {
    skipSpace();
    const mark = text[at];
    if (mark !== ',' && mark !== closing) refuse('syntax', `',' or '${closing}'`, at);
    at++;
    return mark === ',';
  }

  function object(depth: number): Json {
    enter(depth);
    const fields = Object.create(null) as Record<string, Json>;
    if (text[at] === '}') {
      at++;
      return fields;
    }
    do {
      skipSpace();
      const start = at;
      if (text[at] !== '"') refuse('syntax', 'a key in double quotes', at);
      const key = string();
      if (key in fields)
        refuse('duplicate', `each key once in an object, but '${key.slice(0, 80)}' came before,`, start);
      skipSpace();
      if (text[at] !== ':') refuse('syntax', "':'", at);
      at++;
      fields[key] = element(depth);
    } while (another('}'));
    return fields;
  }

  function array(depth: number): Json {
    enter(depth);
    const items: Json[] = [];
    if (text[at] === ']') {
      at++;
      return items;
    }
    do items.push(element(depth));
    while (another(']'));
    return items;
  }

  function string(): string {
    const start = at;
    for (let i = at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x5c) i++;
      else if (code < 0x20) refuse('syntax', 'no control character in a string', i);
      else if (code === 0x22) {
        at = i + 1;
        return unescaped(text.slice(start, at), start);
      }
    }
    return refuse('syntax', 'a closing quote', text.length);
  }

  /** Escapes are rare and intricate: the built-in parser knows them. */
  function unescaped(literal: string, start: number): string {
    let value: string;
    try {
      value = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
    } catch {
      return refuse('syntax', 'only the escapes of JSON', start);
    }
    if (loneSurrogate.test(value)) refuse('surrogate', 'whole characters, no half of a surrogate pair,', start);
    return value;
  }

  function word<T extends Json>(spelling: string, value: T): T {
    if (!text.startsWith(spelling, at)) refuse('syntax', 'a value', at);
    at += spelling.length;
    return value;
  }

  function numeral(): Json {
    numberShape.lastIndex = at;
    const spelling = numberShape.exec(text)?.[0];
    if (spelling === undefined) return refuse('syntax', 'a value', at);
    if (!Number.isFinite(Number(spelling))) refuse('number', 'a number that a double can hold', at);
    at += spelling.length;
    return number(spelling);
  }
}

const numberShape = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const loneSurrogate = /[\ud800-\udfff]/u; // with the u flag a pair is one character and does not match

/** UTF-8 that is one: nothing replaced, nothing skipped, no byte order mark. */
export function decodeUtf8(bytes: Uint8Array, thing: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    return fail(
      'E_JSON',
      `${thing}: expected UTF-8, received other bytes. Write the file again, or fetch it again.`,
      { thing, reason: 'utf8' },
      error,
    );
  }
}

/** True for what `parseJson` makes of `{…}`. */
export const isJsonObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
