/** How alike the paths of blocks are, and how much shorter reading them side by side is. */

import { bleu, sentenceScore } from '@heddle/eval-text';
import { tagTexts, withoutTags } from '../grammar/tags.js';

interface ClosedBlock {
  /** Between the tags. */
  readonly inside: string;
  readonly start: number;
  readonly end: number;
}

/** Stretches between an opening tag and the next closing one. */
function between(text: string, open: string, close: string): readonly ClosedBlock[] {
  const found: ClosedBlock[] = [];
  for (let start = text.indexOf(open); start >= 0;) {
    const at = text.indexOf(close, start + open.length);
    if (at < 0) break;
    const end = at + close.length;
    found.push({ inside: text.slice(start + open.length, at), start, end });
    start = text.indexOf(open, end);
  }
  return found;
}

const blocksOf = (text: string): readonly ClosedBlock[] => between(text, tagTexts.parallel, tagTexts.endParallel);
const pathsOf = (block: string): readonly string[] =>
  between(block, tagTexts.path, tagTexts.endPath).map(({ inside }) => inside.trim());
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Paths of one block that are compared: the work grows with their square, and a text may be made of paths alone. */
const mostPaths = 32;

const metric = /* @__PURE__ */ bleu({ effectiveOrder: true });

/**
 * Mean over closed blocks of the mean sentence BLEU of each path against each later one, from 0 to 1. 1 for a text without
 * blocks, and for a block of fewer than two paths. Of a block's paths the first 32 count.
 */
export function selfBleu(text: string): number {
  const blocks = blocksOf(text).map(({ inside }) => {
    const paths = pathsOf(inside).slice(0, mostPaths);
    const pairs = paths.flatMap((path, i) =>
      paths.slice(i + 1).map(later => sentenceScore(metric, path, [later]).score / 100),
    );
    return pairs.length === 0 ? 1 : mean(pairs);
  });
  return blocks.length === 0 ? 1 : mean(blocks);
}

const words = (text: string): number => text.split(/\s+/).filter(word => word !== '').length;

export interface Efficiency {
  /** Share of words that a reader of the longest path of each block does not meet, at least 0. */
  readonly gain: number;
  /** Words of the whole text, tags taken away. */
  readonly total: number;
  /** Words outside blocks, of each block's longest path, and of summaries inside blocks. */
  readonly traversed: number;
}

/** Words are what white-space parts once the tags are gone, so that neighbours of a tag can be one word. */
export function efficiency(text: string): Efficiency {
  const blocks = blocksOf(text);
  const outside = blocks.reduceRight((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
  const inside = blocks.map(({ inside: block }) => {
    const summaries = between(block, tagTexts.summary, tagTexts.endSummary).map(part => words(part.inside));
    return Math.max(0, ...pathsOf(block).map(words)) + summaries.reduce((a, b) => a + b, 0);
  });
  const total = words(withoutTags(text));
  const traversed = words(withoutTags(outside)) + inside.reduce((a, b) => a + b, 0);
  return { gain: total === 0 ? 0 : Math.max((total - traversed) / total, 0), total, traversed };
}
