import { conformPlugin } from '@heddle/core/testing';
import { readFileSync } from 'node:fs';
import plugin from './index.js';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

conformPlugin(plugin, { packageJson, load: () => import('./index.js') });
