import { describe, expect, it } from 'vitest';
import { openReference } from '../backend/reference.js';
import { bool, f32, i32 } from '../ir/types.js';
import { affine, dropout, linear } from '../model/layers.js';
import { defineLayer, param } from '../model/layer.js';
import { ones } from '../model/initialisers.js';
import {
  attend,
  causalMask,
  defineOp,
  convolveOp,
  geluOp,
  reluGradOp,
  reluOp,
  softmaxMatmulOp,
  joinHeads,
  layerNormOp,
  logProbabilitiesOp,
  logProbabilityOp,
  splitHeads,
  type Tensor,
} from '../tensor/index.js';
import type { Backend } from '../backend/contract.js';
import { backendChecks, conformBackend } from './backends.js';
import { findingsOf } from './checks.js';
import { conformLayer, layerChecks } from './layers.js';
import { conformOp, opChecks } from './ops.js';

conformBackend(async () => openReference(), {}, 'the reference');
conformOp(geluOp as never, {
  samples: [
    { inputs: [f32(2, 3)], attrs: { form: 'erf' } },
    { inputs: [f32(4)], attrs: { form: 'tanh' } },
  ],
});
conformOp(layerNormOp as never, { samples: [{ inputs: [f32(2, 3, 4), f32(4), f32(4)], attrs: { epsilon: 1e-5 } }] });
conformOp(convolveOp as never, {
  samples: [
    { inputs: [f32(2, 2, 3, 4), f32(2, 3, 1, 3, 1), f32(6)] },
    { inputs: [f32(1, 3, 2, 2), f32(1, 2, 1, 1, 3)] },
  ],
});
conformOp(reluOp as never, { samples: [{ inputs: [f32(5)] }, { inputs: [f32(2, 3)] }] });
conformOp(reluGradOp as never, { samples: [{ inputs: [f32(5), f32(5)], data: [0] }] });
conformOp(softmaxMatmulOp as never, {
  samples: [{ inputs: [f32(2, 3), f32(3, 4)] }, { inputs: [f32(2, 2, 3), f32(2, 3, 1), bool(2, 2, 3)] }],
});
conformOp(logProbabilitiesOp as never, {
  samples: [{ inputs: [f32(3, 4), i32(3)] }, { inputs: [f32(2, 2, 3), i32(2, 2)] }],
});
conformOp(logProbabilityOp as never, { samples: [{ inputs: [f32(3, 4), i32(3)] }] });

const attention = (causal: boolean) =>
  defineLayer({
    name: 'attention',
    params: { query: linear(8, 8), key: linear(8, 8), value: affine(8, 8) },
    apply({ query, key, value }, x: Tensor) {
      const T = x.shape[1]!;
      const [q, k, v] = [query(x), key(x), value(x)].map(t => splitHeads(t, 2)) as [Tensor, Tensor, Tensor];
      return joinHeads(attend(q, k, v, causal ? causalMask(T) : null));
    },
  });
const sample = { inputs: [f32(2, 5, 8)], output: [2, 5, 8] };
conformLayer(attention(true), { causal: true, samples: [sample] });

describe('the kit finds', () => {
  it('an op whose own gradient is not that of its meaning', async () => {
    const wrong = defineOp({
      name: 'double',
      version: 1,
      infer: ([x]) => [x!],
      decompose: ([x]) => [x!.mul(2)],
      vjp: ({ cts: [ct] }) => [ct!.mul(3)],
    });
    expect((await findingsOf(opChecks(wrong as never, { samples: [{ inputs: [f32(3)] }] }))).join('\n')).toMatch(
      /gradient/,
    );
  });

  it('an op whose shape rule promises something else', async () => {
    const wrong = defineOp({ name: 'half', version: 1, infer: ([x]) => [x!], decompose: ([x]) => [x!.slice(0, 0, 1)] });
    expect((await findingsOf(opChecks(wrong as never, { samples: [{ inputs: [f32(3)] }] }))).join('\n')).toMatch(
      /infers what its decomposition makes/,
    );
  });

  it('a layer that looks ahead', async () => {
    expect((await findingsOf(layerChecks(attention(false), { causal: true, samples: [sample] }))).join('\n')).toMatch(
      /changing .* changed/,
    );
  });

  it('a parameter that gets no gradient, and dropout that stays on', async () => {
    const idle = defineLayer({
      name: 'idle',
      params: { used: param([3], ones), unused: param([3], ones) },
      apply: ({ used }, x: Tensor) => x.mul(used),
    });
    expect(
      (await findingsOf(layerChecks(idle, { samples: [{ inputs: [f32(2, 3)], output: [2, 3] }] }))).join('\n'),
    ).toMatch(/unused/);
    const drops = defineLayer({
      name: 'drops',
      params: { drop: dropout(0.5), gain: param([8], ones) },
      apply: ({ drop, gain }, x: Tensor) => drop(x).mul(gain),
    });
    expect(await findingsOf(layerChecks(drops, { samples: [{ inputs: [f32(2, 8)], output: [2, 8] }] }))).not.toEqual(
      [],
    );
  });

  it('a backend that rounds, leaks or answers after its close', async () => {
    const broken = async (): Promise<Backend> => {
      const inner = openReference();
      return {
        ...inner,
        live: () => 1,
        async compile(graph, options) {
          const executable = await inner.compile(graph, options);
          return {
            ...executable,
            async run(feeds, runOptions) {
              const results = await executable.run(feeds, runOptions);
              for (const t of Object.values(results.outputs))
                if (t.dtype === 'f32') t.data.forEach((x, i) => (t.data[i] = Math.round(x * 64) / 64));
              return results;
            },
          };
        },
        close: async () => {},
      };
    };
    const findings = (await findingsOf(backendChecks(broken, { graphs: 1 }))).join('\n');
    expect(findings).toMatch(/exp/);
    expect(findings).toMatch(/still open/);
    expect(findings).toMatch(/a run was taken; expected E_CLOSED/);
  });
});
