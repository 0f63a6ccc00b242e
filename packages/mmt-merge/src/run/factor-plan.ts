/** `mode: factors` as a plan: each factor of each adapter is a tensor like another, merged as PEFT merges factors. */

import { fail, streamOf } from '@heddle/core';
import { byteSize, elementCount } from '@heddle/core/files';
import { factorMethods } from '../methods/by-factor.js';
import { storageOf, type MergePlan, type TensorPlan } from '../plan/plan.js';
import { bytesOfSource, type AdaptedSource } from '../plan/source.js';
import type { Step } from './prepare.node.js';

/** A tensor's name in PEFT's files. Embeddings are stored turned; so are layers that keep [in, out], under the usual name. */
export const factorName = (path: string, side: 'A' | 'B', embedding: boolean): string =>
  `base_model.model.${path}.lora_${embedding ? `embedding_${side}` : `${side}.weight`}`;

/**
 * @param plan of the differences, module by module
 * @param fanInFanOut whether the adapters' layers keep [in, out]: then what is turned is no embedding
 * @throws E_ADAPTER for adapters of several ranks, weights below 0, and methods that PEFT has not
 */
export function planFactors(step: Step, plan: MergePlan, fanInFanOut: boolean): MergePlan {
  const method = factorMethods[plan.method];
  if (method === undefined)
    return fail('E_ADAPTER', `${step.at(['merge_method'])}: adapters, mode factors: expected ${Object.keys(factorMethods).join(', ')}, received ${plan.method}. Choose one of them, or mode delta.`, { method: plan.method }); // prettier-ignore
  const said = step.recipe.dtypes?.write ?? step.recipe.out_dtype ?? step.recipe.dtype;
  const tensors = plan.tensors.flatMap((tensor): readonly TensorPlan[] => {
    const path = tensor.name.replace(/\.weight$/, '');
    const dtype = said ? storageOf[said] : tensor.dtype;
    const own = tensor.models.flatMap(({ source }) => (source.kind === 'adapted' ? [source] : []));
    if (own.length === 0) return [{ ...tensor, name: `base_model.model.${tensor.name}`, dtype }];
    const weights = tensor.each.map(values => values['weight'] ?? 1);
    const ranks = new Set(own.map(({ left, right }) => `${left.shape.join()} ${right.shape.join()}`));
    if (ranks.size > 1 || own.length < tensor.models.length || weights.some((w, i) => !(w * own[i]!.scale >= 0)))
      fail('E_ADAPTER', `${step.at(['adapters'])}: expected adapters of one rank and weights from 0 for mode factors, received others at '${path}'. Use mode delta.`, { path }); // prettier-ignore
    const { transposed } = own[0]!;
    const one = (side: 'A' | 'B'): TensorPlan => {
      const of = (source: AdaptedSource) => ((side === 'A') === transposed ? source.left : source.right);
      return {
        ...tensor,
        name: factorName(path, side, transposed && !fanInFanOut),
        shape: of(own[0]!).shape,
        dtype,
        copy: false,
        method: method.name,
        options: {},
        each: weights.map((w, i) => ({
          weight: Math.sqrt(w * own[i]!.scale),
          density: tensor.each[i]!['density'] ?? 1,
        })),
        models: tensor.models.map(({ model }, i) => ({ model, source: of(own[i]!) })),
        base: null,
        stream: streamOf(`${tensor.name} ${(side === 'A') === transposed ? 'left' : 'right'}`),
      };
    };
    return [one('A'), one('B')];
  });
  const read = tensors.reduce((sum, { models, base }) => sum + [...models, ...(base ? [base] : [])].reduce((n, { source }) => n + bytesOfSource(source), 0), 0); // prettier-ignore
  const written = tensors.reduce((sum, { shape, dtype }) => sum + elementCount(shape) * byteSize[dtype], 0);
  return { ...plan, tensors, bytes: { read, written } };
}
