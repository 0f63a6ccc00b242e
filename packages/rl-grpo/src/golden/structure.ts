/** Tags, masks, positions and the rollout loop of the authors' code. */

import type { GoldenCase } from '@heddle/core/testing/golden';
import { checkFormat } from '../grammar/format.js';
import { tagNames, tagTexts, type TagIds } from '../grammar/tags.js';
import type { EngineCall } from '../rollout/engine.js';
import { linearRollout } from '../rollout/linear.js';
import { actorMask, sftItem, sftMask, sftPositions } from '../structure/compat.js';
import { refuses, same, type Row } from './rows.js';

/** Of every file: what its toy vocabulary says, or else what all of them have. */
function tagsOf(config: Row): TagIds {
  const ids = (config['token_ids'] ?? {
    '<Path>': 1,
    '</Path>': 2,
    '<Parallel>': 3,
    '</Parallel>': 4,
    '<Summary>': 5,
    '</Summary>': 6,
  }) as Readonly<Record<string, number>>;
  return Object.fromEntries(tagNames.map(name => [name, ids[tagTexts[name]]!])) as Record<keyof TagIds, number>;
}

const idOf = (config: Row, token: string, otherwise: number): number =>
  (config['token_ids'] as Readonly<Record<string, number>> | undefined)?.[token] ?? otherwise;

const outputsOf = (row: Row): Row => row['outputs'] as Row;
const idsOf = (row: Row, name: string): readonly number[] => row[name] as readonly number[];

export function formatChecker(id: string, row: Row): GoldenCase {
  const { valid, errors } = outputsOf(row) as { readonly valid: boolean; readonly errors: readonly string[] };
  const found = checkFormat(row['text'] as string);
  return same(
    id,
    { valid, count: errors.length, kinds: errors.map(kindOf) },
    {
      valid: found.length === 0,
      count: found.length,
      kinds: found.map(({ kind, tag }) => `${kind}${tag === null ? '' : ` ${tag}`}`),
    },
  );
}

/** The reference's words as our names. */
function kindOf(error: string): string {
  const names: readonly (readonly [RegExp, string])[] = [
    [/^Unexpected <\/Path> at token #(\d+)/, 'stray-end-path'],
    [/^Unexpected <\/Parallel> at token #(\d+)/, 'stray-end-parallel'],
    [/^<Parallel> block closed at #(\d+)/, 'few-paths'],
    [/^<Summary> at token #(\d+)/, 'stray-summary'],
    [/^Stack not empty/, 'unclosed'],
    [/^Missing <Summary>/, 'missing-summary'],
    [/^Mismatch:/, 'summary-count'],
  ];
  for (const [pattern, name] of names) {
    const match = pattern.exec(error);
    if (match) return match[1] === undefined ? name : `${name} ${match[1]}`;
  }
  return error;
}

export async function* maskAndPositions(id: string, row: Row, config: Row): AsyncIterable<GoldenCase> {
  const [tags, pad, ids] = [tagsOf(config), idOf(config, '<pad>', 0), idsOf(row, 'ids')];
  const { mask, positions } = outputsOf(row);
  yield same(`${id} mask`, { mask: (mask as Row)['data'] }, { mask: sftMask(ids, tags) });
  if (positions === null) yield await refuses(`${id} positions`, () => sftPositions(ids, tags, pad));
  else yield same(`${id} positions`, { positions }, { positions: sftPositions(ids, tags, pad) });
}

export function padIsEndOfText(id: string, row: Row, config: Row): GoldenCase {
  const positions = sftPositions(idsOf(row, 'ids'), tagsOf(config), config['pad'] as number);
  return same(id, { positions: outputsOf(row)['positions'] }, { positions });
}

export async function item(id: string, row: Row, config: Row): Promise<GoldenCase> {
  const expected = outputsOf(row);
  const make = () =>
    sftItem(idsOf(row, 'prompt_ids'), idsOf(row, 'response_ids'), {
      length: config['max_length'] as number,
      pad: config['pad'] as number,
      tags: tagsOf(row['vocab'] === undefined ? {} : { token_ids: row['vocab'] }),
    });
  if ('error' in expected) return refuses(id, make);
  const { ids, mask, positions, lossMask } = make();
  return same(
    id,
    {
      ids: expected['input_ids'],
      mask: (expected['bool_attention_mask'] as Row)['data'],
      positions: expected['position_ids'],
      lossMask: expected['loss_mask'],
    },
    { ids, mask, positions, lossMask },
  );
}

export async function rolloutLoop(id: string, row: Row, config: Row): Promise<GoldenCase> {
  const expected = outputsOf(row);
  const [promptLength, responseLength] = [row['prompt_length'] as number, row['response_length'] as number];
  const prompt = idsOf(row, 'prompt_ids');
  const script = row['script'] as readonly (readonly number[])[];
  const calls: (EngineCall & { readonly output: readonly number[] })[] = [];
  const run = () =>
    linearRollout(
      prompt,
      async call => {
        const output = script[calls.length]!;
        calls.push({ ...call, output });
        return { ids: output, logp: output.map(() => null) };
      },
      {
        tags: tagsOf(config),
        endOfText: idOf(config, '<eos>', 7),
        newline: [idOf(config, '\n', 8)],
        promptLength,
        responseLength,
        paths: row['num_paths'] as number,
        maxBlocks: row['max_iterations'] as number,
        maxPathLength: row['max_path_response_length'] as number,
        seed: () => 0,
      },
    );
  if ('error' in expected || (expected['postprocess_or_actor_error'] ?? null) !== null) return refuses(id, run);
  const { response, responseMask, positions, hidden, turns } = await run();
  const leftPad = promptLength - prompt.length;
  const rightPad = responseLength - response.length;
  const fill = (count: number): readonly number[] => Array.from({ length: count }, () => 0);
  const pad = idOf(config, '<pad>', 0);
  const names = [
    'response_ids',
    'response_mask',
    'position_ids_padded',
    'position_required_mask',
    'num_turns',
    'calls',
    'batch',
  ];
  return same(
    id,
    {
      ...Object.fromEntries(names.map(name => [name, expected[name]])),
      actor: (expected['actor_bool_mask'] as Row)['data'],
      unused: expected['unused_script'],
    },
    {
      response_ids: response,
      response_mask: responseMask,
      position_ids_padded: positions,
      position_required_mask: hidden,
      num_turns: turns,
      calls: calls.map(({ ids, stop, temperature, seed, output }) => ({
        prompt_ids: ids,
        stop_token_ids: stop,
        temperature,
        has_seed: seed !== undefined,
        output,
      })),
      batch: {
        input_ids: [...fill(leftPad).map(() => pad), ...prompt, ...response, ...fill(rightPad).map(() => pad)],
        attention_mask: [...fill(leftPad), ...[...prompt, ...response].map(() => 1), ...fill(rightPad)],
        response_mask: [...responseMask, ...fill(rightPad)],
        position_ids: positions,
      },
      actor: actorMask(hidden, leftPad, promptLength + responseLength),
      unused: script.length - calls.length,
    },
  );
}
