/** The commands of this package: descriptions only. What they do is loaded when they run. */

import type { Command } from '@heddle/core';

const score: Command = {
  name: 'score',
  describe: 'Score system outputs: BLEU, chrF, TER, ROUGE and more, with significance tests and a report.',
  options: [
    {
      flags: '--ref <files...>',
      describe: 'references, a file for each stream; with --data, names of columns (default: ref)',
      many: true,
    },
    {
      flags: '--hyp <files...>',
      describe: 'system outputs, the baseline first; with --data, names of columns (default: all others)',
      many: true,
    },
    {
      flags: '--data <file>',
      describe: 'one TSV (first line: names of columns) or JSONL file with references and outputs',
    },
    {
      flags: '--metric <list>',
      describe:
        'bleu, chrf, chrf++, ter, rouge, rouge1 to rouge9, rougeL, rougeLsum, exact-match, token-accuracy, accuracy, macro-f1, mcc, auroc, gleu, m2, errant, off-target; parted by commas (default: bleu,chrf)',
    },
    {
      flags: '--target-language <code>',
      describe: 'language of the outputs, which chooses the tokeniser: de, zh, ja (default: seen from the references)',
    },
    {
      flags: '--tokenize <name>',
      describe:
        'for BLEU: 13a, intl, char, zh, none, or an optional one: ja-mecab, ko-mecab, flores101, flores200, spBLEU-1K',
    },
    {
      flags: '--tokenizer-file <path>',
      describe: 'what an optional tokeniser needs: a SentencePiece model, the program mecab with its options',
    },
    { flags: '--lowercase', describe: 'without regard to case' },
    {
      flags: '--smooth <method>',
      describe: 'for BLEU: exp, floor, add-k, none (default: exp)',
      choices: ['exp', 'floor', 'add-k', 'none'],
    },
    { flags: '--smooth-value <x>', describe: 'for floor (default: 0.1) and add-k (default: 1)' },
    { flags: '--stem', describe: 'for ROUGE: compare Porter stems' },
    { flags: '--ter-normalized', describe: 'for TER: part punctuation from words' },
    { flags: '--ter-asian', describe: 'for TER: with --ter-normalized, cut Chinese and Japanese into characters' },
    { flags: '--missing', describe: 'an empty line in a reference means that the segment has none in that file' },
    { flags: '--confidence', describe: 'intervals by bootstrap' },
    { flags: '--paired-bs', describe: 'paired bootstrap against the first system' },
    { flags: '--paired-ar', describe: 'paired approximate randomisation against the first system' },
    { flags: '--samples <n>', describe: 'resamples (default: 1000), or trials of --paired-ar (default: 10000)' },
    { flags: '--seed <n>', describe: 'of the draws, which are those of sacreBLEU (default: 12345)' },
    { flags: '--sentence-level', describe: 'a score for each segment' },
    { flags: '--docs <file>', describe: 'a name for each segment: scores of documents' },
    { flags: '--src <file>', describe: 'source texts: for gleu, and shown in the report' },
    { flags: '--beta <x>', describe: 'for m2 and errant (default: 0.5)' },
    {
      flags: '--agree <what>',
      describe: 'for errant: correction, types, spans, tokens (default: correction)',
      choices: ['correction', 'types', 'spans', 'tokens'],
    },
    {
      flags: '--language-text <pairs...>',
      describe: 'for off-target: text of each language, as en=english.txt de=german.txt',
      many: true,
    },
    {
      flags: '--report <file>',
      describe: 'write an HTML page: systems side by side, differences by sentence, distributions',
    },
    { flags: '--width <n>', describe: 'digits after the point (default: 2)' },
    { flags: '--force', describe: 'score although the tokeniser looks wrong, or a file is both reference and output' },
  ],
  examples: [
    'score --ref ref.txt --hyp system.txt',
    'score --ref ref.txt --hyp baseline.txt new.txt --metric bleu,chrf,ter --paired-bs',
    'score --data outputs.tsv --target-language zh --metric bleu,chrf --paired-ar --json',
    'score --ref summaries.txt --hyp system.txt --metric rouge --stem --confidence',
    'score --ref ref.txt --hyp a.txt b.txt --paired-bs --report report.html',
    'score --ref gold.m2 --hyp corrected.txt --metric m2',
  ],
  run: async (call, host) => (await import('./score/run.node.js')).runScore(call, host),
};

export const commands: readonly Command[] = [score];
