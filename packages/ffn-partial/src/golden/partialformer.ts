/** Kind `partialformer`: outputs, gradients and counts of the authors' modules. */

import { parseGolden, type GoldenCase, type GoldenKind } from '@heddle/core/testing/golden';
import { decoderCross, decoderLayer, decoderSelf, encoderLayer, mapAlone } from './blocks.js';
import { counts } from './counts.js';
import { wholeModel } from './model.js';
import type { Family, GoldenRow } from './row.js';

/** Each by the start of the file's name. */
const families: Readonly<Record<string, Family>> = {
  partialformer_encoder_layer: encoderLayer,
  partialformer_decoder_self: decoderSelf,
  partialformer_decoder_cross: decoderCross,
  partialformer_decoder_layer: decoderLayer,
  partialformer_global_map: mapAlone,
  partialformer_model: wholeModel,
  partialformer_params: counts,
};

const stemOf = (name: string): string => name.split('/').at(-1)!;
const familyOf = (name: string): Family | null => {
  const start = Object.keys(families).find(
    prefix => name.startsWith(prefix) && /^[-_.\d]/.test(name.slice(prefix.length)),
  );
  return start === undefined ? null : families[start]!;
};

export const partialformer: GoldenKind = {
  name: 'partialformer',
  recognises: name => name.endsWith('.json') && familyOf(stemOf(name)) !== null,
  async *check({ name, text }) {
    const stem = stemOf(name);
    const family = familyOf(stem)!;
    const read = parseGolden(await text());
    const rows = (Array.isArray(read) ? read : [read]) as readonly GoldenRow[];
    for (const [i, row] of rows.entries()) {
      const id = rows.length === 1 ? stem : `${stem}#${i}`;
      yield await family(id, row).catch((error: unknown): GoldenCase => {
        const words = error instanceof Error ? error.message : String(error);
        return { id, passed: false, detail: words, error: Infinity };
      });
    }
  },
};
