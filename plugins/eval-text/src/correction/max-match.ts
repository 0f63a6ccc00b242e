/**
 * MaxMatch (Dahlmeier and Ng 2012), the scorer of the CoNLL shared tasks: of all ways to cut a correction into edits, the
 * one that agrees most with the annotation counts.
 *
 * Shortest path through a lattice of edits in which edits of the annotation weigh less than nothing. Where paths weigh
 * the same, the order of relaxation decides, so that the order of edges is that of the original scorer.
 */

import { fail } from '@heddle/core';
import { trim, words } from '../text/whitespace.js';
import type { EditScore } from './f-score.js';
import { byAnnotator, type M2Sentence } from './m2.js';

export interface MaxMatchResult extends EditScore {
  /** Annotated edits behind the end of their source, which the scorer passes over. */
  readonly outside: number;
}

export interface MaxMatchOptions {
  /** Default 0.5. */
  readonly beta?: number | undefined;
  /** Words within an edit that may stay as they were; default 2. */
  readonly maxUnchanged?: number | undefined;
}

interface Edit {
  readonly kind: 'same' | 'insert' | 'delete' | 'substitute';
  /** Tokens of the source: [start, end). */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly correction: string;
  readonly unchanged: number;
}

/** An edit of the annotation, with every correction that it allows. */
interface Gold {
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly corrections: readonly string[];
}

/** From one vertex of the lattice to another. */
interface Edge {
  readonly from: number;
  readonly to: number;
  edit: Edit;
  /** Steps of the Levenshtein lattice that it is made of. */
  steps: number;
}

interface Lattice {
  readonly vertices: number;
  /** In order of relaxation. An edge that both matrices have stands twice, as in the original. */
  readonly edges: readonly Edge[];
}

/**
 * @param system corrected sentences, tokens parted by spaces
 * @returns counts of edits over the corpus; of several annotators, each sentence takes the one best for the score so far
 * @throws E_ALIGN where numbers of sentences differ, E_CONFIG for numbers that make no sense
 */
export function maxMatch(
  system: readonly string[],
  gold: readonly M2Sentence[],
  { beta = 0.5, maxUnchanged = 2 }: MaxMatchOptions = {},
): MaxMatchResult {
  if (system.length !== gold.length)
    fail(
      'E_ALIGN',
      `maxMatch: expected ${gold.length} sentences as in the annotation, received ${system.length}. Correct the same text.`,
      { expected: gold.length, received: system.length },
    );
  if (!(beta > 0) || !(maxUnchanged >= 0))
    fail(
      'E_CONFIG',
      `maxMatch: expected beta above 0 and maxUnchanged from 0 up, received ${beta} and ${maxUnchanged}. 0.5 and 2 are usual.`,
      { beta, maxUnchanged },
    );
  let [correct, proposed, expected, outside] = [0, 0, 0, 0];
  for (const [at, text] of system.entries()) {
    const { source, edits } = gold[at]!;
    const tokens = words(source);
    const lattice = latticeOf(tokens, words(trim(text)), maxUnchanged);
    let best: { f: number; correct: number; proposed: number; gold: number } | null = null;
    for (const own of byAnnotator(edits).values()) {
      const real = own.filter(({ start }) => start >= 0);
      const annotated = real.filter(({ end }) => end <= tokens.length).map(edit => goldOf(edit, tokens));
      outside += real.length - annotated.length;
      const found = bestEdits(lattice, annotated);
      const one = { correct: agreeing(found, annotated), proposed: found.length, gold: annotated.length, f: 0 };
      one.f = fOf(correct + one.correct, proposed + one.proposed, expected + one.gold, beta);
      const lighter = best !== null && one.proposed + beta ** 2 * one.gold < best.proposed + beta ** 2 * best.gold;
      if (
        best === null ||
        one.f > best.f ||
        (one.f === best.f && (one.correct > best.correct || (one.correct === best.correct && lighter)))
      )
        best = one;
    }
    correct += best!.correct;
    proposed += best!.proposed;
    expected += best!.gold;
  }
  const precision = proposed > 0 ? correct / proposed : 1;
  const recall = expected > 0 ? correct / expected : 1;
  const weight = beta * beta;
  const f = precision + recall > 0 ? ((1 + weight) * precision * recall) / (weight * precision + recall) : 0;
  return {
    truePositives: correct,
    falsePositives: proposed - correct,
    falseNegatives: expected - correct,
    precision,
    recall,
    f,
    outside,
  };
}

function fOf(correct: number, proposed: number, gold: number, beta: number): number {
  const divisor = beta * beta * gold + proposed;
  return divisor === 0 ? 1 : ((1 + beta * beta) * correct) / divisor;
}

const goldOf = (
  { start, end, correction }: { readonly start: number; readonly end: number; readonly correction: string },
  tokens: readonly string[],
): Gold => ({
  start,
  end,
  original: tokens.slice(start, end).join(' '),
  corrections: correction.split('||').map(one => (one === '-NONE-' ? '' : trim(one))),
});

const agrees = (edit: Edit, { start, end, original, corrections }: Gold): boolean =>
  edit.start === start && edit.end === end && edit.original === original && corrections.includes(edit.correction);

/** Both are in the order of the source, and agree in that order. */
function agreeing(edits: readonly Edit[], gold: readonly Gold[]): number {
  let [count, next] = [0, 0];
  for (const edit of edits)
    for (let i = next; i < gold.length; i++)
      if (agrees(edit, gold[i]!)) {
        count++;
        next = i + 1;
      }
  return count;
}

/** Steps of all shortest ways from source to correction, with a substitution at 1 and at 2, and what they merge to. */
function latticeOf(source: readonly string[], target: readonly string[], maxUnchanged: number): Lattice {
  const columns = target.length + 1;
  const found = new Map<number, Edge>(); // by from * vertices + to
  const vertices = (source.length + 1) * columns;
  const edges: Edge[] = [];
  for (const cost of [1, 2])
    for (const step of shortestSteps(source, target, cost)) {
      const key = step.from * vertices + step.to;
      const edge = found.get(key) ?? step;
      found.set(key, edge);
      edges.push(edge);
    }
  edges.sort((a, b) => a.from - b.from || a.to - b.to);

  // Every two edges that meet make one, if it holds few unchanged words and no fewer steps lead there.
  const [into, out] = [new Map<number, Edge[]>(), new Map<number, Edge[]>()];
  const link = (edge: Edge): void => {
    for (const [ends, vertex] of [
      [into, edge.to],
      [out, edge.from],
    ] as const) {
      const known = ends.get(vertex);
      if (known === undefined) ends.set(vertex, [edge]);
      else known.push(edge);
    }
  };
  for (const edge of found.values()) link(edge);
  const met = [...new Set([...into.keys(), ...out.keys()])].sort((a, b) => a - b);
  for (const vertex of met) {
    const before = [...(into.get(vertex) ?? [])].sort((a, b) => a.from - b.from);
    const after = [...(out.get(vertex) ?? [])].sort((a, b) => a.to - b.to);
    for (const left of before)
      for (const right of after) {
        const steps = left.steps + right.steps;
        const key = left.from * vertices + right.to;
        const known = found.get(key);
        if (known !== undefined && known.steps <= steps) continue;
        const edit = merged(left.edit, right.edit);
        if (edit.unchanged > maxUnchanged) continue;
        const edge = known ?? { from: left.from, to: right.to, edit, steps };
        if (known === undefined) {
          found.set(key, edge);
          link(edge);
        } else {
          known.edit = edit;
          known.steps = steps;
        }
        edges.push(edge);
      }
  }
  // Unchanged words need no merging. The original takes such edges out of the list that it walks, and so passes over
  // the one behind each.
  for (let i = 0; i < edges.length; i++)
    if (edges[i]!.edit.kind === 'same' && edges[i]!.steps > 1) edges.splice(edges.indexOf(edges[i]!), 1);
  return { vertices, edges };
}

function merged(a: Edit, b: Edit): Edit {
  const join = (left: string, right: string): string =>
    left === '' ? right : right === '' ? left : `${left} ${right}`;
  return {
    kind: a.kind === b.kind ? a.kind : 'substitute',
    start: a.start,
    end: b.end,
    original: join(a.original, b.original),
    correction: join(a.correction, b.correction),
    unchanged: a.unchanged + b.unchanged,
  };
}

/** Edges of the Levenshtein lattice that lie on a shortest way. A vertex is its row times columns plus its column. */
function shortestSteps(source: readonly string[], target: readonly string[], substitution: number): Edge[] {
  const [n, m, columns] = [source.length, target.length, target.length + 1];
  const cost = new Int32Array((n + 1) * columns);
  for (let i = 0; i <= n; i++)
    for (let j = 0; j <= m; j++) {
      const at = i * columns + j;
      if (i === 0 || j === 0) cost[at] = i + j;
      else
        cost[at] = Math.min(
          cost[at - columns - 1]! + (source[i - 1] === target[j - 1] ? 0 : substitution),
          cost[at - columns]! + 1,
          cost[at - 1]! + 1,
        );
    }
  const edges: Edge[] = [];
  const seen = new Uint8Array(cost.length);
  const queue = [n * columns + m];
  const step = (from: number, to: number, edit: Edit): void => {
    edges.push({ from, to, edit, steps: 1 });
    if (seen[from] === 0) queue.push(from);
    seen[from] = 1;
  };
  for (let next = 0; next < queue.length; next++) {
    const at = queue[next]!;
    const [i, j] = [Math.floor(at / columns), at % columns];
    const [original, correction] = [source[i - 1] ?? '', target[j - 1] ?? ''];
    const same = original === correction;
    if (i > 0 && j > 0 && cost[at] === cost[at - columns - 1]! + (same ? 0 : substitution))
      step(at - columns - 1, at, {
        kind: same ? 'same' : 'substitute',
        start: i - 1,
        end: i,
        original,
        correction,
        unchanged: same ? 1 : 0,
      });
    if (i > 0 && cost[at] === cost[at - columns]! + 1)
      step(at - columns, at, { kind: 'delete', start: i - 1, end: i, original, correction: '', unchanged: 0 });
    if (j > 0 && cost[at] === cost[at - 1]! + 1)
      step(at - 1, at, { kind: 'insert', start: i, end: i, original: '', correction, unchanged: 0 });
  }
  return edges;
}

/** What an edit that is not annotated costs beyond its steps. */
const unwanted = 0.001;

/** Edits of the shortest path, in the order of the source. */
function bestEdits({ vertices, edges }: Lattice, gold: readonly Gold[]): readonly Edit[] {
  const weights = weighted(edges, gold);
  const distance = new Float64Array(vertices).fill(Infinity);
  const last = new Array<Edge | null>(vertices).fill(null);
  distance[0] = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (const edge of edges) {
      const through = distance[edge.from]! + weights.get(edge)!;
      if (!(through < distance[edge.to]!)) continue;
      distance[edge.to] = through;
      last[edge.to] = edge;
      changed = true;
    }
  }
  const found: Edit[] = [];
  for (let edge = last[vertices - 1] ?? null; edge !== null; edge = last[edge.from] ?? null)
    if (edge.edit.kind !== 'same') found.push(edge.edit);
  return found.reverse();
}

/**
 * Weights for one annotator: annotated edits are worth more than any path can cost.
 *
 * Insertions at one place are matched from both ends inward, so that of two equal insertions each annotated one is found
 * once; deletions and substitutions need no care. An edge that stands twice in the list is looked at twice.
 */
function weighted(edges: readonly Edge[], gold: readonly Gold[]): ReadonlyMap<Edge, number> {
  const weights = new Map(edges.map(edge => [edge, edge.steps]));
  const raise = (edge: Edge): void => void weights.set(edge, weights.get(edge)! + unwanted);
  const prize = -edges.length;
  const places = new Map<string, { edges: Edge[]; gold: Gold[] }>();
  for (const edge of edges) {
    const key = `${edge.edit.start} ${edge.edit.end}`;
    const known = places.get(key);
    if (known === undefined)
      places.set(key, {
        edges: [edge],
        gold: gold.filter(g => g.start === edge.edit.start && g.end === edge.edit.end),
      });
    else known.edges.push(edge);
  }
  for (const place of places.values()) {
    const own = place.edges.sort((a, b) => a.from - b.from || a.to - b.to);
    if (own[0]!.edit.start !== own[0]!.edit.end) {
      for (const edge of own) {
        if (place.gold.some(one => agrees(edge.edit, one))) weights.set(edge, prize);
        else if (edge.edit.kind !== 'same') raise(edge);
      }
      continue;
    }
    let [left, right, at] = [0, own.length - 1, 0];
    let [firstGold, lastGold] = [0, place.gold.length - 1];
    while (left <= right) {
      const edge = own[at]!;
      const forward = at === left;
      let hit = -1;
      if (forward)
        for (let i = firstGold; i <= lastGold && hit < 0; i++) hit = agrees(edge.edit, place.gold[i]!) ? i : -1;
      else for (let i = lastGold; i >= firstGold && hit < 0; i--) hit = agrees(edge.edit, place.gold[i]!) ? i : -1;
      if (hit < 0) {
        raise(edge);
        if (forward) {
          left++;
          at = right;
        } else {
          right--;
          at = left;
        }
        continue;
      }
      weights.set(edge, prize);
      if (forward) {
        firstGold = hit + 1;
        // Go on behind this insertion: those that overlap it can no longer be taken.
        for (left++; left < own.length && own[left]!.from !== edge.to; left++) raise(own[left]!);
        at = left;
      } else {
        lastGold = hit - 1;
        for (right--; right >= 0 && own[right]!.to !== edge.from; right--) raise(own[right]!);
        at = right;
      }
    }
  }
  return weights;
}
