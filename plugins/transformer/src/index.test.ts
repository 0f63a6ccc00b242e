import { createHost, MODELS, OPS, type Json } from '@heddle/core';
import { expect, it } from 'vitest';
import plugin, { cacheWriteOp, createDecoder, partsOf } from './index.js';

it('makes a model again from the configuration in a checkpoint', async () => {
  const host = createHost({ plugins: [plugin] });
  const model = createDecoder(
    { vocabulary: 40, width: 16, heads: 2, depth: 1, ffn: 'gelu', norm: 'layer' },
    partsOf(host),
  );
  const stored = JSON.parse(JSON.stringify(model.config)) as Json;
  const again = host.find(MODELS, model.architecture).create(stored, partsOf(host));
  expect(again.config).toEqual(model.config);
  expect(host.find(OPS, 'cacheWrite')).toBe(cacheWriteOp);
  await host.close();
});
