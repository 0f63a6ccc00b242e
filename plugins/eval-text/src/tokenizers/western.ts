/** The part that 13a, zh and TER share: punctuation of Western languages stands alone, but inside numbers it stays. */

/** ASCII punctuation without `'`, `,`, `-` and `.`, which depend on their neighbours. */
const punctuation = /[{-~[-` -&(-+:-@/]/g;

/**
 * Rules of mteval-v13a, applied in order; NIST, mteval-v13a.pl.
 *
 * @param between what is done after punctuation and before full stops and commas
 */
export function western(text: string, between: (text: string) => string = same): string {
  return between(text.replace(punctuation, ' $& '))
    .replace(/([^0-9])([.,])/g, '$1 $2 ') // unless a digit is before it
    .replace(/([.,])([^0-9])/g, ' $1 $2') // unless a digit is after it
    .replace(/([0-9])-/g, '$1 - ');
}

const same = (text: string): string => text;

const entities: Readonly<Record<string, string>> = { '&quot;': '"', '&amp;': '&', '&lt;': '<', '&gt;': '>' };

/** In this order, so `&amp;lt;` becomes `<`, as in the reference. */
export function unescape(text: string): string {
  if (!text.includes('&')) return text;
  let plain = text;
  for (const [entity, character] of Object.entries(entities)) plain = plain.replaceAll(entity, character);
  return plain;
}
