/** Bytes against those that TensorBoard's own writer gives, and against a reader written from the format's description. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HeddleEvent, StepFinished } from '@heddle/core';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { fileVersion, scalars, sessionStart, text } from './event.js';
import { crc32c, recordOf } from './record.js';
import { tensorboardTracker } from './tracker.node.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

it('the check is CRC-32C (values of RFC 3720, appendix B.4)', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

it.each([
  ['the first one', fileVersion(1700000000.25), '1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9'],
  ['points', scalars(1700000001.5, 300, { loss: 2.5, 'eval/ä': Number.NaN }), '2b00000000000000861bc34b0900006040fc54d94110ac022a1d0a0b0a046c6f737315000020400a0e0a076576616c2fc3a4150000c07f60152948'],
  ['a beginning', sessionStart(1700000002, 12), '0f000000000000006d532b090900008040fc54d941100c3a02080128d7b535'],
  ['a text', text(1700000003, 0, 'run', 'a *b*'), '2d000000000000003c418afb090000c040fc54d9412a220a200a0372756e420f0807120412020801420561202a622a4a080a060a04746578742a397ab1'],
])('%s has the bytes of TensorBoard 2.21 (its RecordWriter over its protocol buffers)', (_, event, expected) => {
  expect(hex(recordOf(event))).toBe(expected);
}); // prettier-ignore

/** Records of a file, each checked. */
function records(file: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  const view = new DataView(file.buffer, file.byteOffset);
  const unmask = (sum: number): number => {
    const turned = (sum - 0xa282ead8) >>> 0;
    return ((turned >>> 17) | (turned << 15)) >>> 0;
  };
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const bytes = file.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 8, true))).toBe(crc32c(file.subarray(at, at + 8)));
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(crc32c(bytes));
    found.push(bytes);
    at += 16 + length;
  }
  return found;
}

/** Fields of a message by their numbers, as protocol buffers are described. */
function fieldsOf(bytes: Uint8Array): readonly { readonly field: number; readonly value: number | Uint8Array }[] {
  const found = [];
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const head = varint();
    const take = (length: number): Uint8Array => bytes.slice(at, (at += length));
    const wire = head & 7;
    const value = wire === 0 ? varint() : wire === 1 ? take(8) : wire === 5 ? take(4) : take(varint());
    found.push({ field: head >> 3, value });
  }
  return found;
}
const one = (bytes: Uint8Array, field: number): number | Uint8Array | undefined =>
  fieldsOf(bytes).find(entry => entry.field === field)?.value;
const points = (event: Uint8Array): Readonly<Record<string, number>> =>
  Object.fromEntries(
    fieldsOf(one(event, 5) as Uint8Array).map(({ value }) => [
      new TextDecoder().decode(one(value as Uint8Array, 1) as Uint8Array),
      new Float32Array((one(value as Uint8Array, 2) as Uint8Array).buffer)[0]!,
    ]),
  );

it('any points come back as they were', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 2 ** 40 }),
      fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.float(), { minKeys: 1 }),
      (step, values) => {
        const event = scalars(1, step, values);
        expect(one(event, 2) ?? 0).toBe(step);
        expect(points(event)).toEqual(Object.fromEntries(Object.entries(values)));
      },
    ),
  );
});

it('a run that goes on writes a second file that says from where', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tensorboard-'));
  const step = (number: number, loss: number) => ({ type: 'step.finished', step: number, loss, metrics: { kl: 0.5 }, tokens: 30, seconds: 2 }) as unknown as StepFinished; // prettier-ignore
  const started = (resumedFrom: number | null): HeddleEvent => ({ type: 'run.started', run: 'rl', parameters: 5, backend: 'reference', steps: 4, resumedFrom, compileMs: 1 }); // prettier-ignore
  for (const events of [
    [started(null), step(1, 4), step(2, 3), { type: 'evaluation.finished', step: 2, scores: { bleu: 20 } } as const],
    [started(1), step(2, 3.5)],
  ]) {
    const heard = new Subject<HeddleEvent>();
    const subscription = tensorboardTracker.track(heard, { folder, name: 'rl/easy one' });
    for (const event of events) heard.next(event);
    subscription.unsubscribe();
  }
  expect(await readdir(folder)).toEqual(['rl-easy-one']);
  const files = (await readdir(join(folder, 'rl-easy-one'))).sort();
  expect(files.length).toBe(2);
  const [first, second] = await Promise.all(files.map(async name => records(new Uint8Array(await readFile(join(folder, 'rl-easy-one', name)))))); // prettier-ignore
  await rm(folder, { recursive: true });
  expect(first!.slice(2).map(points)).toEqual([
    { loss: 4, kl: 0.5, tokensPerSecond: 15 },
    { loss: 3, kl: 0.5, tokensPerSecond: 15 },
    { 'evaluation/bleu': 20 },
  ]);
  // What the first file says of step 2 no longer counts.
  expect([one(second![1]!, 2), one(second![1]!, 7)]).toEqual([2, Uint8Array.of(8, 1)]);
  expect(points(second!.at(-1)!)['loss']).toBe(3.5);
});
