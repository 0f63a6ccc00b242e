/** Runs one target in every package: `node scripts/run.mjs build`. Further arguments are nx's. */

import './node-version.mjs';
import { bootstrap, main, nx } from './bootstrap.mjs';
import { endLike } from './spawn.mjs';

await main(async () => {
  const [target, ...rest] = process.argv.slice(2);
  await bootstrap();
  endLike(await nx(['run-many', '-t', target, '--output-style=static', ...rest]));
});
