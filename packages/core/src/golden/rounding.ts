/** Narrowing to bf16 and f16, and back: every bit. */

import { narrow, widen } from '../io/dtype.js';
import { goldenNumber } from '../testing/golden.js';
import type { Family } from './row.js';

export const rounding: Family = async row => {
  const input = Float32Array.from((row['input'] as readonly unknown[]).map(goldenNumber));
  const wrong = (['BF16', 'F16'] as const).flatMap(dtype => {
    const word = dtype === 'BF16' ? 'bfloat16' : 'float16';
    const bytes = narrow(input, dtype, row.id as string);
    const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, input.length);
    const back = widen({ name: word, dtype, shape: [input.length], bytes }).data;
    const values = (row[word] as readonly unknown[] | undefined)?.map(goldenNumber);
    const patterns = row[`${word}Bits`] as readonly number[] | undefined;
    if (!values && !patterns) return [`${word}: nothing to compare`];
    return Array.from(input).flatMap((x, i) => {
      const right = (!patterns || patterns[i] === bits[i]) && (!values || Object.is(values[i], back[i]));
      return right
        ? []
        : [`${word} of ${x}: expected ${values?.[i]} (${patterns?.[i]}), received ${back[i]} (${bits[i]})`];
    });
  });
  return {
    id: '',
    passed: wrong.length === 0,
    detail: wrong.length === 0 ? `${input.length} numbers, all bits` : wrong.slice(0, 3).join('; '),
  };
};
