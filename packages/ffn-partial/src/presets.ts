/** Sizes to start from; give `vocabulary` with them. */

import type { PartialFormerOptions } from './model-config.js';

/** Dropout of the authors' translation runs. */
const dropout = { dropout: 0.1, block: { attentionDropout: 0.1, activationDropout: 0.1 } };

export const presets = {
  /** For tests and minutes on a laptop: not from the paper. */
  tiny: {
    width: 128,
    heads: 4,
    encoder: { depth: 3, expandHeads: 8, ratio: 4 },
    decoder: { depth: 3, expandHeads: 8, ratio: 2, globalMap: true },
    ...dropout,
  },
  /** For small corpora: not from the paper. */
  small: {
    width: 256,
    heads: 8,
    encoder: { depth: 6, expandHeads: 12, ratio: 4 },
    decoder: { depth: 6, expandHeads: 12, ratio: 2, globalMap: true },
    ...dropout,
  },
  /** The translation model of the paper, 68 million parameters with 34,040 tokens (the authors' train.sh). */
  paperlike: {
    width: 360,
    heads: 8,
    encoder: { depth: 24, expandHeads: 30, coreHeads: 8, ratio: 4 },
    decoder: { depth: 6, expandHeads: 16, coreHeads: 8, ratio: 2, globalMap: true },
    ...dropout,
  },
  /** Summarisation, by the sizes in the name of the authors' checkpoint. */
  summarisation: {
    width: 360,
    heads: 8,
    encoder: { depth: 6, expandHeads: 16, coreHeads: 8, ratio: 4 },
    decoder: { depth: 6, expandHeads: 16, coreHeads: 8, ratio: 2, globalMap: true },
    ...dropout,
  },
  /** What the authors' program does when nothing is said: naive scaling, no map in the decoder. */
  repo: {
    width: 512,
    heads: 8,
    encoder: { depth: 6, ratio: 4 },
    decoder: { depth: 6, ratio: 2, globalMap: false },
    dropout: 0.1,
    block: { scaling: 'naive', activationDropout: 0.1 },
  },
} as const satisfies Readonly<Record<string, Omit<PartialFormerOptions, 'vocabulary'>>>;
