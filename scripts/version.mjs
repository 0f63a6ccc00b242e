/** Turns changesets into versions and changelogs, and writes the new versions where code says them. */

import './node-version.mjs';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, environment, main } from './bootstrap.mjs';
import { run } from './spawn.mjs';
import { packageFolders, readJson, root } from './workspace.mjs';

await main(async () => {
  await bootstrap();
  const changesets = join(root, 'node_modules', '@changesets', 'cli', 'bin.js');
  const { code } = await run(process.execPath, [changesets, 'version'], { env: environment() });
  if (code !== 0) throw new Error('changeset version failed; see above.');
  for (const folder of packageFolders()) {
    const file = join(root, folder, 'src', 'version.ts');
    if (!existsSync(file)) continue;
    const { version } = readJson(join(root, folder, 'package.json'));
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(version = ')[^']*'/, `$1${version}'`));
  }
});
