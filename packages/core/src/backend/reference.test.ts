import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { f32, i32, type HostTensor } from '../ir/types.js';
import { host } from '../tensor/evaluate.js';
import { random } from '../tensor/tensor.js';
import { trace } from '../tensor/trace.js';
import { randomGraph } from '../testing/fixtures.js';
import { randomUniform } from '../random/philox.js';
import type { Backend, Executable } from './contract.js';
import { openReference, referenceOffer } from './reference.js';

let backend: Backend;
let double: Executable;
beforeEach(async () => {
  backend = openReference();
  double = await backend.compile(trace({ x: f32(2) }, ({ x }) => ({ y: x.mul(2), same: x })));
});
afterEach(() => backend.close());

const two = host([2], [1, 2]);
const refusal = (code: string, words: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(words) });

describe('the reference backend', () => {
  it('says what it takes and gives', () => {
    expect(double.signature).toEqual({ inputs: { x: f32(2) }, outputs: { y: f32(2), same: f32(2) } });
    expect(double.explain()).toContain('nodes');
    expect(backend).toMatchObject({ name: 'reference', format: null, limits: { deterministic: true, tolerance: 0 } });
  });

  it('gives the same bits twice', async () => {
    const { graph, feeds } = randomGraph(11);
    const executable = await backend.compile(graph);
    expect(await executable.run(feeds)).toEqual(await executable.run(feeds));
  });

  it('never shares memory with what it was given or gave', async () => {
    const mine = host([2], [1, 2]);
    const { outputs } = await double.run({ x: mine });
    mine.data[0] = 99;
    expect([...outputs['same']!.data]).toEqual([1, 2]);
    const held = await backend.upload(mine);
    mine.data[0] = 7;
    const seen = await backend.download(held);
    expect([...seen.data]).toEqual([99, 2]);
    seen.data[1] = 5;
    expect([...(await backend.download(held)).data]).toEqual([99, 2]);
  });

  it('keeps what it is asked to, counts it, and takes it back as a feed', async () => {
    expect(backend.live()).toBe(0);
    const { outputs, kept } = await double.run({ x: two }, { keep: ['y'] });
    expect(Object.keys(outputs)).toEqual(['same']);
    expect(backend.live()).toBe(1);
    const again = await double.run({ x: kept['y']! });
    expect([...again.outputs['y']!.data]).toEqual([4, 8]);
    kept['y']!.close();
    kept['y']!.close();
    expect(backend.live()).toBe(0);
    await expect(double.run({ x: kept['y']! })).rejects.toThrow(refusal('E_CLOSED', /expected an open tensor/));
    await expect(backend.download(kept['y']!)).rejects.toThrow(refusal('E_CLOSED', /tensor/));
  });

  it('closes what is donated to it', async () => {
    const x = await backend.upload(two);
    const { kept } = await double.run({ x }, { keep: ['y'], donate: { y: 'x' } });
    expect([...(await backend.download(kept['y']!)).data]).toEqual([2, 4]);
    await expect(backend.download(x)).rejects.toThrow(refusal('E_CLOSED', /tensor/));
    expect(backend.live()).toBe(1);
    kept['y']!.close();
  });

  it.each([
    ['to keep an output that is not there', { keep: ['z'] }, /keep 'z': expected one of y, same/],
    ['a donation of host memory', { keep: ['y'], donate: { y: 'x' } }, /fed from host memory/],
    ['a donation for what is not kept', { donate: { y: 'x' } }, /not kept/],
    ['a donation of nothing', { keep: ['y'], donate: { y: 'w' } }, /no such input/],
  ])('refuses %s', async (_what, options, words) => {
    await expect(double.run({ x: two }, options)).rejects.toThrow(refusal('E_FEED', words));
  });

  it('refuses wrong feeds, naming the input and both types', async () => {
    const feed = (feeds: Record<string, HostTensor>) => double.run(feeds);
    await expect(feed({})).rejects.toThrow(refusal('E_FEED', /input 'x': expected f32\[2\], received nothing/));
    await expect(feed({ x: host([3], [1, 2, 3]) })).rejects.toThrow(
      refusal('E_FEED', /expected f32\[2\], received f32\[3\]/),
    );
    await expect(feed({ x: host([2], [1, 2], 'i32') })).rejects.toThrow(
      refusal('E_FEED', /expected f32\[2\], received i32\[2\]/),
    );
    await expect(feed({ x: { dtype: 'f32', shape: [2], data: new Float32Array(3) } })).rejects.toThrow(
      refusal('E_FEED', /expected 2 cells for f32\[2\], received 3/),
    );
    await expect(feed({ x: two, z: two })).rejects.toThrow(
      refusal('E_FEED', /input 'z': expected one of x, received an unknown name/),
    );
    const foreign = { type: f32(2), backend: 'other', close: () => undefined };
    await expect(double.run({ x: foreign })).rejects.toThrow(
      refusal('E_FEED', /expected a tensor of backend reference, received one of other/),
    );
  });

  it('takes constants out of the signature', async () => {
    const sum = trace({ x: f32(2), w: f32(2) }, ({ x, w }) => ({ y: x.add(w) }));
    const executable = await backend.compile(sum, { constants: { w: host([2], [10, 20]) } });
    expect(executable.signature.inputs).toEqual({ x: f32(2) });
    expect([...(await executable.run({ x: two })).outputs['y']!.data]).toEqual([11, 22]);
    await expect(executable.run({ x: two, w: two })).rejects.toThrow(refusal('E_FEED', /unknown name/));
  });

  it('refuses an index out of range, naming it and where', async () => {
    const graph = trace({ x: f32(3), i: i32(2) }, ({ x, i }) => ({ y: x.gather(i) }));
    const executable = await backend.compile(graph);
    for (const bad of [3, -1]) {
      await expect(executable.run({ x: host([3], [1, 2, 3]), i: host([2], [0, bad], 'i32') })).rejects.toThrow(
        refusal('E_INDEX', new RegExp(`between 0 and 2, received ${bad}`)),
      );
    }
  });

  it('stops when it is aborted, with the reason', async () => {
    const reason = new Error('enough');
    await expect(double.run({ x: two }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect([...(await double.run({ x: two }, { signal: new AbortController().signal })).outputs['y']!.data]).toEqual([
      2, 4,
    ]);
    expect(backend.live()).toBe(0);
  });

  it('throws E_CLOSED after close, and closes twice', async () => {
    await double.close();
    await double.close();
    await expect(double.run({ x: two })).rejects.toThrow(refusal('E_CLOSED', /open executable/));
    const other = await backend.compile(trace({ x: f32(2) }, ({ x }) => ({ y: x })));
    const held = await backend.upload(two);
    await backend.close();
    await backend.close();
    expect(backend.live()).toBe(0);
    await expect(other.run({ x: two })).rejects.toThrow(refusal('E_CLOSED', /open backend/));
    await expect(backend.upload(two)).rejects.toThrow(refusal('E_CLOSED', /open backend/));
    await expect(backend.download(held)).rejects.toThrow(refusal('E_CLOSED', /open backend/));
    await expect(backend.compile(trace({ x: f32() }, ({ x }) => ({ y: x })))).rejects.toThrow(
      refusal('E_CLOSED', /open backend/),
    );
  });

  it('draws the numbers that the generator draws, by key, stream and cell', async () => {
    const executable = await backend.compile(
      trace({ key: i32(2) }, ({ key }) => ({ a: random(key, [2, 3], 9), b: random(key, [7], 9) })),
    );
    const { outputs } = await executable.run({ key: host([2], [5, 8], 'i32') });
    const expected = new Float32Array(7);
    randomUniform(expected, 5, 8, 9);
    expect([...outputs['b']!.data]).toEqual([...expected]);
    expect([...outputs['a']!.data]).toEqual(Array.from(expected.subarray(0, 6)));
  });

  it('is always available', async () => {
    expect(await referenceOffer.unavailable()).toBeNull();
    const opened = await referenceOffer.open();
    expect(opened.name).toBe('reference');
    await opened.close();
  });
});
