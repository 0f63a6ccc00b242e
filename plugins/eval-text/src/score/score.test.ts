/** `heddle score` as it is called: files in, lines out. */

import { createHost, type CommandCall } from '@heddle/core';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import plugin from '../index.js';
import { sacrebleu } from '../testing/sacrebleu.js';
import { commands } from '../commands.js';

const { hypotheses, others, references } = sacrebleu;
const chinese = ['织工用脚提起经线。', '梭子穿过梭口。', '布又长了一寸。'];

let folder = '';
const at = (name: string): string => join(folder, name);
const put = (name: string, lines: readonly (string | null)[]): Promise<void> =>
  writeFile(at(name), lines.map(line => `${line ?? ''}\n`).join(''));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-score-'));
  await put('ref.txt', references[0]!);
  await put('ref2.txt', references[1]!);
  await put('a.txt', hypotheses);
  await put('b.txt', others);
  await put('zh.txt', chinese);
  await put('zh.hyp.txt', ['织工用脚抬起经线。', '梭子穿过梭口。', '布长了一寸。']);
  await put('docs.txt', ['one', 'one', 'one', 'two', 'two', 'two']);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly notes: readonly string[];
}

/** @param options as commander gives them */
async function score(options: Readonly<Record<string, unknown>>): Promise<Ran> {
  const host = createHost({ plugins: [plugin] });
  const [out, notes]: [string[], string[]] = [[], []];
  const call: CommandCall = {
    args: [],
    options,
    signal: new AbortController().signal,
    print: text => void out.push(...text.split('\n')),
    note: text => void notes.push(text),
  };
  try {
    return { code: await commands[0]!.run(call, host), out, notes };
  } finally {
    await host.close();
  }
}
const files = (...names: readonly string[]): readonly string[] => names.map(at);
const line = (metric: string, count: number): string => {
  const { formatted, signature } = sacrebleu.corpus.find(row => row.metric === metric && row.references === count)!;
  return formatted.replace(' = ', `|${signature} = `);
};

describe('one system', () => {
  it("gives sacreBLEU's lines", async () => {
    const ran = await score({ ref: files('ref.txt'), hyp: files('a.txt'), metric: 'bleu,chrf,chrf++,ter' });
    expect(ran).toMatchObject({ code: 0, out: ['bleu', 'chrf', 'chrf++', 'ter'].map(name => line(name, 1)) });
    expect(ran.notes).toEqual(['a.txt: 1 empty line (5), scored as it is']);
  });

  it('takes several references, and an empty line for none if asked', async () => {
    expect((await score({ ref: files('ref.txt', 'ref2.txt'), hyp: files('a.txt'), missing: true })).out).toEqual([
      line('bleu', 2),
      line('chrf', 2),
    ]);
    const whole = await score({ ref: files('ref.txt', 'ref2.txt'), hyp: files('a.txt') });
    expect(whole.out[0]).toContain('nrefs:2|');
    expect(whole.notes.join()).toContain('ref2.txt: 1 empty line (3)');
  });

  it('as JSON, by sentence, by document', async () => {
    const json = (
      await score({
        ref: files('ref.txt'),
        hyp: files('a.txt'),
        metric: 'bleu',
        json: true,
        confidence: true,
        samples: '100',
      })
    ).out.map(text => JSON.parse(text) as Record<string, unknown>);
    expect(json[0]).toMatchObject({
      type: 'score',
      system: 'a.txt',
      metric: 'BLEU',
      systemLength: 38,
      referenceLength: 46,
      mean: expect.any(Number) as number,
    });
    const sentences = (
      await score({ ref: files('ref.txt'), hyp: files('a.txt'), metric: 'bleu,ter', sentenceLevel: true, width: '4' })
    ).out;
    expect(sentences[0]).toBe('segment\ta.txt BLEU\ta.txt TER');
    expect(sentences.slice(1)).toEqual(
      sacrebleu.sentences.map(({ bleu, ter }, i) => `${i + 1}\t${bleu.toFixed(4)}\t${ter.toFixed(4)}`),
    );
    const documents = (
      await score({ ref: files('ref.txt'), hyp: files('a.txt'), metric: 'chrf', docs: at('docs.txt') })
    ).out;
    expect(documents.filter(text => /^(one|two) /.test(text))).toHaveLength(2);
  });
});

describe('several systems', () => {
  it('are compared by the same draws as in sacreBLEU', async () => {
    const { out } = await score({
      ref: files('ref.txt', 'ref2.txt'),
      hyp: files('a.txt', 'b.txt'),
      missing: true,
      metric: 'bleu,chrf,ter',
      pairedBs: true,
      samples: '200',
      json: true,
    });
    const rows = out.map(text => JSON.parse(text) as { system: string; metric: string; p?: number; signature: string });
    for (const [metric, { signature, results }] of Object.entries(sacrebleu.paired.bs)) {
      const own = rows.filter(row => row.metric === metric);
      expect(own.map(row => row.signature)).toEqual([signature, signature]);
      expect(own.map(row => row.p ?? null)).toEqual(results.map(({ p }) => p));
    }
  });

  it('as a table, whose marks are for differences only', async () => {
    await put('c.txt', hypotheses);
    const { out } = await score({
      ref: files('ref.txt'),
      hyp: files('a.txt', 'b.txt', 'c.txt'),
      pairedAr: true,
      samples: '500',
    });
    expect(out[2]).toMatch(/^Baseline: a\.txt +43\.87/);
    expect(out[4]).toMatch(/^c\.txt +43\.87 p = 0\.0020 +65\.12 p = 0\.0020$/); // sacreBLEU's p for no difference at all, unmarked
    expect(out.at(-1)).toMatch(/^chrF2\|nrefs:1\|ar:500\|seed:12345/);
  });

  it('from TSV and JSONL', async () => {
    await writeFile(
      at('t.tsv'),
      ['src\tref\tA\tB', ...hypotheses.map((text, i) => `s\t${references[0]![i]!}\t${text}\t${others[i]!}`)].join('\n'),
    );
    await writeFile(
      at('t.jsonl'),
      hypotheses
        .map((text, i) => JSON.stringify({ id: i, ref: references.map(stream => stream[i]), A: text, B: others[i] }))
        .join('\n'),
    );
    const tsv = await score({ data: at('t.tsv'), metric: 'bleu' });
    expect(tsv.out[2]).toMatch(/^A +43\.87$/);
    const jsonl = await score({ data: at('t.jsonl'), hyp: ['A'], metric: 'bleu,chrf' });
    expect(jsonl.out).toEqual([line('bleu', 2), line('chrf', 2)]);
  });
});

describe('other metrics', () => {
  it('of summaries, labels and matches', async () => {
    const rouge = await score({ ref: files('ref.txt'), hyp: files('a.txt'), metric: 'rouge', stem: true });
    expect(rouge.out.map(text => text.split('|')[0])).toEqual(['rouge1', 'rouge2', 'rougeL', 'rougeLsum']);
    await put('labels.txt', ['1', '0', '1', '0']);
    await put('guess.txt', ['1', '1', '1', '0']);
    await put('scores.txt', ['0.9', '0.4', '0.8', '0.1']);
    expect(
      (await score({ ref: files('labels.txt'), hyp: files('guess.txt'), metric: 'accuracy,mcc,exact-match' })).out,
    ).toEqual([
      'accuracy = 75.00 (4 samples, 2 classes)',
      'mcc = 0.58 (4 samples, 2 classes)',
      'exact match|nrefs:1|case:mixed|like:heddle = 75.00 3 of 4',
    ]);
    expect((await score({ ref: files('labels.txt'), hyp: files('scores.txt'), metric: 'auroc' })).out).toEqual([
      'AUROC = 1.00 (2 of 4 positive)',
    ]);
    await expect(
      score({ ref: files('labels.txt'), hyp: files('docs.txt').concat(), metric: 'auroc' }),
    ).rejects.toMatchObject({ code: 'E_ALIGN' });
  });

  it('of corrections', async () => {
    await writeFile(at('gold.m2'), 'S He go .\nA 1 2|||R:VERB|||goes|||REQUIRED|||-NONE-|||0\n\n');
    await writeFile(at('own.m2'), 'S He go .\nA 1 2|||R:VERB|||went|||REQUIRED|||-NONE-|||0\n\n');
    await put('corrected.txt', ['He goes .']);
    expect((await score({ ref: files('gold.m2'), hyp: files('corrected.txt'), metric: 'm2' })).out[2]).toMatch(
      / m2 +1 +0 +0 +1\.0000 +1\.0000 +1\.0000$/,
    );
    expect(
      (await score({ ref: files('gold.m2'), hyp: files('own.m2'), metric: 'errant', agree: 'spans' })).out[2],
    ).toMatch(/ errant +1 +0 +0 /);
    await put('source.txt', ['He go .']);
    await put('fixed.txt', ['He goes .']);
    expect(
      (
        await score({ ref: files('fixed.txt'), hyp: files('corrected.txt'), src: at('source.txt'), metric: 'gleu' })
      ).notes.join(),
    ).toContain('every line is that of the first reference');
  });

  it('of languages', async () => {
    await put('en.txt', [
      'the weaver lifts the warp with her foot',
      'and the shuttle carries the weft through the shed',
    ]);
    await put('de.txt', [
      'die Weberin hebt die Kette mit dem Fuß',
      'und das Schiffchen trägt den Schuss durch das Fach',
    ]);
    await put('out.txt', ['die Kette und das Schiffchen', 'the warp and the shuttle']);
    await put('out.ref.txt', ['die Kette und das Schiff', 'die Kette und das Schiff']);
    const ran = await score({
      ref: files('out.ref.txt'),
      hyp: files('out.txt'),
      metric: 'off-target',
      targetLanguage: 'de',
      languageText: [`en=${at('en.txt')}`, `de=${at('de.txt')}`],
    });
    expect(ran.out).toEqual(['off-target = 50.00 (1 of 2, 1 en)']);
  });
});

describe('the tokeniser', () => {
  it('is that of the target language, or of the script of the references', async () => {
    const seen = await score({ ref: files('zh.txt'), hyp: files('zh.hyp.txt'), metric: 'bleu' });
    expect(seen.out[0]).toContain('|tok:zh|');
    expect(seen.notes).toContain('Tokeniser of BLEU: zh, for references in Chinese');
    expect(
      (await score({ ref: files('zh.txt'), hyp: files('zh.hyp.txt'), metric: 'bleu', targetLanguage: 'zh_CN' })).out,
    ).toEqual(seen.out);
    expect(
      (await score({ ref: files('ref.txt'), hyp: files('a.txt'), metric: 'bleu', targetLanguage: 'th' })).out[0],
    ).toContain('|tok:char|');
  });

  it('is refused where it is plainly wrong, unless forced', async () => {
    const wrong = { ref: files('zh.txt'), hyp: files('zh.hyp.txt'), metric: 'bleu', tokenize: '13a' };
    await expect(score(wrong)).rejects.toMatchObject({
      code: 'E_TOKENIZE',
      message: expect.stringContaining("Take 'zh'") as string,
    });
    expect((await score({ ...wrong, force: true })).out[0]).toContain('|tok:13a|');
    await expect(score({ ...wrong, tokenize: '14b' })).rejects.toMatchObject({ code: 'E_UNKNOWN' });
    await expect(score({ ...wrong, tokenize: 'flores200' })).rejects.toMatchObject({
      code: 'E_UNAVAILABLE',
      message: expect.stringContaining('--tokenizer-file') as string,
    });
  });
});

describe('what cannot be scored is named', () => {
  it('files of other lengths, with what is too much', async () => {
    await put('short.txt', hypotheses.slice(0, 4));
    await writeFile(at('long.txt'), `${hypotheses.join('\n')}\n\n`);
    await expect(score({ ref: files('ref.txt'), hyp: files('short.txt') })).rejects.toMatchObject({
      code: 'E_ALIGN',
      message: expect.stringMatching(
        /short\.txt: expected 6 lines as in .*ref\.txt, received 4.*ends before line 5/,
      ) as string,
    });
    await expect(score({ ref: files('ref.txt'), hyp: files('long.txt') })).rejects.toMatchObject({
      message: expect.stringContaining('The last line of') as string,
    });
  });

  it('a reference that is the output, by any name, and an output given twice', async () => {
    await symlink(at('ref.txt'), at('link.txt')).catch(() => {});
    await expect(score({ ref: files('ref.txt'), hyp: files('ref.txt') })).rejects.toMatchObject({ code: 'E_SAME' });
    await expect(score({ ref: files('ref.txt'), hyp: files('link.txt') })).rejects.toMatchObject({ code: 'E_SAME' });
    await expect(score({ ref: files('ref.txt'), hyp: files('a.txt', 'a.txt') })).rejects.toMatchObject({
      code: 'E_SAME',
    });
    expect(
      (await score({ ref: files('ref.txt'), hyp: files('ref.txt'), force: true, metric: 'chrf' })).out[0],
    ).toContain('= 100.00');
  });

  it.each([
    ['tsv', 'src\tref\tA\nx\ty\n', 'E_COLUMN', /expected 3 fields in line 2/],
    ['tsv', 'x\ty\nx\ty\n', 'E_COLUMN', /a column of references, received x, y/],
    ['tsv', '', 'E_EMPTY', /an empty file/],
    ['jsonl', '{"ref":"a","A":"b"}\n{', 'E_JSON', /in line 2/],
    ['jsonl', '{"ref":"a","A":"b"}\n[]', 'E_JSON', /a JSON object in line 2/],
    ['jsonl', '{"ref":"a","A":"b"}\n{"ref":"a"}', 'E_COLUMN', /a text under 'A' in line 2, received nothing/],
    ['jsonl', '{"ref":"a","A":"b"}\n{"ref":[1],"A":"b"}', 'E_COLUMN', /under 'ref' in line 2, received 1/],
    ['jsonl', '{"ref":["a"],"A":"b"}\n{"ref":[],"A":"b"}', 'E_REFERENCE', /segment 2: expected a reference/],
  ])('a table in %s: %j', async (ending, content, code, words) => {
    await writeFile(at(`bad.${ending}`), content);
    await expect(score({ data: at(`bad.${ending}`) })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(words) as string,
    });
  });

  it.each([
    [{}, 'E_USAGE'],
    [{ ref: ['r'] }, 'E_USAGE'],
    [{ ref: ['r'], hyp: ['h'], pairedBs: true, pairedAr: true }, 'E_USAGE'],
    [{ ref: ['r'], hyp: ['h'], samples: 'many' }, 'E_OPTION'],
    [{ ref: ['r'], hyp: ['h'], languageText: ['en'] }, 'E_OPTION'],
    [{ ref: ['nowhere.txt'], hyp: ['h'] }, 'E_IO'],
    [{ ref: ['r'], hyp: ['h'], metric: 'm2,bleu' }, 'E_USAGE'],
  ])('%j', async (options, code) => {
    await expect(score(options)).rejects.toMatchObject({ code });
  });

  it('metrics that are none, or lack something', async () => {
    const base = { ref: files('ref.txt'), hyp: files('a.txt') };
    await expect(score({ ...base, metric: 'comet' })).rejects.toMatchObject({
      code: 'E_UNKNOWN',
      message: expect.stringContaining("received 'comet'") as string,
    });
    await expect(score({ ...base, metric: 'gleu' })).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(score({ ...base, metric: 'off-target' })).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(score({ ...base, pairedBs: true })).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(score({ ...base, metric: 'mcc', sentenceLevel: true })).rejects.toMatchObject({ code: 'E_USAGE' });
  });

  it('text that is tokenised already', async () => {
    await put(
      'tok.txt',
      Array.from({ length: 120 }, (_, i) => `warp ${i} .`),
    );
    await put(
      'tok.ref.txt',
      Array.from({ length: 120 }, (_, i) => `the warp ${i}.`),
    );
    expect((await score({ ref: files('tok.ref.txt'), hyp: files('tok.txt') })).notes.join()).toContain(
      '120 lines end in a full stop parted by a space',
    );
  });
});

describe('the report', () => {
  it('is one file that asks nothing of the network, and holds texts as text', async () => {
    await put('evil.txt', [
      '</script><script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '\u2028',
      'plain',
      'plain',
      'plain',
    ]);
    const { notes } = await score({
      ref: files('ref.txt'),
      hyp: files('a.txt', 'evil.txt'),
      metric: 'bleu,ter',
      pairedBs: true,
      samples: '50',
      report: at('r.html'),
    });
    expect(notes).toContain(`Report: ${at('r.html')}`);
    const page = await readFile(at('r.html'), 'utf8');
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page).not.toMatch(/(src|href)="?https?:|url\(|@import|import\(/);
    const data = JSON.parse(/<script id="data" type="application\/json">(.*?)<\/script>/s.exec(page)![1]!) as {
      systems: string[];
      segments: { hypotheses: string[] }[];
      metrics: { scores: number[][] }[];
    };
    expect(data.systems).toEqual(['a.txt', 'evil.txt']);
    expect(data.segments[0]!.hypotheses[1]).toBe('</script><script>alert(1)</script>');
    expect(data.metrics[0]!.scores[0]).toEqual(
      sacrebleu.sentences.map(({ bleu }) => expect.closeTo(bleu, 3) as number),
    );
    // The program of the page is whole: it parses, and names nothing but what a browser has.
    const program = /<script>(\(.*\)\(\);)<\/script>/s.exec(page)![1]!;
    expect(() => new Function(program)).not.toThrow(); // oxlint-disable-line no-new-func -- parsed, not run
  });
});
