import { createHost, DATA } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectBatches, type SubjectBatch, type SubjectBatches } from './batches.js';
import plugin from './index.js';
import type { Subject } from './subject.js';

const subjectsOf = (count: number): readonly Subject[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `s${i}`,
    matrix: Float32Array.of(1, i / 100, i / 100, 1),
    label: i % 2 === 1 ? 1 : 0,
    site: '',
  }));

async function take(batches: SubjectBatches, most = Infinity): Promise<SubjectBatch[]> {
  const found: SubjectBatch[] = [];
  for (let next = await batches.next(); next !== null; next = found.length < most ? await batches.next() : null)
    found.push(next);
  return found;
}

describe('batches of subjects', () => {
  it('after any cut go on as if there had been none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (count, batch, shuffle) => {
          const options = { batch, shuffle, seed: 2, epochs: 3 };
          const whole = await take(subjectBatches(subjectsOf(count), options));
          for (const [cut, { cursor }] of whole.entries()) {
            const again = subjectBatches(subjectsOf(count), options);
            await again.next();
            await again.seek(JSON.parse(JSON.stringify(cursor)));
            expect(await take(again)).toEqual(whole.slice(cut + 1));
          }
          const ids = whole.flatMap(one => one.ids).filter(id => id !== null);
          for (let epoch = 0; epoch < 3; epoch++)
            expect(ids.slice(epoch * count, (epoch + 1) * count).toSorted()).toEqual(
              subjectsOf(count)
                .map(({ id }) => id)
                .toSorted(),
            );
        },
      ),
    );
  });

  it('hold each subject as it is, and nobody in empty rows', async () => {
    const [first, second] = await take(subjectBatches(subjectsOf(3), { batch: 2, epochs: 1, shuffle: false }));
    expect([...first!.batch.features.data]).toEqual([1, 0, 0, 1, 1, Math.fround(0.01), Math.fround(0.01), 1]);
    expect([[...first!.batch.labels.data], [...second!.batch.mask.data]]).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(second).toMatchObject({ tokens: 1, ids: ['s2', null] });
    expect(first!.batch.features.shape).toEqual([2, 2, 2]);
  });

  it('refuse what does not fit', async () => {
    const batches = subjectBatches(subjectsOf(3), { batch: 1 });
    const { cursor } = (await batches.next())!;
    await expect(subjectBatches(subjectsOf(4), { batch: 1 }).seek(cursor)).rejects.toMatchObject({ code: 'E_CURSOR' });
    await expect(batches.seek(null)).rejects.toMatchObject({ code: 'E_CURSOR' });
    await batches.close();
    await expect(batches.next()).rejects.toMatchObject({ code: 'E_CLOSED' });
    expect(() => subjectBatches([], { batch: 1 })).toThrow(expect.objectContaining({ code: 'E_EMPTY' }));
    expect(() => subjectBatches(subjectsOf(2), { batch: 0 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    const odd: Subject = { id: 'odd', matrix: new Float32Array(9), label: 0, site: '' };
    expect(() => subjectBatches([...subjectsOf(2), odd], { batch: 1 })).toThrow(
      expect.objectContaining({ code: 'E_MATRIX' }),
    );
  });
});

describe('the data source', () => {
  it('generates subjects', async () => {
    const host = createHost({ plugins: [plugin] });
    const source = host.find(DATA, 'connectome');
    const batches = await source.open({
      generate: { subjects: 20, regions: 6, networks: 3, moments: 20 },
      batch: 4,
      part: 'test',
      epochs: 1,
    });
    expect((await batches.next())!.batch['features']!.shape).toEqual([4, 6, 6]);
    expect(await batches.next()).toBeNull();
    for (const wrong of [
      {},
      { batch: 4 },
      { batch: 4, generate: {}, files: {} },
      { generate: { subjects: 20 } },
      { size: 4 },
      { batch: '4' },
    ])
      await expect(source.open(wrong)).rejects.toMatchObject({ code: 'E_OPTION' });
    await host.close();
  });
});
