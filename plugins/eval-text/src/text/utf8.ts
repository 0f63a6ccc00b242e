/** Where bytes stop being UTF-8. */

/** Lead bytes: how many bytes follow, and the range of the first of them (the others are 80 to bf). Unicode, table 3-7. */
const leads: readonly (readonly [from: number, to: number, follow: number, low: number, high: number])[] = [
  [0xc2, 0xdf, 1, 0x80, 0xbf],
  [0xe0, 0xe0, 2, 0xa0, 0xbf],
  [0xe1, 0xec, 2, 0x80, 0xbf],
  [0xed, 0xed, 2, 0x80, 0x9f],
  [0xee, 0xef, 2, 0x80, 0xbf],
  [0xf0, 0xf0, 3, 0x90, 0xbf],
  [0xf1, 0xf3, 3, 0x80, 0xbf],
  [0xf4, 0xf4, 3, 0x80, 0x8f],
];

/** Offset of the first byte that begins no whole sequence; the length where all is well. */
export function brokenAt(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const form = leads.find(([from, to]) => lead >= from && lead <= to);
    if (form === undefined) return at;
    const [, , follow, low, high] = form;
    for (let i = 1; i <= follow; i++) {
      const byte = bytes[at + i] ?? 0;
      if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return at;
    }
    at += follow + 1;
  }
  return at;
}
