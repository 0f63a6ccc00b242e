import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hardestLevel } from '../problems/generate.js';
import { curriculumOf, type StageConfig } from './curriculum.js';
import { askedTeacher, gatherTraces, waysOf, waysTeacher, type Journal, type Teacher } from './gather.js';
import { intervalOf } from './measure.js';
import { generatedPool, levelsOf, listedPool } from './pool.js';
import { curriculumPresets } from './presets.js';
import { promptOf, wordsOf } from './workbench.js';

const learn: StageConfig = { kind: 'learn', name: 'learn', problems: 'level:1', style: 'parallel', steps: 2, rate: 0.1, batch: 4 }; // prettier-ignore
const policy: StageConfig = { kind: 'policy', name: 'rl', problems: 'level:1', style: 'parallel', steps: 2, rate: 0.1, prompts: 4, batch: 16 }; // prettier-ignore
const gather: StageConfig = { kind: 'gather', name: 'gather', problems: 'level:1', teacher: 'ways', count: 3 };

describe('a curriculum', () => {
  it.each(Object.keys(curriculumPresets) as (keyof typeof curriculumPresets)[])('preset %s holds together', name => {
    const { stages, ...rest } = curriculumOf(curriculumPresets[name]);
    expect(stages.length).toBeGreaterThan(2);
    expect(rest.name).toBe(name);
  });

  it('in one line wants a correction, for its paths are sampled apart', () => {
    const config = curriculumOf(curriculumPresets['parallel-r1-seen']);
    expect(config.stages.map(({ name }) => name)).toEqual(['gather', 'cold-start', 'rl-gsm8k', 'rl-dapo']);
    const stages = config.stages.map(stage => (stage.kind === 'policy' ? { ...stage, loss: { ...stage.loss, correction: 'off' as const } } : stage)); // prettier-ignore
    expect(() => curriculumOf({ ...config, stages })).toThrow(/stage rl-gsm8k: loss\.correction: expected 'recompute'/);
    expect(() => curriculumOf({ ...config, structure: 'tree' as never })).toThrow(/structure: expected paths or line/);
  });

  it('of the paper has its hyper-parameters', () => {
    const { stages } = curriculumOf(curriculumPresets['parallel-r1-unseen-s2']);
    expect(stages.at(-1)).toMatchObject({ rate: 1e-6, prompts: 256, loss: { preset: 'parallel-r1', clipHigh: 0.28 }, rewards: [{ reward: 'alternating' }] }); // prettier-ignore
    expect(curriculumOf(curriculumPresets['parallel-r1-scaffold']).stages.filter(({ kind }) => kind === 'policy')).toHaveLength(2); // prettier-ignore
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['no stage', { stages: [] }, /at least one stage/],
    ['two of a name', { stages: [learn, learn] }, /each name once/],
    ['a name that is a path', { stages: [{ ...learn, name: '../x' }] }, /stage name/],
    ['an unknown kind', { stages: [{ ...learn, kind: 'guess' }] }, /kind: expected one of gather, learn, policy/],
    ['half a batch', { stages: [{ ...learn, accumulate: 0.5 }] }, /accumulate/],
    ['a misspelt field', { stages: [{ ...learn, step: 3 }] }, /stage learn: fields.*"step"/],
    ['a style that there is not', { stages: [{ ...learn, style: 'tree' }] }, /sequential or parallel/],
    ['traces that nobody gathered', { stages: [{ ...learn, traces: 'gather' }] }, /earlier stage that gathers/],
    ['traces gathered too late', { stages: [{ ...learn, traces: 'gather' }, gather] }, /earlier stage that gathers/],
    ['answers that do not divide', { stages: [{ ...policy, prompts: 3 }] }, /multiple/],
    ['a loss that does not hold together', { stages: [{ ...policy, loss: { preset: 'rloo', stepsPerBatch: 4 } }] }, /E_CONFIG|loss/], // prettier-ignore
    ['an unknown reward', { stages: [{ ...policy, rewards: [{ reward: 'praise' }] }] }, /reward/],
    ['no place for the problem', { stages: [learn], prompt: 'Solve it.' }, /\{problem\}/],
    ['one path', { stages: [learn], paths: 1 }, /paths/],
    ['a misspelt field of its own', { stages: [learn], promptLenght: 3 }, /promptLenght/],
    ['patterns that are no list', { stages: [{ ...learn, trains: 'norm' }] }, /list of patterns/],
  ])('with %s is refused', (_, options, words) => {
    expect(() => curriculumOf(options as never)).toThrow(words);
    expect(() => curriculumOf(options as never)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });
});

describe('problems', () => {
  it('to measure with are never among those to learn from', () => {
    const pool = generatedPool(1, 2, 5);
    const learnt = new Set(Array.from({ length: 3000 }, (_, i) => pool.learn(i).problem));
    const tested = Array.from({ length: 400 }, (_, i) => pool.test(i));
    expect(tested.filter(({ problem }) => learnt.has(problem))).toEqual([]);
    expect(new Set(tested.map(({ problem }) => problem)).size).toBeGreaterThan(150);
    expect(pool.test(7)).toEqual(generatedPool(1, 2, 5).test(7));
  });

  it('are named by levels', () => {
    expect(levelsOf('level:2')).toEqual([2, 2]);
    expect(levelsOf('level:1-3')).toEqual([1, 3]);
    expect(levelsOf('gsm8k')).toBeNull();
    for (const [low, high] of [
      [0, 1],
      [2, 1],
      [1, hardestLevel + 1],
    ] as const)
      // prettier-ignore
      expect(() => generatedPool(low, high)).toThrow(/levels/);
    expect(() => listedPool('empty.jsonl', [])).toThrow(/empty\.jsonl/);
  });
});

describe('gathering', () => {
  const signal = new AbortController().signal;
  const pool = generatedPool(1);
  const call = { problem: (i: number) => pool.learn(i), count: 40, blocks: true, fits: () => true, signal };

  it("keeps every trace of the problems' own ways", async () => {
    const { traces, became } = await gatherTraces({ ...call, teacher: waysTeacher });
    expect(became).toEqual({ asked: 40, kept: 40, wrong: 0, malformed: 0, withoutBlock: 0, tooLong: 0, failed: 0 });
    expect(traces.map(({ problem }) => problem)).toEqual(Array.from({ length: 40 }, (_, i) => pool.learn(i).problem));
  });

  it('takes the ways of a problem in turns that do not go with its level', () => {
    const mixed = generatedPool(1, 2);
    for (const side of [0, 1]) {
      const problems = Array.from({ length: 600 }, (_, i) => mixed.learn(2 * i + side)).filter(
        ({ ways }) => ways!.length === 2,
      );
      const first = problems.filter(problem => waysOf(problem)[0] === problem.ways![0]).length / problems.length;
      expect(first).toBeGreaterThan(0.4);
      expect(first).toBeLessThan(0.6);
    }
  });

  it('counts what it leaves out, by the first reason that holds, and keeps the order', async () => {
    const order = new Map(Array.from({ length: 40 }, (_, i) => [pool.learn(i).id, i]));
    const faults: Teacher = async (problem, own) => {
      const index = order.get(problem.id)!;
      const whole = await waysTeacher(problem, own);
      await new Promise(resolve => setTimeout(resolve, index % 3));
      if (index % 5 === 1) return whole.replace('</Path>', '');
      if (index % 5 === 2) return `Final Answer: ${problem.answer}`;
      if (index % 5 === 3) return whole.replace(/Final Answer: .*/, 'Final Answer: 12345');
      return whole;
    };
    const { traces, became } = await gatherTraces({ ...call, teacher: faults, fits: ({ problem }) => problem !== pool.learn(0).problem }); // prettier-ignore
    expect(became).toEqual({ asked: 40, kept: 15, wrong: 8, malformed: 8, withoutBlock: 8, tooLong: 1, failed: 0 });
    expect(traces[0]!.problem).toBe(pool.learn(4).problem);
  });

  it('counts what a teacher could not give, and ends when it gives nothing more', async () => {
    const failsAt =
      (bad: (index: number) => boolean): Teacher =>
      (problem, own) => {
        const index = Array.from({ length: 40 }, (_, i) => pool.learn(i).id).indexOf(problem.id);
        return bad(index) ? Promise.reject(new Error(`no answer to ${index}`)) : waysTeacher(problem, own);
      };
    const { became } = await gatherTraces({ ...call, teacher: failsAt(index => index % 3 === 0) });
    expect(became).toMatchObject({ asked: 40, kept: 26, failed: 14 });
    const ends = gatherTraces({ ...call, atOnce: 4, teacher: failsAt(index => index >= 20) });
    await expect(ends).rejects.toThrow(/no answer to 2/);
  });

  it('asks for no solution twice that its journal has, and comes to the same', async () => {
    const whole = await gatherTraces({ ...call, teacher: waysTeacher });
    const kept = new Map<number, string>();
    const journal: Journal = { read: async () => kept, add: async (index, trace) => void kept.set(index, trace) };
    const stop = new AbortController();
    const asked: string[] = [];
    const teacher: Teacher = (problem, own) => {
      asked.push(problem.id);
      if (asked.length === 25) stop.abort();
      return waysTeacher(problem, own);
    };
    await expect(gatherTraces({ ...call, teacher, journal, signal: stop.signal })).rejects.toThrow();
    const seen: number[] = [];
    const rest = await gatherTraces({ ...call, teacher, journal, see: done => seen.push(done) });
    expect(rest).toEqual(whole);
    // What was under way when it was stopped is asked for again, and nothing else.
    expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(8);
    expect(new Set(asked).size).toBe(40);
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  it('asks in words, and leaves out what was thought aloud', async () => {
    const said: string[] = [];
    const teacher = askedTeacher(
      async text => (said.push(text), '<think>hm, $&</think>\nFinal Answer: 3\n'),
      'Solve $1: {problem}',
    );
    expect(await teacher({ id: 'a', problem: '1 + $& 2', answer: '3' }, signal)).toBe('Final Answer: 3');
    expect(said).toEqual(['Solve $1: 1 + $& 2']);
  });

  it('stops when it is told to, and passes on what a teacher throws', async () => {
    const stop = new AbortController();
    const teacher: Teacher = (problem, own) => (
      problem.id === pool.learn(8).id && stop.abort(),
      waysTeacher(problem, own)
    );
    await expect(gatherTraces({ ...call, teacher, signal: stop.signal })).rejects.toThrow();
    await expect(gatherTraces({ ...call, teacher: () => Promise.reject(new Error('no server')) })).rejects.toThrow('no server'); // prettier-ignore
    expect(() => waysTeacher({ id: 'x', problem: '?', answer: '1' }, signal)).toThrow(/two ways/);
  });
});

describe('an interval', () => {
  it("is Wilson's for one answer each (values of statsmodels.proportion_confint)", () => {
    const of = (right: number, all: number) => intervalOf([...Array<number>(right).fill(1), ...Array<number>(all - right).fill(0)], 1); // prettier-ignore
    const close = ([low, high]: readonly [number, number], expected: readonly [number, number]): void => {
      expect(low).toBeCloseTo(expected[0], 3);
      expect(high).toBeCloseTo(expected[1], 3);
    };
    close(of(8, 10), [0.4902, 0.9433]);
    close(of(0, 20), [0, 0.1611]);
    close(of(50, 100), [0.4038, 0.5962]);
  });

  it('holds the mean, stays in its bounds, and is no wider for more answers to each problem', () => {
    const shares = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(shares, counts => {
        const perProblem = counts.map(n => n / 4);
        const p = perProblem.reduce((a, b) => a + b, 0) / perProblem.length;
        const [low, high] = intervalOf(perProblem, 4);
        expect(low >= 0 && low <= p + 1e-12 && p <= high + 1e-12 && high <= 1).toBe(true);
        const [ends, begins] = intervalOf(perProblem, 1);
        expect(high - low).toBeLessThanOrEqual(begins - ends + 1e-12);
      }),
    );
  });
});

describe('words', () => {
  const names = ['<bos>', '<eos>', '<Parallel>', '</Parallel>', '<Path>', '</Path>', '<Summary>', '</Summary>'];
  const specials = Object.fromEntries(names.map((name, i) => [name, 256 + i]));
  const tokenizer = {
    specials,
    encode: (text: string, options?: { readonly specials?: boolean }) =>
      (options?.specials ? text.split(/(<[^>]+>)/) : [text]).flatMap(part =>
        part in specials ? [specials[part]!] : [...new TextEncoder().encode(part)],
      ),
    decode: (ids: ArrayLike<number>) =>
      Array.from(ids, id => (id < 256 ? String.fromCharCode(id) : names[id - 256]!)).join(''),
  };

  it('let a problem say the tags without meaning them', () => {
    const words = wordsOf(tokenizer);
    const ids = promptOf(words, 'What does <Path> mean?', '<Summary>{problem}\n');
    expect(ids.filter(id => id >= 256)).toEqual([specials['<bos>'], specials['<Summary>']]);
    expect(words.decode([...ids, words.end])).toBe('<Summary>What does <Path> mean?\n');
  });

  it('want the tags and the ends', () => {
    expect(() => wordsOf({ ...tokenizer, specials: { '<bos>': 1, '<eos>': 2 } })).toThrow(/<Parallel>/);
    expect(() => wordsOf(tokenizer, ['<s>', '<eos>'])).toThrow(/<s>/);
  });
});
