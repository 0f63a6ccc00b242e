import { describe, expect, it } from 'vitest';
import { generateCorrections, generatePairs, generateSummaries } from './generate.js';
import { grammarMeanings } from './sentences.js';

const of = (source: string, target: string, count = 3000) => generatePairs({ source, target, count, seed: 4 }).pairs;

describe('made-up languages', () => {
  const texts = (name: string): readonly string[] =>
    of('en', name, 1500).map(({ target }) => target.toLowerCase().replace('.', ''));
  const spelt = (text: string): readonly string[] => text.split(' ');

  it('say every meaning in words of their own, one for one within a family', () => {
    const [one, two, other] = [texts('xa1'), texts('xa2'), texts('xb1')];
    for (const all of [one, two, other]) expect(new Set(all).size).toBe(1500);
    // Sisters have the same words in the same order, said otherwise: each word of one is always the same word of the other.
    const pairs = new Map<string, string>();
    for (const [i, text] of one.entries()) {
      expect(spelt(text).length).toBe(spelt(two[i]!).length);
      spelt(text).forEach((word, at) => {
        const same = spelt(two[i]!)[at]!;
        expect(pairs.get(word) ?? same).toBe(same);
        pairs.set(word, same);
      });
    }
    expect(new Set(pairs.values()).size).toBe(pairs.size);
    expect([...pairs].filter(([a, b]) => a === b).length).toBeLessThan(pairs.size / 2);
    // Another family shares next to no words.
    const words = new Set(one.flatMap(spelt));
    expect(new Set(other.flatMap(spelt).filter(word => words.has(word))).size).toBeLessThan(words.size / 20);
  });

  it('share more letters with their sisters than with others', () => {
    const letters = (a: readonly string[], b: readonly string[]): number => {
      let same = 0;
      for (const [i, text] of a.entries()) [...text].forEach((letter, at) => (same += Number(b[i]![at] === letter)));
      return same / a.reduce((sum, { length }) => sum + length, 0);
    };
    const [one, two, other] = [texts('xa1'), texts('xa2'), texts('xb1')];
    expect(letters(one, two)).toBeGreaterThan(2 * letters(one, other));
  });

  it('are the same for ever', () => {
    expect(of('en', 'xa1', 3000)[0]!.target).toBe(of('en', 'xa1', 10)[0]!.target);
    expect(of('xa1', 'xb2', 10)[0]!.key).toBe(of('en', 'de', 10)[0]!.source);
  });
});

describe('the grammar', () => {
  it('says the same in every language, each meaning once', () => {
    const [german, french] = [of('en', 'de'), of('en', 'fr')];
    expect(german.map(pair => pair.source)).toEqual(french.map(pair => pair.source));
    expect(of('de', 'fr').map(({ source, target }) => [source, target])).toEqual(
      german.map((pair, i) => [pair.target, french[i]!.target]),
    );
    expect(new Set(german.map(pair => pair.source)).size).toBe(3000);
    expect(new Set(german.map(pair => pair.target)).size).toBe(3000);
    expect(of('de', 'fr')[0]!.key).toBe(german[0]!.source);
  });

  it('gives the same sentences for a seed, and begins alike for any count', () => {
    expect(of('en', 'de', 50)).toEqual(of('en', 'de').slice(0, 50));
    expect(generatePairs({ count: 50, seed: 5 }).pairs).not.toEqual(of('en', 'de', 50));
  });

  it('agrees in gender, number and case', () => {
    const text = of('en', 'de', 20_000);
    const german = text.map(pair => pair.target).join('\n');
    for (const [name, wrong] of [
      ['Spinnerin', 'der|den|das|ein|einen|zwei|einige'],
      ['Kind', 'der|den|die|eine|einen|zwei|einige'],
      ['Faden', 'die|das|eine|zwei|einige'],
      ['Körbe', 'der|den|das|ein|eine|einen'],
    ] as const) {
      expect(german).toContain(` ${name}`);
      expect(german).not.toMatch(new RegExp(`(?<!\\p{L})(?:${wrong}) (?:\\p{Ll}+ )?${name}(?!\\p{L})`, 'iu'));
    }
    const french = of('en', 'fr', 20_000)
      .map(pair => pair.target)
      .join('\n');
    expect(french).toContain("l'homme");
    expect(french).not.toMatch(/(?<!\p{L})(?:le|la) [aeéhio]/iu);
    expect(french).not.toMatch(/(?<!\p{L})(?:les|deux|quelques) \p{L}+[^sx\p{P}] /iu);
  });

  it('puts verbs where each language wants them', () => {
    for (const { source, target } of of('en', 'de')) {
      const future = / will /.test(source);
      expect(/(?:en|rn|ln)\.$/.test(target) && /(?<!\p{L})(?:wird|werden) /u.test(target)).toBe(future);
      const adverbial = /^(?:Heute|Hier|Jeden Tag|Am Abend|Im Garten|Am Fenster|Nach dem Regen) /.exec(target)?.[0];
      expect(adverbial !== undefined).toBe(/^(?:Today|Here|Every day|In the|At the window|After)/.test(source));
      // Second in a sentence stands a verb: neither an article nor a noun.
      if (adverbial !== undefined)
        expect(target.slice(adverbial.length)).toMatch(future ? /^(?:wird|werden) / : /^\p{Ll}+(?:t|en) /u);
    }
  });

  it('refuses other languages and too many sentences', () => {
    expect(() => generatePairs({ target: 'tlh', count: 1 })).toThrow(
      expect.objectContaining({ code: 'E_LANGUAGE', message: expect.stringContaining('en, de, fr') }),
    );
    expect(() => generatePairs({ count: grammarMeanings + 1 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    expect(() => generatePairs({ count: 0 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
  });
});

describe('tasks of one language', () => {
  it.each(['en', 'de', 'fr'])('summaries say what is said twice, and nothing else: %s', language => {
    const { pairs } = generateSummaries({ language, count: 500, seed: 2 });
    expect(new Set(pairs.map(({ source }) => source)).size).toBe(500);
    expect(generateSummaries({ language, count: 20, seed: 2 }).pairs).toEqual(pairs.slice(0, 20));
    const and = { en: ' and ', de: ' und ', fr: ' et ' }[language]!;
    for (const { source, target } of pairs) {
      expect(source.match(/\.(?: |$)/g)).toHaveLength(3);
      expect(target.split(and)).toHaveLength(2);
      expect(target.length).toBeLessThan(source.length);
      // Its nouns, and the verbs' subject, are from the text: in English each noun phrase keeps its last word.
      if (language === 'en') {
        const objects = target
          .slice(0, -1)
          .split(and)
          .map(part => part.split(' ').at(-1)!);
        for (const noun of objects) expect(source).toMatch(new RegExp(`\\b${noun}\\b`));
      }
    }
  });

  it.each(['en', 'de', 'fr'])('corrections have their mistakes in the source alone: %s', language => {
    const { pairs } = generateCorrections({ language, count: 2000, seed: 2 });
    const right = pairs.filter(({ source, target }) => source === target).length;
    // One in eight, and few whose mistake changes nothing: a binomial of 2000 has a deviation of 15.
    expect(right).toBeGreaterThan(175);
    expect(right).toBeLessThan(400);
    for (const { source, target } of pairs) {
      const [a, b] = [source, target].map(text => text.toLowerCase().slice(0, -1).split(' '));
      expect(Math.abs(a!.length - b!.length)).toBeLessThanOrEqual(2);
      // At most a verb is another word than before.
      expect(new Set(a!.filter(word => !b!.includes(word))).size).toBeLessThanOrEqual(1);
    }
    const translations = generatePairs({ source: language, target: 'en', count: 2000, seed: 2 }).pairs;
    expect(pairs.map(({ target }) => target)).toEqual(translations.map(({ source }) => source));
  });
});
