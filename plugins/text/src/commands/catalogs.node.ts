/** `heddle text catalogs`. */

import type { CommandCall } from '@heddle/core';
import { catalogLanguages } from '../catalog/catalogs.node.js';
import { listOption, table } from './options.js';

export async function runCatalogs(call: CommandCall): Promise<number> {
  const roots = listOption(call.options, 'root');
  const languages = await catalogLanguages(roots.length > 0 ? roots : undefined);
  if (call.options['json'] === true)
    for (const one of languages) call.print(JSON.stringify({ type: 'language', ...one }));
  else if (languages.length === 0) call.print('no catalogs: use files, or grammar:en-de');
  else
    for (const line of table([
      ['language', 'catalogs'],
      ...languages.map(({ language, catalogs }) => [language, String(catalogs)]),
    ]))
      call.print(line);
  return 0;
}
