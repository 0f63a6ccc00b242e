import { readFileSync } from 'node:fs';
import { COMMANDS, createHost } from '@heddle/core';
import { expect, it } from 'vitest';
import { commands } from './commands/index.js';
import plugin from './index.js';
import { bundled, bundledCommands } from './bundled.js';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

it('is called what package.json says', () => {
  expect({ name: plugin.name, version: plugin.version, api: plugin.api }).toEqual({
    name: manifest.name,
    version: manifest.version,
    api: 1,
  });
});

it('brings its commands; help knows those of what is bundled without loading a plugin', async () => {
  const plugins = await Promise.all(bundled.map(async ({ load }) => (await load()).default));
  expect(plugins.map(({ name }) => name)).toEqual(bundled.map(({ name }) => name));
  const declared = { ...manifest.dependencies, ...manifest.optionalDependencies };
  for (const { name } of bundled) expect(declared).toHaveProperty([name]);
  const host = createHost({ plugins: [...plugins, plugin] });
  expect(host.all(COMMANDS)).toEqual([...(await bundledCommands()), ...commands]);
  await host.close();
});
