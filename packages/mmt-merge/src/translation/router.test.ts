import type { HostTensor } from '@heddle/core';
import { expect, it } from 'vitest';
import { routerOf } from './router.js';
import { modulesOf, routingOf } from './strategies.js';

const adapter = (x: number): Record<string, HostTensor> => ({
  'up.loraA': { dtype: 'f32', shape: [2, 1], data: Float32Array.of(x, -x) },
  'up.loraB': { dtype: 'f32', shape: [1, 2], data: Float32Array.of(x, x) },
});
const routing = routingOf(modulesOf('direction-aware', { germanic: ['de', 'sv'], romance: ['fr'] }));
const names = ['de-en', 'sv-en', 'fr-en', 'en-germanic', 'en-romance'];
const adapters = Object.fromEntries(names.map((name, i) => [name, adapter(i)]));

it('stacks the adapters of a table and says which is whose', () => {
  const { variants, variantOf } = routerOf(routing, { ...adapters, unused: adapter(9) });
  expect(variants['up.loraA']!.shape).toEqual([5, 2, 1]);
  for (const [direction, module] of Object.entries(routing))
    expect(variants['up.loraA']!.data[2 * variantOf(direction)]).toBe(names.indexOf(module));
  expect(variantOf('en-de')).toBe(variantOf('en-sv'));
});

it('refuses what it cannot translate by name', () => {
  expect(() => routerOf(routing, { 'de-en': adapter(1) })).toThrow(/E_ROUTE|expected an adapter 'sv-en'/);
  const router = routerOf(routing, adapters);
  expect(() => router.variantOf('en-it')).toThrow(expect.objectContaining({ code: 'E_ROUTE' }));
  expect(() => router.variantOf('en-en')).toThrow(expect.objectContaining({ code: 'E_DIRECTION' }));
  const other = { ...adapters, 'de-en': { 'down.loraA': adapter(1)['up.loraA']! } };
  expect(() => routerOf(routing, other)).toThrow(expect.objectContaining({ code: 'E_ADAPTER' }));
});
