import { lengthOf, dotOf, maximumOf } from '../parts/angle.js';
import { baseOf, define, perMerge } from '../parts/define.js';
import { slerpFactors, slerpOp } from '../parts/spherical.js';
import { dot, sumInto } from '../parts/sums.js';

/** Beyond this cosine the two are nearly parallel, and the way between them is taken straight. */
const limit = 0.9995;
/** A vector shorter than this is not divided by its length. */
const least = 1e-8;

const unit = (length: number): number => (length > least ? length : 1);

export const slerp = define({
  name: 'slerp',
  describe: 'From the base (t = 0) to the model (t = 1) along an arc, each tensor as one vector.',
  laws: { orderIndependent: true, needsBase: true, models: { least: 1, most: 1 } },
  parameters: { t: perMerge('how far along: 0 is the base, 1 the model') },
  merge(inputs) {
    const base = baseOf('slerp', inputs);
    const model = inputs.models[0]!;
    const lengths = maximumOf(lengthOf(base), least).mul(maximumOf(lengthOf(model), least));
    const cosine = dotOf(base, model).div(lengths);
    return slerpOp([base, model, cosine], { t: inputs.options['t']!, limit })[0]!;
  },
  stream({ options }) {
    let [bb, bx, xx] = [0, 0, 0];
    let factors: readonly [number, number] | null = null;
    return {
      looks: [
        ({ base, models: [model], length }) => {
          bb += dot(base!, base!, 0, length);
          bx += dot(base!, model!, 0, length);
          xx += dot(model!, model!, 0, length);
        },
      ],
      write({ base, models: [model], length }, out) {
        factors ??= slerpFactors(bx / (unit(Math.sqrt(bb)) * unit(Math.sqrt(xx))), options['t']!, limit);
        sumInto(out, [base!, model!], factors, length);
      },
    };
  },
});
