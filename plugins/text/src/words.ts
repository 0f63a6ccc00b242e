/**
 * Cutting text into words before byte pairs are merged, so that no token spans two words.
 *
 * The rule is GPT-2's (Radford et al. 2019, `encoder.py`), where `\s` is the Unicode property White_Space: JavaScript's
 * own `\s` counts U+FEFF and misses U+0085, and would cut some texts in other places than GPT-2 did. In order, a word is
 *
 * - an English ending: 's 't 're 've 'm 'll 'd, in lower case only;
 * - letters, or digits of any script, or other marks, each with at most one space before;
 * - white space up to the last character before a word, so that this one can be the word's own space;
 * - white space.
 */
const gpt2Words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Calls `visit` with each word, in order. The words put together are the text. */
export function forEachWord(text: string, visit: (word: string) => void): void {
  const words = new RegExp(gpt2Words); // a copy: `lastIndex` is state
  for (let match = words.exec(text); match !== null; match = words.exec(text)) visit(match[0]);
}
