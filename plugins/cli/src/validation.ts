/** The loss on text that was kept back. */

import {
  evaluationStep,
  type Backend,
  type DecoderModel,
  type DeviceTensor,
  type HostTensor,
  type KernelSource,
  type Objective,
} from '@heddle/core';
import { packedBatches, type PackedTokens } from '@heddle/text';

export interface Validation {
  /** Mean negative log-probability of a token, in nats. */
  loss(parameters: Readonly<Record<string, HostTensor>>): Promise<number>;
  close(): Promise<void>;
}

export interface ValidationOptions {
  readonly backend: Backend;
  readonly kernels: KernelSource;
  readonly model: DecoderModel;
  readonly objective: Objective;
  readonly tokens: PackedTokens;
  readonly batch: number;
  readonly length: number;
  /** Batches that are looked at: the same ones each time. */
  readonly most?: number;
}

export async function openValidation({
  backend,
  kernels,
  model,
  objective,
  tokens,
  batch,
  length,
  most = 16,
}: ValidationOptions): Promise<Validation> {
  const open = () => packedBatches(tokens, { batch, length, shuffle: false, epochs: 1 });
  const graph = evaluationStep({ model, objective, batch: open().types });
  const executable = await backend.compile(graph, { kernels, name: 'validate' });
  return {
    async loss(parameters) {
      const held: Record<string, DeviceTensor> = {};
      const source = open();
      try {
        for (const [name, tensor] of Object.entries(parameters)) held[`params.${name}`] = await backend.upload(tensor);
        let [sum, count] = [0, 0];
        for (let at = 0; at < most; at++) {
          const next = await source.next();
          if (next === null) break;
          const feeds = Object.fromEntries(
            Object.entries(next.batch).map(([name, tensor]) => [`batch.${name}`, tensor]),
          );
          const { outputs } = await executable.run({ ...held, ...feeds });
          sum += outputs['sum']!.data[0]!;
          count += outputs['count']!.data[0]!;
        }
        return sum / count;
      } finally {
        for (const tensor of Object.values(held)) tensor.close();
        await source.close();
      }
    },
    close: () => executable.close(),
  };
}
