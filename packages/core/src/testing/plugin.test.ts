import { describe, expect, it } from 'vitest';
import type { Backend, Kernel } from '../backend/contract.js';
import { openReference } from '../backend/reference.js';
import { f32 } from '../ir/types.js';
import { defineLayer } from '../model/layer.js';
import { get, provide, token } from '../plugin/container.js';
import type { Grader, MergeMethod, Metric, Reward } from '../plugin/contributions.js';
import { definePlugin, type Plugin } from '../plugin/plugin.js';
import { BACKENDS, FFN, GRADERS, KERNELS, MERGES, METRICS, OPS, REWARDS } from '../plugin/points.js';
import { contribute } from '../plugin/registry.js';
import { defineOp } from '../tensor/op.js';
import type { Tensor } from '../tensor/tensor.js';
import { findingsOf } from './checks.js';
import { effectsOf } from './effects.js';
import { mergeChecks } from './merges.js';
import { conformPlugin, contributedChecks } from './contributed.js';
import { pluginChecks } from './plugin.js';
import { graderChecks, metricChecks, rewardChecks } from './scores.js';

const mean: MergeMethod = {
  name: 'mean',
  laws: { orderIndependent: true, needsBase: false },
  merge: ({ models }) => models.reduce((sum, one) => sum.add(one)).mul(1 / models.length),
};
const length: Reward = {
  name: 'length',
  score: async batch => batch.map(({ completion, reference }) => (reference === null ? null : completion.length)),
};
const equal: Grader = {
  name: 'equal',
  grade: async (answer, reference) =>
    answer.trim() === reference.trim()
      ? { verdict: 'correct', reason: 'the same text' }
      : { verdict: 'incorrect', reason: 'another text' },
};
const matches: Metric<{ readonly right: number; readonly all: number }> = {
  name: 'matches',
  observe: (hypothesis, references) => ({ right: references.includes(hypothesis) ? 1 : 0, all: 1 }),
  add: (left, right) => ({ right: left.right + right.right, all: left.all + right.all }),
  score: ({ right, all }) => (100 * right) / all,
};

const plugin = (register: Plugin['register']): Plugin => definePlugin({ name: 'sample', version: '1.0.0', register });
const packageJson = { name: 'sample', version: '1.0.0', peerDependencies: { '@heddle/core': '^0.1.0' } };

// The kit on a plugin that keeps all laws: these are its tests as an author sees them.
conformPlugin(
  plugin(container => {
    contribute(container, MERGES, mean);
    contribute(container, REWARDS, length);
    contribute(container, GRADERS, equal);
    contribute(container, METRICS, matches as Metric);
  }),
  { packageJson, load: () => import('../plugin/registry.js') },
);

describe('what a plugin contributes is found wanting', () => {
  const found = async (register: Plugin['register'], options = {}) =>
    (
      await Promise.all(
        contributedChecks(plugin(register), options).map(async ({ title, checks }) =>
          (await findingsOf(checks)).map(finding => `${title}: ${finding}`),
        ),
      )
    ).flat();
  const double = defineOp({
    name: 'sample.double',
    version: 1,
    infer: ([x]) => [x!],
    decompose: ([x]) => [x!.mul(2)],
    vjp: ({ cts: [ct] }) => [ct!.mul(3)],
  });
  const layer = { name: 'shift', create: () => defineLayer({ name: 'shift', params: {}, apply: (_, x: Tensor) => x }) };

  it('an op or a part without samples', async () => {
    expect(await found(container => contribute(container, OPS, double))).toContain(
      'op sample.double: infers what its decomposition makes: no samples were given',
    );
    expect(await found(container => contribute(container, FFN, layer))).toEqual([
      "feed-forward shift: has samples to be tested with: expected parts['shift'] with config and samples, received none",
    ]);
  });

  it('an op with a wrong gradient, a part of another shape than promised', async () => {
    const findings = await found(
      container => {
        contribute(container, OPS, double);
        contribute(container, FFN, layer);
      },
      {
        ops: { 'sample.double': { samples: [{ inputs: [f32(3)] }] } },
        parts: { shift: { config: {}, samples: [{ inputs: [f32(2, 3)], output: [3, 2] }] } },
      },
    );
    expect(findings.join('\n')).toMatch(/op sample.double: has the gradient that its decomposition has/);
    expect(findings.join('\n')).toMatch(/feed-forward shift: gives the shape that it promises/);
  });

  it('a kernel for an op of another plugin, when it does not run', async () => {
    const other = definePlugin({
      name: 'other',
      version: '1.0.0',
      register: container => contribute(container, OPS, double),
    });
    const engine = openReference();
    const deaf: Backend = { ...faceOf(engine), name: 'deaf', format: 'deaf' };
    const findings = await found(
      container => {
        contribute(container, KERNELS, {
          op: 'sample.double',
          format: 'deaf',
          accepts: () => true,
          build: () => null,
        } as Kernel);
        contribute(container, BACKENDS, { name: 'deaf', unavailable: async () => null, open: async () => deaf });
      },
      {
        beside: [other],
        ops: { 'sample.double': { samples: [{ inputs: [f32(3)] }] } },
        backends: { deaf: { graphs: 0 } },
      },
    );
    expect(findings.join('\n')).toMatch(/op sample.double: gives on deaf .* but explain\(\) does not say that it ran/);
  });

  it('nothing, where an engine cannot run here: its laws are skipped', async () => {
    const away = {
      name: 'away',
      unavailable: async () => 'no device',
      open: async () => Promise.reject(new Error('!')),
    };
    const [checked] = contributedChecks(plugin(container => contribute(container, BACKENDS, away)));
    expect(checked!.title).toBe('backend away');
    expect(await Promise.all(checked!.checks.map(check => check.unavailable?.()))).toEqual(
      checked!.checks.map(() => 'no device'),
    );
  });
});

describe('a broken plugin is found', () => {
  const found = (register: Plugin['register'], options = {}) => findingsOf(pluginChecks(plugin(register), options));

  it('that asks while it registers', async () => {
    expect(await found(container => void get(container, token('clock')))).toContainEqual(
      expect.stringContaining('register is synchronous, only records'),
    );
  });

  it('that registers asynchronously', async () => {
    expect(await found(async () => Promise.resolve())).toContainEqual(expect.stringContaining('received a promise'));
  });

  it('that starts a timer, prints, or changes something global while it registers', async () => {
    const timers: ReturnType<typeof setTimeout>[] = [];
    const findings = await found(() => {
      timers.push(setTimeout(() => undefined, 5));
      console.log('hello');
      Object.assign(globalThis, { strayed: timers.length });
    });
    timers.forEach(clearTimeout);
    Reflect.deleteProperty(globalThis, 'strayed');
    for (const effect of ['calls setTimeout', 'calls console.log', 'adds globalThis.strayed'])
      expect(findings).toContainEqual(expect.stringContaining(effect));
  });

  it('that registers something else the second time', async () => {
    let times = 0;
    expect(
      await found(container => contribute(container, REWARDS, { ...length, name: `reward-${++times}` })),
    ).toContainEqual(
      expect.stringMatching(/registers the same in every host: the second host lacks rewards@1: reward-/),
    );
    expect(
      await found(container =>
        ++times % 2 === 0 ? provide(container, token('now-and-then'), () => 1, 'host') : undefined,
      ),
    ).toContainEqual(expect.stringContaining('token: now-and-then@1'));
  });

  it('whose engine stays open', async () => {
    const backend: Backend = {
      name: 'leaky',
      format: null,
      limits: {
        maxRank: 6,
        maxElements: 1,
        exactIntegers: 1,
        dtypes: ['f32'],
        deterministic: true,
        resident: false,
        tolerance: 0,
      },
      compile: () => Promise.reject(new Error('no')),
      upload: async () => ({ type: { dtype: 'f32', shape: [1] }, backend: 'leaky', close: () => undefined }),
      download: () => Promise.reject(new Error('no')),
      live: () => 2,
      close: async () => undefined,
    };
    const findings = await found(container =>
      contribute(container, BACKENDS, { name: 'leaky', unavailable: async () => null, open: async () => backend }),
    );
    expect(findings).toEqual([
      expect.stringContaining("backend 'leaky' holds 2 tensors after close"),
      expect.stringContaining("backend 'leaky' still takes tensors after close"),
    ]);
  });

  it('that leaves a timer running after close', async () => {
    const timers: ReturnType<typeof setInterval>[] = [];
    const findings = await found(container =>
      provide(container, token('beat'), () => ({ beat: timers.push(setInterval(() => undefined, 60_000)) }), 'host'),
    );
    timers.forEach(clearInterval);
    expect(findings).toContainEqual(
      expect.stringMatching(/closing the host releases everything: leaves a setInterval running/),
    );
  });

  it('whose close fails', async () => {
    expect(
      await found(container =>
        provide(container, token('stuck'), () => ({ close: () => Promise.reject(new Error('stuck')) }), 'host'),
      ),
    ).toContainEqual(expect.stringContaining('stuck'));
  });

  it('that disagrees with its package.json', async () => {
    const other = { name: 'another', version: '2.0.0', dependencies: { '@heddle/core': '^0.1.0' } };
    expect(await found(() => undefined, { packageJson: other })).toEqual([
      expect.stringContaining("called 'sample', package.json says 'another'"),
      expect.stringContaining("version '1.0.0', package.json says '2.0.0'"),
      expect.stringContaining('under dependencies'),
      expect.stringContaining('does not list @heddle/core under peerDependencies'),
    ]);
  });

  it('whose import does something', async () => {
    const load = async (): Promise<void> => {
      Object.assign(Array.prototype, { last: () => undefined });
      await Promise.resolve();
    };
    const findings = await found(() => undefined, { load });
    Reflect.deleteProperty(Array.prototype, 'last');
    expect(findings).toEqual([expect.stringContaining('importing it does nothing: adds Array.prototype.last')]);
  });

  it('effects are put back and nothing is reported for quiet code', async () => {
    const before = [globalThis.setTimeout, console.log];
    expect(await effectsOf(() => 1)).toEqual([]);
    expect([globalThis.setTimeout, console.log]).toEqual(before);
  });
});

describe('a broken merge method is found', () => {
  const found = (broken: Partial<MergeMethod>, options = {}) =>
    findingsOf(mergeChecks({ ...mean, ...broken }, options));

  it.each<[string, Partial<MergeMethod>, string]>([
    [
      'that scales',
      { merge: ({ models }) => models.reduce((sum, one) => sum.add(one)).mul(0.5) },
      'one model in gives it back: model 0: differs by',
    ],
    [
      'that prefers the first',
      { merge: ({ models: [first] }) => first! },
      'does not mind the order of models, as declared: order 1: differs',
    ],
    [
      'that divides by what may be zero',
      {
        merge: ({ models }) =>
          models
            .reduce((sum, one) => sum.add(one))
            .mul(models[0]!)
            .div(models[0]!),
      },
      'stays finite on zeros',
    ],
    [
      'that flattens',
      { merge: inputs => mean.merge(inputs).reshape(12) },
      'keeps shape and dtype: expected f32 [4, 3], received f32 [12]',
    ],
    ['that throws', { merge: () => expect.fail('not today') }, 'throws: not today'],
    [
      'that wants a base without saying so',
      { merge: ({ models, base }) => (base === null ? expect.fail('no base') : models[0]!) },
      'works without a base, as declared',
    ],
    [
      'that takes none although it says so',
      { laws: { orderIndependent: true, needsBase: true } },
      'declares needsBase, but takes null for a base',
    ],
    [
      'that lets a model of weight 0 count',
      { laws: { orderIndependent: true, needsBase: false, skipsZeroWeight: true } },
      'a model of weight 0 changes nothing, as declared: with it: differs by',
    ],
    [
      'that gives other numbers in pieces',
      { stream: () => ({ looks: [], write: ({ models, length }, out) => out.set(models[0]!.subarray(0, length)) }) },
      'gives in pieces what its graph gives: several models, 1 rows at a time, Float32Array: differs by',
    ],
    [
      'that reads beyond the end of a piece',
      {
        stream: () => ({
          looks: [],
          write: ({ models }, out) =>
            out.forEach((_, at) => (out[at - 1] = models.reduce((sum, m) => sum + m[at]!, 0))),
        }),
      },
      'gives in pieces what its graph gives: several models, 1 rows at a time, Float32Array: differs by Infinity',
    ],
    [
      'whose default is out of bounds',
      { parameters: { t: { describe: 'how far', per: 'merge', default: 2, most: 1 } } },
      'declares parameters whose defaults are within their bounds: t',
    ],
    [
      'that says selective, and mixes',
      {
        laws: { orderIndependent: true, needsBase: true, selective: true },
        merge: ({ models, base }) => models[0]!.add(base!),
      },
      'one model in gives it or the base',
    ],
  ])('%s', async (_, broken, finding) => {
    expect(await found(broken)).toContainEqual(expect.stringContaining(finding));
  });

  it('options reach the method, and `alone` those for one model', async () => {
    const scaled: Partial<MergeMethod> = {
      merge: inputs => mean.merge(inputs).mul(inputs.options['scale'] ?? 1),
    };
    expect(await found(scaled, { options: { scale: 0.5 } })).not.toEqual([]);
    expect(await found(scaled, { options: { scale: 0.5 }, alone: { options: { scale: 1 } } })).toEqual([]);
  });
});

describe('a broken reward is found', () => {
  it.each<[string, Reward['score'], string]>([
    ['that loses samples', async batch => batch.slice(1).map(() => 1), 'expected 10 scores for'],
    ['that gives NaN', async batch => batch.map(() => Number.NaN), 'expected a finite number or null, received NaN'],
    ['that gives undefined', async batch => batch.map(() => undefined as never), 'received undefined'],
    ['that is random', async batch => batch.map(() => Math.random()), 'gives the same answer for the same input'],
    ['that throws', () => Promise.reject(new Error('no')), 'throws: no'],
    [
      'that writes into its input',
      async batch => batch.map(sample => Object.assign(sample, { completion: '' }).completion.length),
      'throws',
    ],
    ['that never answers', () => new Promise(() => undefined), 'no answer after'],
  ])('%s', async (name, score, finding) => {
    const checks = rewardChecks({ name: 'broken', score }, { budget: 20, samples: [] });
    const asked = name.includes('never') ? checks.slice(-1) : checks;
    expect(await findingsOf(asked)).toContainEqual(expect.stringContaining(finding));
  });

  it('whose work explodes on hostile text', async () => {
    const explosive: Reward = {
      name: 'explosive',
      score: async batch => batch.map(({ completion }) => (/^(?:a+)+$/.test(completion) ? 1 : 0)),
    };
    expect(await findingsOf(rewardChecks(explosive, { budget: 100 }))).toEqual([
      expect.stringMatching(
        /does bounded work on hostile text: (?:20|24|28|32) characters of letters: took \d+ ms, allowed 100 ms/,
      ),
    ]);
  });
});

describe('a broken grader is found', () => {
  it.each<[string, Grader['grade'], string]>([
    ['with a verdict of its own', async () => ({ verdict: 'maybe' as never, reason: 'who knows' }), 'received maybe'],
    ['without a reason', async () => ({ verdict: 'correct', reason: ' ' }), 'expected a reason in words'],
    [
      'that throws on what it cannot read',
      async answer => (answer.includes('{') ? Promise.reject(new Error('brace')) : equal.grade(answer, answer)),
      'throws: brace',
    ],
    [
      'that changes its mind',
      async () => ({ verdict: 'correct', reason: String(Math.random()) }),
      'gives the same answer for the same input',
    ],
  ])('%s', async (_, grade, finding) => {
    expect(await findingsOf(graderChecks({ name: 'broken', grade }, { budget: 200 }))).toContainEqual(
      expect.stringContaining(finding),
    );
  });
});

describe('a broken metric is found', () => {
  const found = (broken: Partial<typeof matches>) => findingsOf(metricChecks({ ...matches, ...broken } as Metric));

  it.each<[string, Partial<typeof matches>, string]>([
    [
      'that averages instead of adding',
      { add: (left, right) => ({ right: (left.right + right.right) / 2, all: 1 }) },
      'does not mind how its statistics are grouped',
    ],
    ['that forgets the left', { add: (_, right) => right }, 'does not mind the order'],
    ['that divides by nothing', { score: ({ right }) => right / 0 }, 'scores are finite'],
    [
      'that adds in place',
      { add: (left, right) => Object.assign(left, { right: left.right + right.right, all: left.all + right.all + 1 }) },
      'adding leaves what was added as it was',
    ],
  ])('%s', async (_, broken, finding) => {
    expect(await found(broken)).toContainEqual(expect.stringContaining(finding));
  });
});

/** The contract's calls as an object of its own: a backend may be a class. */
const faceOf = (backend: Backend): Backend => ({
  name: backend.name,
  format: backend.format,
  limits: backend.limits,
  compile: (...args) => backend.compile(...args),
  upload: tensor => backend.upload(tensor),
  download: tensor => backend.download(tensor),
  live: () => backend.live(),
  close: () => backend.close(),
});
