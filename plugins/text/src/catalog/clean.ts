/** From messages of programs to sentences: what is no plain sentence is told apart and named. */

export type Cleaned = { readonly text: readonly [id: string, translation: string] } | { readonly reason: string };

/**
 * @param id as the catalog has it
 * @param translation the same
 * @returns both without the marks of keyboard shortcuts and the line end that programs print after them; or why the
 * message is left out
 */
export function cleanMessage(id: string, translation: string): Cleaned {
  // Two spaces after a stop are English typing; elsewhere they make columns.
  let [left, right] = [id, translation].map(text => text.trim().replaceAll(/(?<=[.!?:;]) {2,}/g, ' ')) as [
    string,
    string,
  ];
  if (right === '') return { reason: 'untranslated' };
  if (layout.test(left) || layout.test(right)) return { reason: 'several lines or columns' };
  if (placeholder.test(left) || placeholder.test(right)) return { reason: 'placeholder' };
  if (markup.test(left) || markup.test(right)) return { reason: 'markup' };
  const [a, b] = [withoutAccelerator(left), withoutAccelerator(right)];
  if (a === null || b === null) return { reason: 'accelerator' };
  // A mark on one side only may be part of a name on it: then nothing was a mark.
  if (a !== left) [left, right] = [a, b];
  else if (b !== right) return { reason: 'accelerator' };
  if (left === right) return { reason: 'untranslated' };
  if (!isWords(left) || !isWords(right)) return { reason: 'no words' };
  return { text: [left, right] };
}

const layout = /[\n\t\f\v]| {2,}/;

/** `%s`, `%1$-5d`, `%(name)s`, `%1`, `{0}`, `{name}`, `$name`, `${name}`, `@NAME@`; not the sign in `100 %`. */
const placeholder =
  /%(?:\d+\$)?[-+#0']*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|L|q|j|z|t|I\d*)?[a-zA-Z<]|%\(\w+\)|%\d|%[{<[]|\{[^{}]*\}|\$\{?\w+|@\w+@/;

/** Tags, entities, and escapes that a program would read. */
const markup = /<\/?[a-zA-Z][^>]*>|&(?:#\d+|#x[\da-f]+|[a-zA-Z]+\d*);|\\[nt"]/i;

/**
 * `_File` of GTK, `&File` of Qt, and `文件(_F)` where letters have no keys.
 *
 * @returns the same text where it has no mark; null where a mark cannot be told from text: `file_name`, two marks
 */
function withoutAccelerator(text: string): string | null {
  const apart = text.replace(/\s*[(（][_&][\p{L}\p{N}][)）]/u, '');
  if (apart !== text) return /[_&][\p{L}\p{N}]/u.test(apart) ? null : apart;
  const marks = [...text.matchAll(/[_&](?=[\p{L}\p{N}])/gu)];
  if (marks.length === 0) return text.includes('_') ? null : text;
  if (marks.length > 1 || [...text].filter(one => one === '_').length > 1) return null;
  const { index } = marks[0]!;
  // Inside a word a mark stands in menus (`E_xit`); in a sentence it is a name with an underscore.
  if (/[\p{L}\p{N}]/u.test(text.charAt(index - 1)) && text.split(' ').length > 3) return null;
  return text.slice(0, index) + text.slice(index + 1);
}

/** Mostly letters, with a word of two at least: leaves out numbers, options, paths, key names. */
function isWords(text: string): boolean {
  const letters = text.match(/[\p{L}\p{M} ]/gu)?.length ?? 0;
  return (
    /\p{L}{2}|[\p{Script=Han}\p{Script=Hangul}]/u.test(text) &&
    letters >= 0.7 * text.length &&
    !/(?:^|\s)(?:--?\w|[~.]{0,2}\/\w)|:\/\/|\w\(/.test(text)
  );
}
