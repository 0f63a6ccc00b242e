import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerRules, normaliseAnswer } from './answer.js';
import { efficiency, selfBleu } from './diversity.js';
import { combineRewards, rewards, type RewardInput, type RewardName, type RewardTerm } from './rewards.js';
import { scoreAll } from './score.js';
import { cosineScaled, repetition, softOverlong } from './shaping.js';

const block =
  '<Parallel><Path>six and six is twelve</Path><Path>two times six</Path></Parallel>\n<Summary>12</Summary>';
const input = (completion: string, more: Partial<RewardInput> = {}): RewardInput => ({
  prompt: 'p',
  completion,
  reference: '12',
  step: 1,
  length: 10,
  limit: 100,
  ...more,
});
const right = 'Final Answer: 12';
const wrong = 'Final Answer: 13';
const malformed = '<Parallel><Path>alone</Path></Parallel>';
const scoreOf = (term: RewardTerm, sample: RewardInput) => combineRewards([term])(sample);

describe('answers', () => {
  it('are the last of the text, but for those far from its end', () => {
    expect(answerRules.minerva.find('Final Answer: 1\nfinal answer : $2$')).toBe('2');
    expect(answerRules.minerva.find(`Final Answer: 1${' '.repeat(300)}`)).toBe(null);
    expect(answerRules['first-number'].find('Final Answer: 1 Final Answer: 2')).toBe('1');
    expect(answerRules['last-number'].find('Final Answer: 1 Final Answer: 2')).toBe('2');
  });

  it('do not change by being made normal twice, for plain numbers', () => {
    fc.assert(
      fc.property(fc.integer(), n => {
        expect(normaliseAnswer(normaliseAnswer(n.toLocaleString('en-US')))).toBe(
          Math.abs(n) > 999 && n < 0 ? n.toLocaleString('en-US') : String(n),
        );
      }),
    );
  });

  it('take bounded time on long hostile texts', () => {
    for (const piece of ['$', '\\text{', 'Final Answer:', 'frac', '<Parallel><Path>a</Path><Path>b</Path>', '<Path>'])
      for (const rule of Object.values(answerRules)) rule.find(piece.repeat(20_000));
    expect(selfBleu(`<Parallel>${'<Path>a b</Path>'.repeat(20_000)}</Parallel>`)).toBeCloseTo(1, 9);
  });
});

describe('rewards', () => {
  // By the specification's table: right or wrong, without a block, with a good one, with a malformed one.
  const none = { good: block, bad: malformed, plain: '' };
  const table: readonly (readonly [RewardTerm, readonly number[]])[] = [
    [{ reward: 'accuracy' }, [1, 1, 1, -1, -1, -1]],
    [{ reward: 'parallel-bonus' }, [1, 1.2, -1, -1, -1, -1]],
    [{ reward: 'parallel-bonus', options: { bonus: 2, wrong: 0 } }, [1, 2, 0, 0, 0, 0]],
    [{ reward: 'parallel-and-accurate' }, [-1, 1, -1, -1, -1, -1]],
    [{ reward: 'parallel-added' }, [1, 1.5, 1, -1, -0.5, -1]],
    [{ reward: 'accurate-and-formed' }, [1, 1, -1, -1, -1, -1]],
    [{ reward: 'block-count' }, [1, 2, 2, -1, 0, 0]],
    [{ reward: 'format' }, [1, 1, 0, 1, 1, 0]],
  ];
  it.each(table)('%j', async (term, expected) => {
    const found: (number | null)[] = [];
    for (const answer of [right, wrong])
      for (const kind of ['plain', 'good', 'bad'] as const)
        found.push(await scoreOf(term, input(`${none[kind]} ${answer}`)));
    expect(found).toEqual(expected);
  });

  it('alternate over windows of steps: eight of accuracy, two of the bonus', async () => {
    const found = await Promise.all(
      Array.from({ length: 20 }, (_, i) => scoreOf({ reward: 'alternating' }, input(block + right, { step: i + 1 }))),
    );
    expect(found).toEqual([...Array(8).fill(1), 1.2, 1.2, ...Array(8).fill(1), 1.2, 1.2]);
    const half = { window: 4, share: 0.5, bonus: 3 };
    const own = await Promise.all(
      [1, 2, 3, 4, 5].map(step => scoreOf({ reward: 'alternating', options: half }, input(block + right, { step }))),
    );
    expect(own).toEqual([1, 1, 3, 3, 1]);
  });

  it('add up by weight, null leaves a sample out', async () => {
    const sum = combineRewards([
      { reward: 'accuracy', weight: 2 },
      { reward: 'format', weight: 0.5 },
      { reward: ({ length }) => length, weight: 0.1 },
    ]);
    expect(await sum(input(block + right))).toBeCloseTo(2 + 0.5 + 1, 12);
    expect(await sum(input(block + right, { reference: null }))).toBe(null);
    expect(await scoreOf({ reward: () => null }, input(right))).toBe(null);
  });

  it('take the word of a judge', async () => {
    const judge = ({ completion }: RewardInput): boolean | null =>
      completion.includes('twelve') ? true : completion === '' ? null : false;
    const options = { judge };
    expect(await scoreOf({ reward: 'accuracy', options }, input('it is twelve', { reference: null }))).toBe(1);
    expect(await scoreOf({ reward: 'accuracy', options }, input('no'))).toBe(-1);
    expect(await scoreOf({ reward: 'accuracy', options }, input(''))).toBe(null);
  });

  it('fall with likeness of paths and rise with words saved', async () => {
    const alike =
      '<Parallel><Path>one two three four</Path><Path>one two three four</Path></Parallel><Summary>s</Summary>';
    expect(selfBleu(alike)).toBeCloseTo(1, 9);
    expect(selfBleu('no block')).toBe(1);
    expect(await scoreOf({ reward: 'diverse-bonus' }, input(alike + right))).toBeCloseTo(1, 9);
    expect(await scoreOf({ reward: 'diverse-bonus' }, input(block + right))).toBeGreaterThan(1.1);
    expect(efficiency('<Parallel><Path>a b c</Path> <Path>d e f</Path></Parallel> g')).toEqual({
      gain: 3 / 7,
      total: 7,
      traversed: 4,
    });
  });

  const refused = (terms: readonly RewardTerm[]): string => {
    try {
      combineRewards(terms);
    } catch (error) {
      if (isHeddleError(error)) return `${error.code} ${String(error.details['name'])}`;
    }
    return 'accepted';
  };
  it('are refused by name', () => {
    expect(refused([])).toBe('E_CONFIG terms');
    expect(refused([{ reward: 'acuracy' as RewardName }])).toBe('E_CONFIG reward');
    expect(refused([{ reward: 'toString' as RewardName }])).toBe('E_CONFIG reward');
    expect(refused([{ reward: 'accuracy', weight: Number.NaN }])).toBe('E_CONFIG weight');
    expect(refused([{ reward: 'accuracy', options: { bonus: 2 } }])).toBe('E_CONFIG options of accuracy');
    expect(refused([{ reward: 'accuracy', options: { answer: 'gsm8k' as never } }])).toBe('E_CONFIG accuracy: answer');
    for (const reward of Object.keys(rewards) as RewardName[]) expect(refused([{ reward }])).toBe('accepted');
  });
});

describe('shaping', () => {
  it('falls evenly over the margin, never jumps, and stays within its range', () => {
    expect(softOverlong(80, 100, 20)).toBeCloseTo(0, 12);
    expect(softOverlong(90, 100, 20)).toBe(-0.5);
    expect(softOverlong(101, 100, 20)).toBe(-1);
    fc.assert(
      fc.property(fc.nat(300), fc.boolean(), (length, correct) => {
        const [here, next] = [length, length + 1].map(n => cosineScaled(correct, n, 100));
        expect(correct ? next! - here! : here! - next!).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  it('counts n-grams that repeat', () => {
    expect(repetition([1, 1, 1, 1], 2)).toBeCloseTo(2 / 3, 12);
    expect(repetition([1, 2, 3], 2)).toBe(0);
    expect(repetition([1], 2)).toBe(0);
  });
});

describe('scoring a batch', () => {
  const samples = [input('a'), input('b'), input('c'), input('d')];

  it('loses no sample: faults are told, the others have their scores', async () => {
    const seen: AbortSignal[] = [];
    const { scores, faults } = await scoreAll(
      ({ completion }, signal) => {
        if (completion === 'a') throw new Error('broken');
        if (completion === 'b') {
          seen.push(signal!);
          return new Promise<number>(() => {});
        }
        return completion === 'c' ? Number.NaN : 1;
      },
      samples,
      { timeout: 20 },
    );
    expect(scores).toEqual([null, null, null, 1]);
    expect(faults.map(({ sample, kind }) => [sample, kind])).toEqual([
      [0, 'threw'],
      [1, 'timed-out'],
      [2, 'not-a-number'],
    ]);
    expect(seen[0]!.aborted).toBe(true);
  });

  it('stops where that is asked', async () => {
    const error: unknown = await scoreAll(() => Promise.reject(new Error('broken')), samples, {
      onFault: 'fail',
    }).catch((e: unknown) => e);
    expect(isHeddleError(error) && error.code).toBe('E_REWARD');
    expect(isHeddleError(error) && error.message).toContain('sample 0');
  });

  it('ends when it is called off', async () => {
    const control = new AbortController();
    const run = scoreAll(() => new Promise<number>(() => {}), samples, { signal: control.signal });
    control.abort(new Error('called off'));
    await expect(run).rejects.toThrow('called off');
  });
});
