import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { identifier, trainLanguages } from './model.js';
import { offTarget } from './off-target.js';
import { checkTokenizer, languageCode, scriptWithoutSpaces, tokenizerForLanguage } from './scripts.js';

const english = [
  'The weaver lifts the warp with her foot and throws the shuttle through the shed.',
  'Threads that break are tied again, and then the cloth grows by another inch.',
  'Nobody knows who built the first loom, but it was long ago.',
];
const german = [
  'Die Weberin hebt die Kette mit dem Fuß und wirft das Schiffchen durch das Fach.',
  'Fäden, die reißen, werden wieder geknüpft, und dann wächst das Tuch um einen Zoll.',
  'Niemand weiß, wer den ersten Webstuhl gebaut hat, aber es ist lange her.',
];

describe('a language identifier', () => {
  const model = trainLanguages({ en: english, de: german });

  it('tells what it was shown apart, and says when it cannot', () => {
    const identify = identifier(model);
    expect(identify('The shuttle is through the shed and the warp is lifted')).toMatchObject({ language: 'en' });
    expect(identify('Das Tuch wächst, und die Fäden reißen nicht').probability).toBeGreaterThan(0.99);
    for (const text of ['', '12:30, 45 %', 'Ткачиха', '织机'])
      expect(identify(text)).toEqual({ language: null, probability: 0 });
  });

  it('is plain JSON', () => {
    expect(identifier(JSON.parse(JSON.stringify(model)))('wirft das Schiffchen')).toEqual(
      identifier(model)('wirft das Schiffchen'),
    );
    expect(() => identifier({ ...model, format: 'x' as 'heddle-languages-1' })).toThrow('heddle-languages-1');
  });

  it('counts what is off target', () => {
    const found = offTarget(['Der Faden reißt.', 'The cloth grows.', '…', 'Das Tuch ist fertig.'], 'de', model);
    expect(found).toMatchObject({ segments: 4, undecided: 1, wrong: [{ segment: 1, language: 'en' }] });
    expect(found.rate).toBeCloseTo(100 / 3, 10);
    expect(() => offTarget([], 'fr', model)).toThrow("received 'fr'");
  });

  it('refuses too little', () => {
    expect(() => trainLanguages({ en: english })).toThrow('two languages');
    expect(() => trainLanguages({ en: english, de: ['123'] })).toThrow("letters for 'de'");
  });

  const systems = new URL('../../../../../shared/golden/mt-metrics/systems/', import.meta.url);
  it.skipIf(!existsSync(systems))(
    'is right on nearly every sentence of news (skipped where ../shared/golden/mt-metrics is not there)',
    () => {
      const column = (pair: string): string[] =>
        readFileSync(new URL(`wmt22.${pair}.tsv`, systems), 'utf8')
          .trimEnd()
          .split('\n')
          .slice(1)
          .map(line => line.split('\t')[1]!);
      const texts = {
        en: column('de-en'),
        de: column('en-de'),
        cs: column('en-cs'),
        is: column('en-is'),
        ru: column('en-ru'),
        zh: column('en-zh'),
      };
      const trained = trainLanguages(
        Object.fromEntries(Object.entries(texts).map(([name, lines]) => [name, lines.slice(0, 500)])),
      );
      const identify = identifier(trained);
      for (const [name, lines] of Object.entries(texts)) {
        const held = lines.slice(500).filter(line => line.length >= 20);
        const right = held.filter(line => identify(line).language === name).length;
        expect(right / held.length, name).toBeGreaterThan(0.98);
      }
    },
  );
});

describe('the tokeniser of a language', () => {
  it.each([
    ['de', '13a'],
    ['zh', 'zh'],
    ['zh-Hant', 'zh'],
    ['zho_Hans', 'zh'],
    ['ja', 'ja-mecab'],
    ['ko', 'ko-mecab'],
    ['th', 'char'],
    ['xx', '13a'],
  ])('%s is %s', (language, name) => expect(tokenizerForLanguage(language)).toBe(name));

  it('is refused where it looks for spaces that are not there', () => {
    for (const wrong of ['13a', 'intl', 'none'])
      expect(() => checkTokenizer(wrong, '织工用脚提起经线。')).toThrow(/Chinese.*Take 'zh' or 'char'/);
    expect(() => checkTokenizer('13a', '織工は足で経糸を持ち上げる。')).toThrow(/Japanese.*'ja-mecab' or 'char'/);
    expect(() => checkTokenizer('13a', 'ช่างทอยกเส้นด้ายยืน')).toThrow(/Thai.*Take 'char'\./);
    for (const right of ['zh', 'char', 'flores200']) checkTokenizer(right, '织工用脚提起经线。');
    checkTokenizer('13a', 'Der Weber sagt 织 und 経.');
    checkTokenizer('none', '织工 用 脚 提起 经线 。 然后 打 纬 。'); // tokenised already
    expect(scriptWithoutSpaces('Грабли 123')).toBeNull();
    expect(languageCode('Japanese')).toBe('ja');
  });
});
