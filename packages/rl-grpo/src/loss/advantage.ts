/** Advantages from rewards. Numbers on the host: there are few of them, and groups have any size. */

/** Indices of the members of each group, in order of first appearance. */
export function groupsOf(keys: readonly unknown[]): readonly (readonly number[])[] {
  const groups = new Map<unknown, number[]>();
  for (const [i, key] of keys.entries()) {
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  return [...groups.values()];
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: readonly number[], about: number): number =>
  Math.sqrt(values.reduce((sum, x) => sum + (x - about) ** 2, 0) / (values.length - 1));
const allEqual = (values: readonly number[]): boolean => values.every(x => x === values[0]);

/** One advantage for each reward of a group. */
export type GroupAdvantage = (rewards: readonly number[]) => readonly number[];

/**
 * GRPO: distance from the group's mean in standard deviations (n - 1). Exactly 0 for equal rewards. A group of one keeps
 * its reward, as verl does.
 */
export const groupNormalised =
  (epsilon = 1e-6): GroupAdvantage =>
  rewards => {
    if (rewards.length === 1) return [rewards[0]! / (1 + epsilon)];
    if (allEqual(rewards)) return rewards.map(() => 0);
    const about = mean(rewards);
    const scale = deviation(rewards, about) + epsilon;
    return rewards.map(r => (r - about) / scale);
  };

/** Dr. GRPO: distance from the group's mean. A group of one keeps its reward. */
export const groupCentred: GroupAdvantage = rewards => {
  if (rewards.length === 1) return rewards;
  if (allEqual(rewards)) return rewards.map(() => 0);
  const about = mean(rewards);
  return rewards.map(r => r - about);
};

/** RLOO: distance from the mean of the others. A group of one keeps its reward. */
export const leaveOneOut: GroupAdvantage = rewards =>
  rewards.length === 1
    ? rewards
    : groupCentred(rewards).map(advantage => (advantage * rewards.length) / (rewards.length - 1));

/**
 * OPO: distance from the mean weighted by length, the baseline of least variance when gradients of tokens are alike.
 * A group of one keeps its reward.
 */
export const lengthWeighted = (rewards: readonly number[], lengths: readonly number[]): readonly number[] => {
  if (rewards.length === 1) return rewards;
  if (allEqual(rewards)) return rewards.map(() => 0);
  const total = lengths.reduce((a, b) => a + b, 0);
  const baseline = rewards.reduce((sum, r, i) => sum + r * lengths[i]!, 0) / total;
  return rewards.map(r => r - baseline);
};

/**
 * Advantages of sequences, group by group.
 *
 * @param keys what tells groups apart, one for each reward
 * @param rewards null leaves a sequence out: of the statistics, and its advantage is null
 */
export function advantagesOf(
  rewards: readonly (number | null)[],
  keys: readonly unknown[],
  advantage: GroupAdvantage | ((rewards: readonly number[], lengths: readonly number[]) => readonly number[]),
  lengths: readonly number[] = rewards.map(() => 1),
): readonly (number | null)[] {
  const out = rewards.map((): number | null => null);
  for (const group of groupsOf(keys)) {
    const judged = group.filter(i => rewards[i] !== null);
    const found = advantage(
      judged.map(i => rewards[i]!),
      judged.map(i => lengths[i]!),
    );
    for (const [n, i] of judged.entries()) out[i] = found[n]!;
  }
  return out;
}

/** Rows of tokens: rewards, values, masks. */
export type Rows = readonly (readonly number[])[];

/** To mean 0 and deviation 1 (n - 1) over all tokens that count; others are 0. A single token keeps its value. */
export function whiten(rows: Rows, mask: Rows): Rows {
  const values = rows.flatMap((row, b) => row.filter((_, t) => mask[b]![t]! > 0));
  if (values.length < 2) return rows.map((row, b) => row.map((x, t) => x * mask[b]![t]!));
  const about = mean(values);
  const scale = 1 / Math.sqrt(deviation(values, about) ** 2 + 1e-8);
  return rows.map((row, b) => row.map((x, t) => (x - about) * scale * mask[b]![t]!));
}

/** Discounted sums of what is still to come. Tokens that do not count are passed over. */
export function returnsOf(rewards: Rows, mask: Rows, gamma: number): Rows {
  return rewards.map((row, b) => {
    const out = row.map(() => 0);
    let running = 0;
    for (let t = row.length - 1; t >= 0; t--) {
      running = row[t]! + gamma * running;
      out[t] = running;
      // What comes after the end of a sequence is no part of it.
      running *= mask[b]![t]!;
    }
    return out;
  });
}

/** REINFORCE++: discounted returns of tokens, whitened over the batch. */
export const reinforcePlusPlus = (
  rewards: Rows,
  mask: Rows,
  gamma: number,
): { readonly advantages: Rows; readonly returns: Rows } => {
  const returns = returnsOf(rewards, mask, gamma);
  return { advantages: whiten(returns, mask), returns };
};

/** REINFORCE++ with the group's mean as a baseline: one number for a sequence, whitened over all tokens of the batch. */
export const reinforcePlusPlusBaseline = (rewards: readonly number[], keys: readonly unknown[], mask: Rows): Rows => {
  const centred = advantagesOf(rewards, keys, groupCentred);
  return whiten(
    mask.map((row, b) => row.map(m => m * centred[b]!)),
    mask,
  );
};

/** Generalised advantage estimation with values of a critic, whitened over the batch. */
export function generalised(
  rewards: Rows,
  values: Rows,
  mask: Rows,
  { gamma, lambda }: { readonly gamma: number; readonly lambda: number },
): { readonly advantages: Rows; readonly returns: Rows } {
  const raw = rewards.map((row, b) => {
    const out = row.map(() => 0);
    let [next, last] = [0, 0];
    for (let t = row.length - 1; t >= 0; t--) {
      if (mask[b]![t]! > 0) {
        last = row[t]! + gamma * next - values[b]![t]! + gamma * lambda * last;
        next = values[b]![t]!;
      }
      out[t] = last;
    }
    return out;
  });
  return { advantages: whiten(raw, mask), returns: raw.map((row, b) => row.map((x, t) => x + values[b]![t]!)) };
}

/** Dynamic sampling (DAPO): groups that teach something, whose rewards are not all the same. */
export const informative = (
  rewards: readonly (number | null)[],
  keys: readonly unknown[],
): readonly (readonly number[])[] =>
  groupsOf(keys).filter(group => new Set(group.map(i => rewards[i]).filter(r => r !== null)).size > 1);
