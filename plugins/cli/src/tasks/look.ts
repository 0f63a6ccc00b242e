/** What a model looks at while it writes a sentence, and how alike its heads are. */

import {
  bind,
  i32,
  f32,
  parameterTypes,
  trace,
  type Backend,
  type EncoderDecoderModel,
  type HostTensor,
  type KernelSource,
  type Types,
} from '@heddle/core';
import { endsOf, sourceIds, type Pair, type Tokenizer } from '@heddle/text';
import type { ReportHeatMap } from '@heddle/tracker-report';

export interface Look {
  /** Words and parts of words, the source's and those that the text is read as. */
  readonly source: readonly string[];
  readonly text: readonly string[];
  /** By block: [N][S], the mean over heads. */
  readonly maps: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** By block: mean cosine between the maps of two different heads (1: all look at the same); null for one head. */
  readonly similarity: Readonly<Record<string, number | null>>;
}

/** @returns null for a model without maps */
export async function lookAt(
  model: EncoderDecoderModel,
  parameters: Readonly<Record<string, HostTensor>>,
  { source, target }: Pair,
  { tokenizer, backend, kernels }: { readonly tokenizer: Tokenizer; readonly backend: Backend; readonly kernels: KernelSource }, // prettier-ignore
): Promise<Look | null> {
  if (!model.maps) return null;
  const { begin } = endsOf(tokenizer);
  const read = [...sourceIds(source, tokenizer)].slice(0, model.sourceLength);
  const text = [begin, ...tokenizer.encode(target)].slice(0, model.length);
  const types = parameterTypes(model);
  const names = Object.keys(types);
  const inputs: Types = {
    ...Object.fromEntries(names.map(name => [`params.${name}`, types[name]!])),
    source: i32(1, read.length),
    sourceMask: f32(1, read.length),
    ids: i32(1, text.length),
  };
  const graph = trace(inputs, given => {
    const params = Object.fromEntries(names.map(name => [name, given[`params.${name}`]!]));
    const [own, sourceMask, ids] = [given['source']!, given['sourceMask']!, given['ids']!];
    return model.maps!(bind(model, params, { training: false }), { source: own, sourceMask, ids });
  });
  const constants = Object.fromEntries(names.map(name => [`params.${name}`, parameters[name]!]));
  const executable = await backend.compile(graph, { name: 'maps', constants, kernels });
  try {
    const { outputs } = await executable.run({
      source: { dtype: 'i32', shape: [1, read.length], data: Int32Array.from(read) },
      sourceMask: { dtype: 'f32', shape: [1, read.length], data: new Float32Array(read.length).fill(1) },
      ids: { dtype: 'i32', shape: [1, text.length], data: Int32Array.from(text) },
    });
    const word = (id: number): string => tokenizer.decode([id]);
    return {
      source: read.map((id, i) => (i === read.length - 1 ? '·' : word(id))),
      text: text.map((id, i) => (i === 0 ? '·' : word(id))),
      maps: Object.fromEntries(Object.entries(outputs).map(([block, map]) => [block, meanOfHeads(map)])),
      similarity: Object.fromEntries(Object.entries(outputs).map(([block, map]) => [block, similarityOf(map)])),
    };
  } finally {
    await executable.close();
  }
}

/** @shape [1, H, N, S] -> [N][S] */
function meanOfHeads({ shape, data }: HostTensor): readonly (readonly number[])[] {
  const [, H, N, S] = shape as readonly [number, number, number, number];
  return Array.from({ length: N }, (_, n) =>
    Array.from({ length: S }, (__, s) => {
      let sum = 0;
      for (let h = 0; h < H; h++) sum += data[(h * N + n) * S + s]!;
      return sum / H;
    }),
  );
}

/** Mean cosine over pairs of different heads, as whole maps (EIT, Zheng et al. 2024). @shape [1, H, N, S] */
export function similarityOf({ shape, data }: HostTensor): number | null {
  const [, H, N, S] = shape as readonly [number, number, number, number];
  if (H < 2) return null;
  const heads = Array.from({ length: H }, (_, h) => data.subarray(h * N * S, (h + 1) * N * S));
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
    return sum;
  };
  let sum = 0;
  for (let i = 0; i < H; i++)
    for (let j = 0; j < i; j++) sum += dot(heads[i]!, heads[j]!) / Math.sqrt(dot(heads[i]!, heads[i]!) * dot(heads[j]!, heads[j]!)); // prettier-ignore
  return sum / ((H * (H - 1)) / 2);
}

/** Over all blocks; null without any. */
export function meanSimilarity({ similarity }: Look): number | null {
  const all = Object.values(similarity).filter(x => x !== null);
  return all.length === 0 ? null : all.reduce((a, b) => a + b, 0) / all.length;
}

/** For the report: what each model's last block looks at, and how alike the heads of its blocks are. */
export function lookMaps(
  looks: readonly { readonly name: string; readonly look: Look | null }[],
): readonly ReportHeatMap[] {
  // prettier-ignore
  const seen = looks.flatMap(({ name, look }) => (look ? [{ name, look }] : []));
  if (seen.length === 0) return [];
  const blocks = [...new Set(seen.flatMap(({ look }) => Object.keys(look.similarity)))];
  const last = ({ maps }: Look, ending: RegExp): string | undefined => Object.keys(maps).filter(block => ending.test(block)).toSorted().at(-1); // prettier-ignore
  const picture = (
    name: string,
    look: Look,
    ending: RegExp,
    what: string,
    rows: readonly string[],
    columns: readonly string[],
  ): readonly ReportHeatMap[] => {
    // prettier-ignore
    const block = last(look, ending);
    if (block === undefined) return [];
    const cells = look.maps[block]!;
    return [{ title: `${name}: ${what}`, note: `Attention of ${block}, the mean over heads, in percent: each row is what one token looks at.`, columns, rows: rows.map((row, n) => ({ name: row, cells: cells[n]!.map(x => ({ value: 100 * x })) })), range: [0, 100], decimals: 0 }]; // prettier-ignore
  };
  return [
    {
      title: 'How alike heads are',
      note: 'Mean cosine between the maps of two heads of a block, while the sentence below is read: 1 where all look at the same.',
      columns: seen.map(({ name }) => name),
      rows: blocks.map(block => ({ name: block, cells: seen.map(({ look }) => { const value = look.similarity[block] ?? null; return value === null ? null : { value }; }) })), // prettier-ignore
      range: [0, 1],
      decimals: 2,
    },
    ...seen.flatMap(({ name, look }) => [
      ...picture(name, look, /\.cross$/, 'from the text to its source', look.text, look.source),
      ...picture(name, look, /^encoder\.\d+$/, 'among the words of the source', look.source, look.source),
    ]),
  ];
}
