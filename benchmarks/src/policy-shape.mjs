/** What the benchmark of policies learns: a Llama of 0.86 M parameters, its prompts, and what answers are worth. */

export const policyShape = { V: 512, D: 128, L: 4, H: 4, F: 344, prompts: 8, group: 8, promptLength: 8, length: 64 };
export const tinyPolicy = { ...policyShape, D: 32, L: 1, F: 64, prompts: 2, group: 2, length: 8 };

/** Ids 0 and 1 are padding and the end. */
export const ends = { pad: 0, end: 1 };

/** Prompt `index`. */
export const promptOf = ({ V, promptLength }, index) =>
  Array.from({ length: promptLength }, (_, i) => 2 + ((index * 31 + i * 7) % (V - 2)));

/** The share of even tokens. */
export const worth = ids => ids.filter(id => id % 2 === 0).length / Math.max(1, ids.length);
