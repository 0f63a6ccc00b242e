/** Blocks, layers and maps of the golden files. */

import { causalMask, concat, constant, type Tensor } from '@heddle/core';
import { lookAt, partialBlock } from '../block.js';
import type { PartialOptions } from '../config.js';
import { blockOrigin, decoderLayerOrigin, mapOrigin, sublayerOrigin } from '../fairseq.js';
import { globalMap } from '../global-map.js';
import { partialDecoderLayer, partialSublayer } from '../layers.js';
import { bindWeights, compare, hiddenCells, isStored, numberOf, type Family, type GoldenRow } from './row.js';

const blockOptions = (row: GoldenRow): PartialOptions => ({
  width: numberOf(row, 'C'),
  heads: numberOf(row, 'h'),
  coreHeads: numberOf(row, 'G'),
  expandHeads: numberOf(row, 'E'),
  ratio: numberOf(row, 'r'),
  scaling: row.config['use_hdp'] === false ? 'naive' : 'complex',
});

/** The authors put time first. @shape [T, B, C] -> [B, T, C], and back */
const swapped = (x: Tensor): Tensor => x.transpose(1, 0, 2);

/** @shape [B * E, T, S] -> [B, E, T, S] */
const byRow = (x: Tensor, B: number): Tensor => x.reshape(B, x.shape[0]! / B, x.shape[1]!, x.shape[2]!);
const joined = (x: Tensor): Tensor => x.reshape(x.shape[0]! * x.shape[1]!, x.shape[2]!, x.shape[3]!);

/** @shape -> [B, 1, 1, S], or null where nothing is padding */
function paddingOf(row: GoldenRow, name: string): Tensor | null {
  const stored = row.inputs[name];
  if (!isStored(stored)) return null;
  const [B, S] = stored.shape as readonly [number, number];
  return constant(hiddenCells(stored), [B, 1, 1, S]);
}

const both = (a: Tensor | null, b: Tensor | null): Tensor | null => (a && b ? a.add(b) : (a ?? b));
const causal = (T: number): Tensor => causalMask(T).reshape(1, 1, T, T);
const wiringOf = (row: GoldenRow): { readonly preNorm: boolean } => ({ preNorm: row.config['pre_norm'] !== false });

/** What the file asks for among these. */
const asked = (row: GoldenRow, all: Readonly<Record<string, () => Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(all).flatMap(([name, make]) => (name in row.outputs ? [[name, make()]] : [])));

/** Maps of heads as the authors show them: by head first, or their mean. @shape [B, E, T, S] -> [E, B, T, S] or [B, T, S] */
function shownAs(row: GoldenRow, name: string, maps: Tensor): Tensor {
  const stored = row.outputs[name];
  return isStored(stored) && stored.shape.length === 3 ? maps.mean(1) : maps.transpose(1, 0, 2, 3);
}

export const encoderLayer: Family = (id, row) =>
  compare(id, row, (x, weights) => {
    const layer = bindWeights(partialSublayer(blockOptions(row), wiringOf(row)), sublayerOrigin, weights);
    const B = x['x']!.shape[1]!;
    const map = x['attn_before'] ? byRow(x['attn_before'], B) : null;
    const { out, normed, block } = layer(swapped(x['x']!), { mask: paddingOf(row, 'padding_mask'), map });
    const result = swapped(out);
    return {
      outputs: asked(row, {
        out: () => result,
        probs: () => shownAs(row, 'probs', block.probabilities),
        block_out: () => swapped(block.out),
        logits_after_mask: () => joined(block.logits),
        layernorm_out: () => swapped(normed),
      }),
      loss: result.mul(x['loss_weight']!).sum(),
    };
  });

/** Rows that were remembered so far, with the new ones. */
const growing = (): ((name: string, rows: Tensor) => Tensor) => {
  const past = new Map<string, Tensor>();
  return (name, rows) => {
    const before = past.get(name);
    const all = before ? concat([before, rows], 2) : rows;
    past.set(name, all);
    return all;
  };
};

export const decoderSelf: Family = (id, row) =>
  compare(id, row, (inputs, weights) => {
    const layer = bindWeights(partialSublayer(blockOptions(row), wiringOf(row)), sublayerOrigin, weights);
    const x = swapped(inputs['x']!);
    const [B, T] = x.shape as readonly [number, number];
    const map = inputs['attn_before'] ? byRow(inputs['attn_before'], B) : null;
    const padding = paddingOf(row, 'padding_mask');
    const { out, block } = layer(x, { mask: both(causal(T), padding), map });
    const result = swapped(out);

    const remember = growing();
    const steps = Array.from({ length: T }, (_, t) =>
      layer(x.slice(1, t, t + 1), {
        mask: padding && padding.slice(3, 0, t + 1),
        map: map && map.slice(2, t, t + 1).slice(3, 0, t + 1),
        remember: (name, make) => remember(name, make()),
      }),
    );
    return {
      outputs: {
        ...asked(row, {
          out: () => result,
          probs_mean: () => shownAs(row, 'probs_mean', block.probabilities),
          probs: () => shownAs(row, 'probs', block.probabilities),
          block_out: () => swapped(block.out),
          logits_after_mask: () => joined(block.logits),
        }),
        '~steps': concat(
          steps.map(step => step.out),
          1,
        ).sub(out),
      },
      loss: result.mul(inputs['loss_weight']!).sum(),
    };
  });

export const decoderCross: Family = (id, row) =>
  compare(id, row, (x, weights) => {
    const block = bindWeights(partialBlock(blockOptions(row)), blockOrigin, weights);
    const { out, logits, probabilities } = block(swapped(x['x']!), {
      remember: lookAt(swapped(x['y']!)),
      mask: paddingOf(row, 'padding_mask'),
    });
    const result = swapped(out);
    return {
      outputs: asked(row, {
        out: () => result,
        logits_after_mask: () => joined(logits),
        probs: () => shownAs(row, 'probs', probabilities),
      }),
      loss: result.mul(x['loss_weight']!).sum(),
    };
  });

export const decoderLayer: Family = (id, row) =>
  compare(id, row, (x, weights) => {
    const layer = bindWeights(partialDecoderLayer(blockOptions(row), wiringOf(row)), decoderLayerOrigin, weights);
    const target = swapped(x['x']!);
    const [B, T] = target.shape as readonly [number, number];
    const out = layer(target, {
      self: {
        mask: both(causal(T), paddingOf(row, 'padding_mask')),
        map: x['attn_before'] ? byRow(x['attn_before'], B) : null,
      },
      cross: { remember: lookAt(swapped(x['y']!)), mask: paddingOf(row, 'encoder_padding_mask') },
    });
    const result = swapped(out);
    return { outputs: { out: result }, loss: result.mul(x['loss_weight']!).sum() };
  });

export const mapAlone: Family = (id, row) =>
  compare(id, row, (inputs, weights) => {
    const relative = row.config['rpr'] === true;
    const layer = globalMap({
      width: numberOf(row, 'C'),
      heads: numberOf(row, 'h'),
      expandHeads: numberOf(row, 'E'),
      preNorm: row.config['pre_norm'] !== false,
      distance: relative ? numberOf(row, 'max_relative_length') : 0,
    });
    const map = bindWeights(layer, mapOrigin, weights);
    const x = swapped(inputs['x']!);
    const T = x.shape[1]!;
    const all = map(x);
    const remember = growing();
    const steps = Array.from({ length: T }, (_, t) => {
      const step = map(x.slice(1, t, t + 1), { remember, start: t }); // [B, E, 1, t + 1]
      return step.sub(all.slice(2, t, t + 1).slice(3, 0, t + 1)).pad(3, 0, T - t - 1);
    });
    const result = joined(all);
    return {
      outputs: { out: result, '~steps': concat(steps, 2) },
      loss: result.mul(inputs['loss_weight']!).sum(),
    };
  });
