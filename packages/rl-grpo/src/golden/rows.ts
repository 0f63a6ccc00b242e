/** Reading and comparing what golden files hold. */

import type { HostTensor, Shape } from '@heddle/core';
import { goldenNumber, type GoldenCase } from '@heddle/core/testing/golden';

export interface Stored {
  readonly shape: Shape;
  readonly data: readonly unknown[];
}

/** A row of a list-type file, or a whole file. */
export type Row = Readonly<Record<string, unknown>>;

export const numbersOf = (entry: unknown): readonly number[] =>
  (Array.isArray(entry) ? entry : (entry as Stored).data).map(goldenNumber);

export const hostOf = (entry: unknown, dtype: 'f32' | 'i32' = 'f32'): HostTensor => {
  const data = numbersOf(entry);
  const shape = Array.isArray(entry) ? [data.length] : (entry as Stored).shape;
  return { dtype, shape, data: dtype === 'f32' ? Float32Array.from(data) : Int32Array.from(data) };
};

/** Integers and strings, compared as JSON. */
export function same(id: string, expected: Row, found: Row): GoldenCase {
  const plain = (value: unknown): string =>
    JSON.stringify(ArrayBuffer.isView(value) ? Array.from(value as never) : value);
  const bad = Object.keys(expected).filter(name => plain(expected[name]) !== plain(found[name]));
  return {
    id,
    passed: bad.length === 0 && Object.keys(expected).length > 0,
    detail:
      bad.length === 0
        ? Object.keys(expected).join(', ')
        : bad
            .map(name => `${name}: expected ${plain(expected[name])}, found ${plain(found[name])}`.slice(0, 400))
            .join('; '),
  };
}

/** Where the reference fails, this has to fail with a code. */
export async function refuses(id: string, run: () => unknown): Promise<GoldenCase> {
  try {
    await run();
    return { id, passed: false, detail: 'the reference fails here, this did not' };
  } catch (error) {
    const code = (error as { readonly code?: string }).code;
    return { id, passed: code !== undefined, detail: code ?? String(error) };
  }
}
