import {
  bind,
  expandOps,
  host,
  i32,
  initialise,
  interpret,
  logSoftmax,
  openReference,
  parameterTypes,
  trace,
  uniforms,
  type Backend,
  type HostTensor,
  type Tensor,
} from '@heddle/core';
import { lastValueFrom, take, toArray } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import { decoderPresets } from '../config.js';
import { createDecoder } from '../decoder.js';
import { createGenerator, type GenerateEvent, type GenerateOptions, type GeneratorOptions } from './generator.js';

const V = 21;
const model = createDecoder({ vocabulary: V, ...decoderPresets.tiny, width: 16, length: 24, keyHeads: 2 });
const draw = uniforms(6, 6);
const params: Record<string, HostTensor> = Object.fromEntries(
  Object.entries(initialise(model, 2)).map(([name, t]) => [
    name,
    { ...t, data: Float32Array.from(t.data, x => x + 0.6 * (draw() - 0.5)) },
  ]),
);
const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [1, 2, 3], [12, 13]];

const backend = openReference();
afterAll(async () => {
  expect(backend.live()).toBe(0);
  await backend.close();
});

async function using<T>(
  options: Partial<GeneratorOptions>,
  body: (generator: ReturnType<typeof createGenerator>) => Promise<T>,
): Promise<T> {
  const generator = createGenerator({ model, params, backend, prefillLengths: [4], ...options });
  try {
    return await body(generator);
  } finally {
    await generator.close();
  }
}
const complete = (given: readonly number[][], options: GenerateOptions, more: Partial<GeneratorOptions> = {}) =>
  using(more, generator => generator.complete(given, options));

/** Log-probabilities after the last token, by the model without a cache. */
function forward(ids: readonly number[]): number[] {
  const graph = trace({ ...parameterTypes(model), ids: i32(1, ids.length) }, inputs => ({
    out: logSoftmax(bind(model, inputs as Record<string, Tensor>, { training: false })(inputs['ids']!)),
  }));
  return [
    ...interpret(expandOps(graph), { ...params, ids: host([1, ids.length], ids, 'i32') }, 'f32')['out']!.data,
  ].slice(-V);
}

describe('generate', () => {
  it('is greedy at temperature 0: what the model finds likeliest without a cache', async () => {
    const [completion] = await complete([prompts[2]!], { temperature: 0, maxTokens: 6 });
    expect(completion!.ids).toHaveLength(6);
    completion!.ids.forEach((id, n) => {
      const expected = forward([...prompts[2]!, ...completion!.ids.slice(0, n)]);
      expect(expected[id]).toBe(Math.max(...expected));
      expect(Math.abs(completion!.logProbabilities[n]! - expected[id]!)).toBeLessThan(1e-5);
    });
  });

  it.each<GenerateOptions>([{ temperature: 0 }, { seed: 3 }, { seed: 3, temperature: 0.7, topK: 8, topP: 0.9 }])(
    'gives each row the same in any batch: %o',
    async options => {
      const given = { ...options, maxTokens: 8 };
      const rowSeeds = [10, 11, 12, 13, 14];
      const together = await complete(prompts, { ...given, rowSeeds }, { batch: 3 });
      for (const [row, prompt] of prompts.entries()) {
        const [single] = await complete([prompt], { ...given, rowSeeds: [rowSeeds[row]!] });
        expect(together[row]!.ids).toEqual(single!.ids);
        together[row]!.logProbabilities.forEach((x, n) =>
          expect(Math.abs(x - single!.logProbabilities[n]!)).toBeLessThan(1e-6),
        );
        expect(together[row]!.row).toBe(row);
      }
      if (options.temperature !== 0) expect(together[0]!.ids).not.toEqual(together[3]!.ids); // equal prompts, seeds of their own
    },
  );

  it('reports log-probabilities under the model itself, whatever the sampling', async () => {
    const [completion] = await complete([[4, 2]], { temperature: 2, topK: 5, maxTokens: 3 });
    completion!.ids.forEach((id, n) =>
      expect(
        Math.abs(completion!.logProbabilities[n]! - forward([4, 2, ...completion!.ids.slice(0, n)])[id]!),
      ).toBeLessThan(1e-5),
    );
  });

  it('ends a row at a stop id, which it keeps apart', async () => {
    const [free] = await complete([[1, 2, 3]], { temperature: 0, maxTokens: 6 });
    const stop = free!.ids[3]!;
    const [stopped] = await complete([[1, 2, 3]], { temperature: 0, maxTokens: 6, stop: [stop] });
    expect(stopped).toMatchObject({
      reason: 'stop',
      ids: free!.ids.slice(0, free!.ids.indexOf(stop)),
      stopped: { id: stop },
    });
    expect(free).toMatchObject({ reason: 'length', stopped: null });
  });

  it('ends a row where the capacity or the model ends', async () => {
    const [byCapacity] = await complete([[1, 2, 3]], {}, { capacity: 8 });
    expect(byCapacity).toMatchObject({ reason: 'length' });
    // The last token needs no place: nothing follows it.
    expect(byCapacity!.ids).toHaveLength(8 - 3 + 1);
    const [byModel] = await complete([[1, 2, 3]], { maxTokens: Infinity });
    expect(byModel!.ids).toHaveLength(24 - 3 + 1);
  });

  it('streams tokens and text as they come', () =>
    using({ batch: 2 }, async generator => {
      const decoder = () => ({ push: (id: number) => `<${id}>`, end: () => '.' });
      const events = await lastValueFrom(generator.generate([[1], [2]], { maxTokens: 2, decoder }).pipe(toArray()));
      expect(events.map(event => `${event.type} ${event.row}`)).toEqual([
        'token 0',
        'token 1',
        'token 0',
        'finished 0',
        'token 1',
        'finished 1',
      ]);
      const last = events.at(-1) as Extract<GenerateEvent, { type: 'finished' }>;
      expect(last.text).toBe(`${last.ids.map(id => `<${id}>`).join('')}.`);
    }));

  it('is cold, and one generator serves calls one after the other', () =>
    using({}, async generator => {
      const stream = generator.generate([[1, 2]], { maxTokens: 3, temperature: 0 });
      const [one, two] = await Promise.all([
        lastValueFrom(stream.pipe(toArray())),
        lastValueFrom(stream.pipe(toArray())),
      ]);
      expect(one).toEqual(two);
    }));

  it('stops on a signal, and says so for every row', () =>
    using({ batch: 2 }, async generator => {
      const stop = new AbortController();
      const events: GenerateEvent[] = [];
      await new Promise<void>((resolve, reject) =>
        generator.generate([[1], [2], [3]], { signal: stop.signal, maxTokens: 20 }).subscribe({
          next: event => {
            events.push(event);
            if (events.length === 4) stop.abort();
          },
          complete: resolve,
          error: reject,
        }),
      );
      const finished = events.filter(event => event.type === 'finished');
      expect(finished.map(({ row, reason, ids }) => [row, reason, ids.length])).toEqual([
        [0, 'cancelled', 2],
        [1, 'cancelled', 2],
        [2, 'cancelled', 0],
      ]);
    }));

  it('stops when nobody listens any more, and is ready for the next', () =>
    using({}, async generator => {
      const few = await lastValueFrom(
        generator.generate([[1]], { temperature: 0, maxTokens: 1000 }).pipe(take(2), toArray()),
      );
      const [again] = await generator.complete([[1]], { temperature: 0, maxTokens: 2 });
      expect(again!.ids).toEqual(few.map(event => event.type === 'token' && event.id));
    }));

  it('begins with another cache after a run that failed', async () => {
    let failures = 1;
    const shaky: Backend = {
      ...backend,
      async compile(graph, options) {
        const executable = await backend.compile(graph, options);
        return {
          ...executable,
          run: (feeds, how) => (failures-- > 0 ? Promise.reject(new Error('device lost')) : executable.run(feeds, how)),
        };
      },
    };
    await using({ backend: shaky }, async generator => {
      await expect(generator.complete([[1]], { maxTokens: 2 })).rejects.toThrow('device lost');
      expect((await generator.complete([[1]], { maxTokens: 2 }))[0]!.ids).toHaveLength(2);
    });
  });

  it.each<[string, readonly number[][], GenerateOptions, string, string]>([
    ['an empty prompt', [[1], []], {}, 'E_PROMPT', 'prompt 1'],
    ['an unknown id', [[1, V]], {}, 'E_PROMPT', `prompt 0, token 1: expected an id from 0 to ${V - 1}`],
    ['a prompt that is too long', [new Array<number>(25).fill(1)], {}, 'E_LENGTH', 'at most 24 tokens, received 25'],
    ['no tokens', [[1]], { maxTokens: 0 }, 'E_CONFIG', 'maxTokens'],
    ['seeds for other rows', [[1]], { rowSeeds: [1, 2] }, 'E_CONFIG', 'rowSeeds'],
    ['half a seed', [[1]], { seed: 0.5 }, 'E_CONFIG', 'seed'],
    ['a share of 2', [[1]], { topP: 2 }, 'E_CONFIG', 'topP'],
  ])('refuses %s on the error channel', async (_, given, options, code, part) => {
    await expect(complete(given as number[][], options)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(part) as string }),
    );
  });

  it('names the row and position where logits are no numbers', async () => {
    const broken = { ...params, 'norm.weight': { ...params['norm.weight']!, data: new Float32Array(16).fill(NaN) } };
    await expect(complete([[1, 2]], {}, { params: broken })).rejects.toThrow(
      expect.objectContaining({ code: 'E_LOGITS', message: expect.stringContaining('row 0, position 2') as string }),
    );
  });

  it('refuses sizes that are none, and calls after close', async () => {
    expect(() => createGenerator({ model, params, backend, batch: 0 })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    );
    const generator = createGenerator({ model, params, backend });
    await generator.close();
    await expect(generator.complete([[1]])).rejects.toThrow(expect.objectContaining({ code: 'E_CLOSED' }));
  });
});
