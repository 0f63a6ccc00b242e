/** Losses, advantages and estimators against verl and PyTorch. */

import { evaluateAll, grad, type HostTensor, type Shape, type Tensor } from '@heddle/core';
import { caseOf, relativeError, type GoldenCase } from '@heddle/core/testing/golden';
import {
  advantagesOf,
  generalised,
  groupCentred,
  groupNormalised,
  leaveOneOut,
  lengthWeighted,
  reinforcePlusPlus,
  reinforcePlusPlusBaseline,
  type Rows,
} from '../loss/advantage.js';
import { aggregate, maskedMean, type Aggregation } from '../loss/aggregate.js';
import { klEstimators, type KlName } from '../loss/kl.js';
import { tokenLogProbabilities } from '../loss/log-probabilities.js';
import {
  clippedSequences,
  clippedTokens,
  clippedWeights,
  geometricMean,
  policyGradient,
  softGate,
  type PolicyInputs,
  type PolicyLoss,
} from '../loss/policy.js';
import { hostOf, numbersOf, type Row, type Stored } from './rows.js';

const rowOf = (value: unknown): Row => (value ?? {}) as Row;

/** verl's names; `*-norm` there divides by the length alone, in the other files by the sequences too. */
const aggregationOf = (name: string, source: 'verl' | 'torch'): Aggregation =>
  name !== 'seq-mean-token-sum-norm' ? (name as Aggregation) : source === 'verl' ? 'batch-sum-norm' : 'seq-sum-norm';

/** Named numbers beside named expectations. What cancels to less than 1 is held to the tolerance itself. */
const compare = (
  id: string,
  found: Readonly<Record<string, ArrayLike<number>>>,
  expected: Row,
  tolerance = 1e-5,
): GoldenCase =>
  caseOf(
    id,
    Object.entries(expected).map(([name, value]) => ({
      name,
      error:
        typeof value === 'number'
          ? Math.abs(value - (found[name]?.[0] ?? NaN)) / Math.max(1, Math.abs(value))
          : relativeError(numbersOf(value), found[name] ?? []),
      tolerance,
    })),
  );

const data = (found: Record<string, HostTensor>): Record<string, ArrayLike<number>> =>
  Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, tensor.data]));

const [B, T] = [0, 1];
/** Advantages of sequences, for every token. */
const everyToken = (advantages: HostTensor, shape: Shape): HostTensor =>
  advantages.shape.length === 2
    ? advantages
    : {
        dtype: 'f32',
        shape,
        data: Float32Array.from(
          { length: shape[B]! * shape[T]! },
          (_, i) => advantages.data[Math.floor(i / shape[T]!)]!,
        ),
      };

/** The loss, its gradient in the log-probabilities, and metrics. */
function lossOf(
  { policy, old, advantages, mask }: Readonly<Record<'policy' | 'old' | 'advantages' | 'mask', HostTensor>>,
  policyLoss: (x: PolicyInputs) => PolicyLoss,
  mode: Aggregation,
  more: (
    x: PolicyInputs,
    each: Tensor,
    metrics: PolicyLoss['metrics'],
  ) => { each: Tensor; metrics: Record<string, Tensor> },
  extra: readonly HostTensor[] = [],
) {
  return data(
    evaluateAll(
      (...inputs) => {
        const x: PolicyInputs = { policy: inputs[0]!, old: inputs[1]!, advantages: inputs[2]!, mask: inputs[3]! };
        const found = policyLoss(x);
        const { each, metrics } = more(
          { ...x, ...(inputs[4] ? { reference: inputs[4] } : {}) },
          found.each,
          found.metrics,
        );
        const { sum, count } = aggregate(each, x.mask, mode);
        const loss = sum.div(count);
        return { loss, gradient: grad(loss, [x.policy])[0]!, ...metrics };
      },
      [policy, old, everyToken(advantages, policy.shape), mask, ...extra],
    ),
  );
}

const referenceOf = (x: PolicyInputs): Tensor => (x as PolicyInputs & { readonly reference: Tensor }).reference;

/** `pr1_policy_loss`: all aggregations of one loss, and estimators as a loss. */
export function* policyLossFile(id: string, file: Row): Iterable<GoldenCase> {
  const inputs = rowOf(file['inputs']);
  const config = rowOf(file['config']) as Readonly<Record<string, number>>;
  const { loss, kl_penalty_token_mean: penalties } = rowOf(file['outputs']) as Readonly<Record<string, Row>>;
  const slopes = rowOf(file['gradients']) as unknown as Readonly<Record<'policy' | 'kl', Row>>;
  const tensors = {
    policy: hostOf(inputs['log_prob']),
    old: hostOf(inputs['old_log_prob']),
    advantages: hostOf(inputs['advantages']),
    mask: hostOf(inputs['response_mask']),
  };
  const options = { clipLow: config['clip_low']!, clipHigh: config['clip_high']!, dualClip: config['clip_ratio_c']! };
  for (const mode of Object.keys(slopes.policy)) {
    const found = lossOf(
      tensors,
      x => clippedTokens(x, options),
      aggregationOf(mode, 'verl'),
      (_, each, metrics) => ({
        each,
        metrics,
      }),
    );
    yield compare(
      `${id} ${mode}`,
      found,
      {
        loss: loss![mode],
        gradient: slopes.policy[mode],
        clipFraction: loss!['pg_clipfrac'],
        clipFractionLower: loss!['pg_clipfrac_lower'],
        kl: loss!['ppo_kl'],
      },
      1e-6,
    );
  }
  const names: Readonly<Record<string, KlName>> = { kl: 'k1', abs: 'abs', mse: 'k2', low_var_kl: 'k3' };
  for (const [name, estimator] of Object.entries(names)) {
    const found = lossOf(
      tensors,
      policyGradient,
      'token-mean',
      x => ({ each: klEstimators[estimator](x.policy, referenceOf(x)), metrics: {} }),
      [hostOf(inputs['ref_log_prob'])],
    );
    yield compare(`${id} ${name}`, found, { loss: penalties![name], gradient: slopes.kl[name] }, 1e-6);
  }
}

const rowsOf = (entry: unknown): Rows => {
  const { shape, data: flat } = entry as Stored;
  const numbers = flat.map(Number);
  return Array.from({ length: shape[B]! }, (_, b) => numbers.slice(b * shape[T]!, (b + 1) * shape[T]!));
};
const sums = (rows: Rows): readonly number[] => rows.map(row => row.reduce((a, b) => a + b, 0));
const spread = (each: readonly (number | null)[], mask: Rows): Rows => mask.map((row, b) => row.map(m => m * each[b]!));

/** `pr1_grpo_advantage`, one row. */
export function advantageRow(id: string, row: Row): GoldenCase {
  const epsilon = row['epsilon'] as number;
  const advantage = row['norm_by_std'] === false ? groupCentred : groupNormalised(epsilon);
  const rewards = row['rewards'] as readonly number[];
  // Equal rewards are exactly 0 here; PyTorch's mean of eight times 1.2 is not 1.2 in float32.
  const equal = new Set(rewards).size < new Set(row['group'] as readonly string[]).size + 1;
  const found = advantagesOf(rewards, row['group'] as readonly string[], advantage);
  const expected = rowOf(row['outputs']);
  if (equal && found.every(x => x === 0)) return { id, passed: true, detail: 'equal rewards: exactly 0', error: 0 };
  return compare(
    id,
    { per_response: found as readonly number[], advantages: spread(found, rowsOf(row['response_mask'])).flat() },
    { per_response: expected['per_response'], advantages: expected['advantages'] },
    1e-6,
  );
}

/** `pr1_grpo_step`: from logits to the gradient of a step, in parts of a batch. */
export function stepFile(id: string, file: Row): GoldenCase {
  const [inputs, expected] = [rowOf(file['inputs']), rowOf(file['outputs'])];
  const config = rowOf(file['config']) as Readonly<Record<string, number>>;
  const size = config['micro_batch']!;
  const rewards = numbersOf(inputs['rewards']);
  const mask = rowsOf(inputs['response_mask']);
  const advantages = spread(advantagesOf(rewards, numbersOf(inputs['group']), groupNormalised()), mask);
  const found = evaluateAll(
    (logits, tokens, old, maskOf, advantage) => {
      const { logp, entropy } = tokenLogProbabilities(logits!, tokens!, config['temperature']!);
      const parts = Array.from({ length: config['B']! / size }, (_, i) => {
        const [policy, o, a, m] = [logp, old!, advantage!, maskOf!].map(x => x.slice(0, i * size, (i + 1) * size));
        const { each } = clippedTokens(
          { policy: policy!, old: o!, advantages: a!, mask: m! },
          { clipLow: config['clip_low']!, clipHigh: config['clip_high']!, dualClip: config['clip_ratio_c']! },
        );
        const { sum, count } = aggregate(each, m!, 'token-mean');
        return sum.div(count);
      });
      const loss = parts.reduce((a, b) => a.add(b)).div(config['grad_accum']!);
      return {
        log_prob: logp,
        entropy,
        logits: grad(loss, [logits!])[0]!,
        ...Object.fromEntries(parts.map((part, i) => [`micro ${i}`, part])),
      };
    },
    [
      hostOf(inputs['logits']),
      hostOf(inputs['responses'], 'i32'),
      hostOf(inputs['old_log_prob']),
      hostOf(inputs['response_mask']),
      { ...hostOf(inputs['response_mask']), data: Float32Array.from(advantages.flat()) },
    ],
  );
  return compare(
    id,
    { ...data(found), advantages: advantages.flat() },
    {
      log_prob: expected['log_prob'],
      entropy: expected['entropy'],
      advantages: expected['advantages'],
      logits: rowOf(file['gradients'])['logits'],
      ...Object.fromEntries((expected['micro_losses'] as readonly number[]).map((x, i) => [`micro ${i}`, x])),
    },
    1e-6,
  );
}

/** Rows of `grpo-loss`. */
export function grpoLoss(id: string, row: Row): GoldenCase {
  const [inputs, params] = [rowOf(row['inputs']), rowOf(row['params'])];
  const beta = params['klBeta'] as number;
  const found = lossOf(
    {
      policy: hostOf(inputs['newLogp']),
      old: hostOf(inputs['oldLogp']),
      advantages: hostOf(inputs['advantages']),
      mask: hostOf(inputs['mask']),
    },
    x =>
      clippedTokens(x, {
        clipLow: params['clipLow'] as number,
        clipHigh: params['clipHigh'] as number,
        dualClip: (params['dualClip'] ?? null) as number | null,
      }),
    aggregationOf(params['aggregation'] as string, 'torch'),
    (x, each, metrics) => {
      const kl = klEstimators.k3(x.policy, referenceOf(x));
      return {
        each: each.add(kl.mul(beta)),
        metrics: {
          clipFraction: metrics.clipFraction,
          klMean: maskedMean(kl, x.mask),
          approxKlOldNew: maskedMean(
            klEstimators.k3(x.old, x.policy).mul(0).add(klEstimators.k1(x.old, x.policy)),
            x.mask,
          ),
        },
      };
    },
    [hostOf(inputs['refLogp'])],
  );
  return compare(id, found, { ...rowOf(row['outputs']), gradient: rowOf(row['grads'])['newLogp'] });
}

/** Rows of `gspo-loss`. */
export function gspoLoss(id: string, row: Row): GoldenCase {
  const [inputs, params] = [rowOf(row['inputs']), rowOf(row['params'])];
  const options = { clipLow: params['clipLow'] as number, clipHigh: params['clipHigh'] as number };
  const found = lossOf(
    {
      policy: hostOf(inputs['newLogp']),
      old: hostOf(inputs['oldLogp']),
      advantages: hostOf(inputs['advantages']),
      mask: hostOf(inputs['mask']),
    },
    x => clippedSequences(x, options),
    'seq-mean-token-mean',
    (x, each) => ({
      each,
      metrics: {
        seqRatio: x.policy.sub(x.old).mul(x.mask).sum(1).div(x.mask.sum(1)).exp(),
      },
    }),
  );
  return compare(id, found, { ...rowOf(row['outputs']), gradient: rowOf(row['grads'])['newLogp'] });
}

/** Rows of `kl-estimators`. */
export function klRow(id: string, row: Row): GoldenCase {
  const inputs = rowOf(row['inputs']);
  const expected = rowOf(row['outputs']);
  const found = evaluateAll(
    (policy, reference) =>
      Object.fromEntries(Object.entries(klEstimators).map(([name, kl]) => [name, kl(policy!, reference!)])),
    [hostOf(inputs['newLogp']), hostOf(inputs['refLogp'])],
  );
  return compare(id, data(found), expected);
}

/** Rows of `token-logprobs-entropy`. */
export function logProbabilityRow(id: string, row: Row): GoldenCase {
  const inputs = rowOf(row['inputs']);
  const temperature = (rowOf(row['params'])['temperature'] ?? 1) as number;
  const found = evaluateAll(
    (logits, tokens) => {
      const { logp, entropy } = tokenLogProbabilities(logits!, tokens!, temperature);
      return { logprobs: logp, entropy, gradient: grad(logp.sum().add(entropy.sum()), [logits!])[0]! };
    },
    [hostOf(inputs['logits']), hostOf(inputs['tokens'], 'i32')],
  );
  return compare(id, data(found), { ...rowOf(row['outputs']), gradient: rowOf(row['grads'])['logits'] });
}

/** Rows of `grpo-advantages`. */
export function groupAdvantageRow(id: string, row: Row): GoldenCase {
  const params = rowOf(row['params']);
  const rewards = numbersOf(rowOf(row['inputs'])['rewards']);
  const kinds = { std: groupNormalised((params['eps'] ?? 1e-4) as number), none: groupCentred, rloo: leaveOneOut };
  const size = params['groupSize'] as number;
  const found = advantagesOf(
    rewards,
    rewards.map((_, i) => Math.floor(i / size)),
    kinds[params['mode'] as keyof typeof kinds],
  );
  return compare(id, { advantages: found as readonly number[] }, rowOf(row['outputs']));
}

/** Rows of `verl-core-algos`. */
export function verlRow(id: string, row: Row): GoldenCase {
  if (row['kind'] === 'policy-loss') return verlPolicy(id, row);
  if (row['kind'] === 'kl') {
    const kl = klEstimators[row['name'] as KlName];
    const found = evaluateAll(
      (policy, reference) => ({ value: kl(policy!, reference!) }),
      [hostOf(row['newLogp']), hostOf(row['refLogp'])],
    );
    return compare(id, data(found), { value: row['value'] });
  }
  return verlAdvantage(id, row);
}

function verlPolicy(id: string, row: Row): GoldenCase {
  const params = rowOf(row['params']) as Readonly<Record<string, number>>;
  const range = { clipLow: params['clipLow']!, clipHigh: params['clipHigh']! };
  const losses: Readonly<Record<string, (x: PolicyInputs) => PolicyLoss>> = {
    vanilla: x => clippedTokens(x, { ...range, dualClip: params['dualClipC'] ?? 3 }),
    gspo: x => clippedSequences(x, range),
    geo_mean: x => geometricMean(x, range),
    cispo: x => clippedWeights(x, range),
    sapo: x => softGate(x, { tauPositive: params['tauPos']!, tauNegative: params['tauNeg']! }),
    gpg: policyGradient,
  };
  const found = lossOf(
    {
      policy: hostOf(row['newLogp']),
      old: hostOf(row['oldLogp']),
      advantages: hostOf(row['advantages']),
      mask: hostOf(row['mask']),
    },
    losses[row['name'] as string]!,
    // verl means over sequences here, whatever is asked.
    row['name'] === 'sapo' ? 'seq-mean-token-mean' : aggregationOf(String(params['aggregation']), 'verl'),
    (_, each, metrics) => ({ each, metrics }),
  );
  const names: Readonly<Record<string, string>> = {
    'actor/pg_clipfrac': 'clipFraction',
    'actor/ppo_kl': 'kl',
    'actor/pg_clipfrac_lower': 'clipFractionLower',
  };
  return compare(id, found, {
    loss: row['loss'],
    gradient: row['gradNewLogp'],
    ...Object.fromEntries(Object.entries(rowOf(row['metrics'])).map(([name, x]) => [names[name] ?? name, x])),
  });
}

function verlAdvantage(id: string, row: Row): GoldenCase {
  const params = rowOf(row['params']);
  const [rewards, mask] = [rowsOf(row['tokenRewards']), rowsOf(row['mask'])];
  const keys = (row['groupIndex'] ?? []) as readonly number[];
  const gamma = (params['gamma'] ?? 1) as number;
  const of = (advantage: Parameters<typeof advantagesOf>[2]): Rows =>
    spread(advantagesOf(sums(rewards), keys, advantage, sums(mask)), mask);
  const families: Readonly<Record<string, () => { readonly advantages: Rows; readonly returns?: Rows }>> = {
    grpo: () => ({ advantages: of(params['norm_adv_by_std_in_grpo'] === false ? groupCentred : groupNormalised()) }),
    rloo: () => ({ advantages: of(leaveOneOut) }),
    opo: () => ({ advantages: of(lengthWeighted) }),
    reinforce_plus_plus_baseline: () => ({ advantages: reinforcePlusPlusBaseline(sums(rewards), keys, mask) }),
    reinforce_plus_plus: () => reinforcePlusPlus(rewards, mask, gamma),
    gae: () => generalised(rewards, rowsOf(row['values']), mask, { gamma, lambda: (params['lam'] ?? 1) as number }),
  };
  const found = families[row['name'] as string]!();
  // What stands behind the end of a sequence is left undefined there.
  const kept = (rows: Rows): readonly number[] => rows.flatMap((line, b) => line.map((x, t) => x * mask[b]![t]!));
  return compare(
    id,
    { advantages: kept(found.advantages), ...(found.returns ? { returns: kept(found.returns) } : {}) },
    {
      advantages: kept(rowsOf(row['advantages'])),
      ...(row['returns'] === undefined ? {} : { returns: kept(rowsOf(row['returns'])) }),
    },
  );
}
