import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import plugin from './index.js';

it('is called what package.json says', () => {
  const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    name: string;
    version: string;
  };
  expect({ name: plugin.name, version: plugin.version, api: plugin.api }).toEqual({ name, version, api: 1 });
});
