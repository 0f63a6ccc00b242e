/** A text with parallel thinking as text, blocks, paths and summaries. */

import { tagTexts } from './tags.js';

/** Character offsets into the text that was parsed, tags included; the end is not. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface PathPart extends Span {
  readonly kind: 'path';
  /** Between the tags. Other tags inside are text. */
  readonly text: string;
  readonly closed: boolean;
}

export interface BlockPart extends Span {
  readonly kind: 'block';
  readonly paths: readonly PathPart[];
  readonly closed: boolean;
}

export interface SummaryPart extends Span {
  readonly kind: 'summary';
  readonly text: string;
  readonly closed: boolean;
}

export interface TextPart extends Span {
  readonly kind: 'text';
  readonly text: string;
}

export type Part = TextPart | BlockPart | SummaryPart;

/** From an opening tag at `start` up to and with its closing one, or to `limit`. */
function closedBy(text: string, start: number, open: string, close: string, limit: number) {
  const at = text.indexOf(close, start + open.length);
  const closed = at >= 0 && at + close.length <= limit;
  return {
    start,
    end: closed ? at + close.length : limit,
    text: text.slice(start + open.length, closed ? at : limit),
    closed,
  };
}

/** The path that opens at `start`: it ends at the next `</Path>`, whatever stands before that. */
const pathAt = (text: string, start: number): PathPart => ({
  kind: 'path',
  ...closedBy(text, start, tagTexts.path, tagTexts.endPath, text.length),
});

function blockAt(text: string, start: number): BlockPart {
  const paths: PathPart[] = [];
  let at = start + tagTexts.parallel.length;
  for (;;) {
    const [path, close] = [text.indexOf(tagTexts.path, at), text.indexOf(tagTexts.endParallel, at)];
    if (path >= 0 && (close < 0 || path < close)) {
      const found = pathAt(text, path);
      paths.push(found);
      at = found.end;
    } else if (close >= 0) {
      return { kind: 'block', start, end: close + tagTexts.endParallel.length, paths, closed: true };
    } else {
      return { kind: 'block', start, end: text.length, paths, closed: false };
    }
  }
}

/**
 * Parts that cover the text without gaps. Never fails: tags that open nothing are text, what is never closed reaches to
 * the end and says so.
 */
export function parseThinking(text: string): readonly Part[] {
  const parts: Part[] = [];
  let from = 0;
  const opening = /<(?:Parallel|Summary)>/g;
  for (let match = opening.exec(text); match; match = opening.exec(text)) {
    const { index } = match;
    if (index > from) parts.push({ kind: 'text', start: from, end: index, text: text.slice(from, index) });
    const part: Part =
      match[0] === tagTexts.parallel
        ? blockAt(text, index)
        : { kind: 'summary', ...closedBy(text, index, tagTexts.summary, tagTexts.endSummary, text.length) };
    parts.push(part);
    from = part.end;
    opening.lastIndex = from;
  }
  if (from < text.length) parts.push({ kind: 'text', start: from, end: text.length, text: text.slice(from) });
  return parts;
}
