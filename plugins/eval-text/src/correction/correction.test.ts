import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errantCompare } from './errant.js';
import { gleu } from './gleu.js';
import { parseM2 } from './m2.js';
import { maxMatch } from './max-match.js';

const gold = `S This are a sentences .
A 1 2|||R:VERB:SVA|||is|||REQUIRED|||-NONE-|||0
A 3 4|||R:NOUN:NUM|||sentence|||REQUIRED|||-NONE-|||0
A 1 2|||R:VERB|||were||are now|||REQUIRED|||-NONE-|||1
A 2 3|||U:DET||||||REQUIRED|||-NONE-|||1

S Nothing is wrong .
A -1 -1|||noop|||-NONE-|||REQUIRED|||-NONE-|||0

S He go home .
A 1 2|||R:VERB:SVA|||goes|||REQUIRED|||-NONE-|||0
A 2 2|||M:ADV|||back|||REQUIRED|||-NONE-|||0
`;

describe('M2', () => {
  it('is read with annotators, alternatives and noop', () => {
    const sentences = parseM2(gold);
    expect(sentences.map(({ source }) => source)).toEqual([
      'This are a sentences .',
      'Nothing is wrong .',
      'He go home .',
    ]);
    expect(sentences[0]!.edits[3]).toEqual({ start: 2, end: 3, type: 'U:DET', correction: '', annotator: 1 });
    expect(sentences[1]!.edits[0]).toMatchObject({ start: -1, end: -1, type: 'noop' });
    expect(parseM2(gold.replaceAll('\n', '\r\n'))).toEqual(sentences);
  });

  it.each([
    ['A 0 1|||X|||y|||REQUIRED|||-NONE-|||0', 'line 1'],
    ['S a b\nA 0 1|||X|||y', 'six fields'],
    ['S a b\nA one 1|||X|||y|||REQUIRED|||-NONE-|||0', 'two places'],
    ['S a b\nA 2 1|||X|||y|||REQUIRED|||-NONE-|||0', 'two places'],
    ['S a b\nA 0 1|||X|||y|||REQUIRED|||-NONE-|||me', 'number of an annotator'],
    ['S a b\nS c d', 'an empty line'],
    ['S a b\nwhat', 'line 2'],
  ])('%j is refused', (text, words) =>
    expect(() => parseM2(text, 'gold.m2')).toThrow(new RegExp(`gold.m2: .*${words}`)),
  );
});

describe('MaxMatch', () => {
  it('counts edits of the annotator that fits best', () => {
    const found = maxMatch(['This is a sentence .', 'Nothing is wrong .', 'He goes back home .'], parseM2(gold));
    expect(found).toMatchObject({
      truePositives: 4,
      falsePositives: 0,
      falseNegatives: 0,
      precision: 1,
      recall: 1,
      f: 1,
      outside: 0,
    });
    const other = maxMatch(['This are now sentences .', 'Nothing is wrong .', 'He go home .'], parseM2(gold));
    expect(other).toMatchObject({ truePositives: 2, falsePositives: 0, falseNegatives: 2 });
  });

  it('cuts edits as the annotation has them', () => {
    // `go home` -> `went back to home`: one edit or three, as the annotation likes.
    const one = parseM2('S He go home .\nA 1 3|||X|||went back to home|||REQUIRED|||-NONE-|||0\n');
    const three = parseM2(
      'S He go home .\nA 1 2|||X|||went|||REQUIRED|||-NONE-|||0\nA 2 2|||X|||back to|||REQUIRED|||-NONE-|||0\n',
    );
    expect(maxMatch(['He went back to home .'], one)).toMatchObject({
      truePositives: 1,
      falsePositives: 0,
      falseNegatives: 0,
    });
    expect(maxMatch(['He went back to home .'], three)).toMatchObject({
      truePositives: 2,
      falsePositives: 0,
      falseNegatives: 0,
    });
    // Without unchanged words inside edits, `went … home` cannot be one.
    expect(maxMatch(['He went back to home .'], one, { maxUnchanged: 0 }).truePositives).toBe(0);
  });

  it('never finds more than there is, and everything where the system is the annotation', () => {
    const tokens = fc.array(fc.constantFrom('a', 'b', 'c', '.'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(tokens, tokens, fc.nat({ max: 5 }), (source, system, at) => {
        const start = Math.min(at, source.length - 1);
        const annotation = parseM2(`S ${source.join(' ')}\nA ${start} ${start + 1}|||X|||z|||REQUIRED|||-NONE-|||0\n`);
        const found = maxMatch([system.join(' ')], annotation);
        expect(found.truePositives + found.falseNegatives).toBe(1);
        const right = [...source.slice(0, start), 'z', ...source.slice(start + 1)];
        expect(maxMatch([right.join(' ')], annotation)).toMatchObject({ truePositives: 1, falsePositives: 0 });
      }),
    );
  });

  it('tells of edits behind the end of their sentence', () => {
    const outside = parseM2('S a b\nA 5 5|||X|||c|||REQUIRED|||-NONE-|||0\n');
    expect(maxMatch(['a b'], outside)).toMatchObject({ truePositives: 0, falseNegatives: 0, outside: 1 });
    expect(() => maxMatch([], outside)).toThrow('expected 1 sentences');
  });
});

describe("ERRANT's comparison", () => {
  const reference = parseM2(gold);
  const hypothesis = parseM2(`S This are a sentences .
A 1 2|||R:VERB|||is|||REQUIRED|||-NONE-|||0
A 2 3|||U:DET||||||REQUIRED|||-NONE-|||0

S Nothing is wrong .
A 0 0|||M:DET|||The|||REQUIRED|||-NONE-|||0

S He go home .
A 1 3|||R:OTHER|||goes home|||REQUIRED|||-NONE-|||0
`);

  it.each([
    ['correction', 1, 3, 3], // `is` of annotator 0; or the deletion of annotator 1: the same F, the first stays
    ['types', 1, 3, 3], // the deletion of annotator 1
    ['spans', 2, 2, 2], // both spans of annotator 1
    ['tokens', 4, 1, 0],
  ] as const)('by %s', (agree, tp, fp, fn) => {
    expect(errantCompare(hypothesis, reference, { agree })).toMatchObject({
      truePositives: tp,
      falsePositives: fp,
      falseNegatives: fn,
    });
  });

  it('takes sizes and types apart', () => {
    expect(errantCompare(hypothesis, reference, { size: 'multi' })).toMatchObject({
      truePositives: 0,
      falsePositives: 1,
    });
    const { types } = errantCompare(reference, reference, { tier: 'operation' });
    expect([...types.keys()].sort()).toEqual(['M', 'R']);
    expect(errantCompare(reference, reference, { without: ['M:ADV'] }).truePositives).toBe(3);
    expect(errantCompare(reference, reference)).toMatchObject({ precision: 1, recall: 1, f: 1 });
    expect(() => errantCompare(hypothesis.slice(1), reference)).toThrow('expected 3 sentences');
  });
});

describe('GLEU', () => {
  it('by hand: rewards a change that was wanted, punishes one that was left', () => {
    const [source, reference] = [['a b c d e'], ['a b x d e']];
    // The source itself: matches less what should have gone, 4 - 1 of 5, 2 - 2 of 4 and so on: a zero makes it 0.
    expect(gleu(source, source, [reference]).score).toBe(0);
    expect(gleu(reference, source, [reference]).score).toBe(1);
    expect(gleu(reference, source, [reference]).deviation).toBe(0);
    // Smoothed: 3/5, 1/4, 1/3, 1/2 with zeros as ones.
    expect(gleu(source, source, [reference]).sentences[0]).toBeCloseTo((3 / 5 / 4 / 3 / 2) ** 0.25, 12);
  });

  it('draws references anew, and refuses what does not fit', () => {
    const [source, first, second] = [['a b c d e f'], ['a b c d e f'], ['g h i j k l']];
    const { score, interval } = gleu(first, source, [first, second]);
    expect(score).toBeGreaterThan(0.3);
    expect(score).toBeLessThan(0.7);
    expect(interval[0]).toBeLessThan(score);
    expect(() => gleu(first, source, [])).toThrow('at least one stream');
    expect(() => gleu(first, source, [['a', 'b']])).toThrow('expected 1 sentences');
  });
});
