/**
 * White space as Python sees it. The reference tools cut at `str.split()`, whose set differs from JavaScript's `\s`: it
 * has U+001C to U+001F and U+0085 and lacks U+FEFF. Numbers would differ on text that holds any of them.
 */

/** Whether Python's `str.isspace()` holds for this code unit. All such characters lie in the basic plane. */
export function isSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** `str.split()`: the pieces between runs of white space, none of them empty. */
export function words(text: string): string[] {
  const found: string[] = [];
  let from = -1;
  for (let at = 0; at < text.length; at++) {
    if (isSpace(text.charCodeAt(at))) {
      if (from >= 0) found.push(text.slice(from, at));
      from = -1;
    } else if (from < 0) from = at;
  }
  if (from >= 0) found.push(text.slice(from));
  return found;
}

/** `str.rstrip()`. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** `str.strip()`. */
export function trim(text: string): string {
  let from = 0;
  while (from < text.length && isSpace(text.charCodeAt(from))) from++;
  return trimEnd(from === 0 ? text : text.slice(from));
}

/** `' '.join(text.split())`. */
export const squeeze = (text: string): string => words(text).join(' ');
