/**
 * Deletes from `dist/` of the current package what no longer has a source. The compiler never deletes, and a stale
 * file would be published.
 */

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const compiled = /(\.d\.ts|\.js)(\.map)?$/;

for (const name of readdirSync('dist', { recursive: true })) {
  const path = join('dist', name);
  if (!compiled.test(name) || !statSync(path).isFile()) continue;
  if (!existsSync(join('src', name.replace(compiled, '.ts')))) rmSync(path);
}
