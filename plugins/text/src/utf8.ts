/** Bytes to text, strictly: what is no text is refused with the place where it stops being text. */

import { fail } from '@heddle/core';

/**
 * @param name names the source in messages: a file
 * @returns the text without a byte-order mark
 * @throws E_UTF8 naming byte offset, line and column of the first bytes that are no UTF-8; E_BINARY where a zero byte stands
 */
export function textOf(bytes: Uint8Array, name: string): string {
  const wide = wideText(bytes);
  if (wide) {
    fail(
      'E_UTF8',
      `${name}: expected UTF-8, received ${wide}, by its byte-order mark at byte 0. Save it as UTF-8: iconv -f ${wide} -t UTF-8.`,
      { name, offset: 0, line: 1, encoding: wide },
    );
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    fail(
      'E_BINARY',
      `${name}: expected text, received a zero byte at byte ${zero}. Text has none: leave this file out, or extract its text first.`,
      { name, offset: zero },
    );
  }
  try {
    return strict.decode(bytes); // drops a byte-order mark
  } catch (error) {
    const offset = firstBroken(bytes);
    const before = bytes.subarray(0, offset);
    const line = before.reduce((count, byte) => count + (byte === NEWLINE ? 1 : 0), 1);
    const column = offset - before.lastIndexOf(NEWLINE);
    const found = [...bytes.subarray(offset, offset + 4)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
    return fail(
      'E_UTF8',
      `${name}: expected UTF-8, received bytes ${found} at byte ${offset}, line ${line}, byte ${column} of the line. If it is Latin-1, convert it: iconv -f ISO-8859-1 -t UTF-8.`,
      { name, offset, line, column },
      error,
    );
  }
}

const strict = new TextDecoder('utf-8', { fatal: true });
const NEWLINE = 0x0a;

function wideText(bytes: Uint8Array): string | null {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32' : 'UTF-16';
  return a === 0xfe && b === 0xff ? 'UTF-16' : null;
}

/** Offset of the first byte that begins no whole UTF-8 sequence; the length when all is well. */
export function firstBroken(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const length =
      lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
    if (length === 0 || at + length > bytes.length) return at;
    const second = bytes[at + 1]!;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80; // below: an overlong form
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf; // above: a surrogate, or past U+10FFFF
    if (second < low || second > high) return at;
    for (let back = 2; back < length; back++) if ((bytes[at + back]! & 0xc0) !== 0x80) return at;
    at += length;
  }
  return at;
}
