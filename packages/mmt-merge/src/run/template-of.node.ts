/** The chat template of a model's folder. */

import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { jsonAt } from '../checkpoint/open.node.js';

export async function templateOf(folder: string): Promise<string | null> {
  const file = await fs.readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(() => null);
  if (file !== null) return file;
  const config = await jsonAt(join(folder, 'tokenizer_config.json'));
  const template =
    typeof config === 'object' && config !== null && !Array.isArray(config)
      ? (config as Record<string, unknown>)['chat_template']
      : null;
  return typeof template === 'string' ? template : null;
}
