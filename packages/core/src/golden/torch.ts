/** Kind `torch`: PyTorch's outputs and gradients, through the kernel on the reference backend. */

import { parseGolden, type GoldenCase, type GoldenKind } from '../testing/golden.js';
import { wordsOf, type Family, type Row } from './row.js';
import { attention } from './attention.js';
import { clipping, optimizers } from './optimizers.js';
import { encoderLayer } from './encoder-layer.js';
import { functions } from './functions.js';
import { losses } from './losses.js';
import { rounding } from './rounding.js';
import { schedules } from './schedules.js';

/** Each by the start of the file's name. */
const families: Readonly<Record<string, Family>> = {
  ...functions,
  ...losses,
  attention,
  'transformer-encoder-layer': encoderLayer,
  optimizers,
  'clip-grad-norm': clipping,
  'lr-schedules': schedules,
  'dtype-rounding': rounding,
};

/** The longest start wins: `rope-interleaved` before `rope`. */
const familyOf = (name: string): Family | null => {
  const start = Object.keys(families)
    .filter(prefix => name === prefix || (/^[-_.\d]/.test(name.slice(prefix.length)) && name.startsWith(prefix)))
    .sort((a, b) => b.length - a.length)[0];
  return start === undefined ? null : families[start]!;
};

export const torch: GoldenKind = {
  name: 'torch',
  recognises: name => /\.jsonl?$/.test(name) && familyOf(name.split('/').at(-1)!) !== null,
  async *check({ name, text }) {
    const stem = name.split('/').at(-1)!;
    const family = familyOf(stem)!;
    for (const [i, row] of rowsOf(await text(), stem).entries()) {
      const id = typeof row.id === 'string' ? row.id : `${stem}#${i}`;
      yield await family(row, stem).then(
        found => ({ ...found, id }),
        (error: unknown): GoldenCase => ({ id, passed: false, detail: wordsOf(error), error: Infinity }),
      );
    }
  },
};

/** A list, one row, a row a line, or a list under `rows` or `cases`. */
function rowsOf(text: string, name: string): readonly Row[] {
  if (name.endsWith('.jsonl'))
    return text
      .split('\n')
      .filter(line => line.trim() !== '')
      .map(line => parseGolden(line) as Row);
  const json = parseGolden(text) as
    | Row
    | readonly Row[]
    | { readonly rows?: readonly Row[]; readonly cases?: readonly Row[] };
  if (Array.isArray(json)) return json as readonly Row[];
  const nested = json as { readonly rows?: readonly Row[]; readonly cases?: readonly Row[] };
  return nested.rows ?? nested.cases ?? [json as Row];
}
