/** Numbers as people read them. */

/** `3.4 GiB`, `12 MiB`. */
export function mebi(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const at = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** at;
  return `${amount >= 10 || at === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[at]!}`;
}

/** `1,048,576` */
export const grouped = (n: number): string => n.toLocaleString('en-US');

/** `1 document`, `12 documents` */
export const counted = (n: number, thing: string): string => `${grouped(n)} ${thing}${n === 1 ? '' : 's'}`;

/** `63 s`, `2 min 5 s` */
export const timeTaken = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** `74 %`; a dash for what is not known. */
export const percent = (share: number | null): string => (share === null ? '–' : `${(100 * share).toFixed(0)} %`);

/** Each line two spaces in; a text that ends in the middle of a line break keeps none at its end. */
export const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map(line => `  ${line}`)
    .join('\n');

/** How whoever runs this calls it: through npm in a clone, or by its name. */
export const selfName = (
  environment: Readonly<Record<string, string | undefined>>,
): { readonly start: string; readonly heddle: string } =>
  environment['npm_lifecycle_event'] === 'start' || environment['npm_lifecycle_event'] === 'heddle'
    ? { start: 'npm start', heddle: 'npm run -s heddle --' }
    : { start: 'heddle start', heddle: 'heddle' };
