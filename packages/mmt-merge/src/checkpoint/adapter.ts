/** LoRA adapters as PEFT stores them: what `adapter_config.json` says, and which tensors belong together. */

import { fail, type Json } from '@heddle/core';
import type { TensorFile } from '@heddle/core/files';

export interface AdapterConfig {
  readonly rank: number;
  readonly alpha: number;
  /** Divide alpha by the root of the rank instead of the rank (rsLoRA). */
  readonly rootScale: boolean;
  readonly fanInFanOut: boolean;
  readonly rankPattern: Readonly<Record<string, number>>;
  readonly alphaPattern: Readonly<Record<string, number>>;
  /** Everything as it stands in the file. */
  readonly json: Readonly<Record<string, Json>>;
}

/** @throws E_ADAPTER */
export function readAdapterConfig(json: Json, name: string): AdapterConfig {
  const refuse = (expected: string, received: unknown): never =>
    fail(
      'E_ADAPTER',
      `${name}: expected ${expected}, received ${JSON.stringify(received) ?? 'nothing'}. Use an adapter saved by PEFT.`,
      { name },
    );
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse('a JSON object', json);
  const all = json as Readonly<Record<string, Json>>;
  const type = all['peft_type'] ?? 'LORA';
  if (type !== 'LORA') refuse('peft_type LORA', type);
  if (all['use_dora'] === true) refuse('an adapter without DoRA', 'use_dora: true');
  const rank = all['r'];
  const alpha = all['lora_alpha'] ?? rank;
  if (typeof rank !== 'number' || !Number.isSafeInteger(rank) || rank < 1)
    return refuse('r, a whole number from 1', rank);
  if (typeof alpha !== 'number' || !Number.isFinite(alpha)) return refuse('lora_alpha, a number', alpha);
  return {
    rank,
    alpha,
    rootScale: all['use_rslora'] === true,
    fanInFanOut: all['fan_in_fan_out'] === true,
    rankPattern: numbersOf(all['rank_pattern']),
    alphaPattern: numbersOf(all['alpha_pattern']),
    json: all,
  };
}

const numbersOf = (json: Json | undefined): Readonly<Record<string, number>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)
    ? Object.fromEntries(
        Object.entries(json).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
      )
    : {};

/** Alpha over rank, both for this module. A pattern is the end of a path; what PEFT reads as an expression we read as text. */
export function scaleOf(config: AdapterConfig, path: string, storedRank: number): number {
  const own = (patterns: Readonly<Record<string, number>>): number | undefined =>
    Object.entries(patterns).find(
      ([pattern]) => path === pattern || path.endsWith(`.${pattern.replace(/^\^/, '')}`),
    )?.[1];
  const rank = own(config.rankPattern) ?? (storedRank === config.rank ? config.rank : storedRank);
  const alpha = own(config.alphaPattern) ?? config.alpha;
  return alpha / (config.rootScale ? Math.sqrt(rank) : rank);
}

export type AdapterModule =
  | {
      readonly kind: 'lora';
      readonly path: string;
      readonly a: string;
      readonly b: string;
      readonly transposed: boolean;
    }
  /** A tensor saved whole (`modules_to_save`). */
  | { readonly kind: 'saved'; readonly path: string; readonly name: string };

/**
 * Which tensors of an adapter belong together. `path` is the module's own, without PEFT's prefix.
 *
 * @throws E_ADAPTER for half a pair, and for kinds of tensor that a merge would lose
 */
export function adapterModules(title: string, file: TensorFile, config: AdapterConfig): readonly AdapterModule[] {
  const pairs = new Map<string, { a?: string; b?: string; transposed: boolean }>();
  const saved: AdapterModule[] = [];
  for (const { name } of file.entries) {
    const inner = name.replace(/^base_model\.model\./, '');
    const lora = /^(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?$/.exec(inner);
    if (lora !== null) {
      const [, path, embedding, side] = lora as unknown as [string, string, string | undefined, 'A' | 'B'];
      const pair = pairs.get(path) ?? { transposed: embedding !== undefined || config.fanInFanOut };
      pair[side === 'A' ? 'a' : 'b'] = name;
      pairs.set(path, pair);
      continue;
    }
    const whole = /^(.+?)(?:\.modules_to_save(?:\.default)?)?\.weight$/.exec(inner);
    if (whole === null || inner.includes('lora_'))
      fail('E_ADAPTER', `${title}: expected pairs lora_A and lora_B and whole weights, received '${name}'. Merge this adapter into its model with PEFT first.`, { title, name }); // prettier-ignore
    saved.push({ kind: 'saved', path: whole![1]!, name });
  }
  return [
    ...[...pairs].map(([path, { a, b, transposed }]): AdapterModule => {
      if (a === undefined || b === undefined)
        return fail(
          'E_ADAPTER',
          `${title}: expected lora_A and lora_B for '${path}', received only ${a ?? b}. Save the adapter again.`,
          { title, path },
        );
      return { kind: 'lora', path, a, b, transposed };
    }),
    ...saved,
  ];
}
