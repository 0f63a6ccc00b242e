/** A bounded memory of words met lately. Two generations: when the young one is full it becomes the old, and the old is dropped. */

export interface WordCache<T> {
  get(word: string): T | undefined;
  set(word: string, value: T): void;
  readonly size: number;
}

/** Natural words are short; remembering long ones would make the memory's bound one of count only. */
export const longestCachedWord = 64;

export function wordCache<T>(capacity = 32_768): WordCache<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  const put = (word: string, value: T): void => {
    if (young.size >= capacity / 2) {
      old = young;
      young = new Map();
    }
    young.set(word, value);
  };
  return {
    get(word) {
      const fresh = young.get(word);
      if (fresh !== undefined) return fresh;
      const kept = old.get(word);
      if (kept !== undefined) put(word, kept);
      return kept;
    },
    set(word, value) {
      if (word.length <= longestCachedWord) put(word, value);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
