/** Runs the blocks of one document, one after another. Copied beside them by `documents.test.ts`. */

import { pathToFileURL } from 'node:url';

let where = '';
const report = error => process.send({ failure: `${where}: ${error?.stack ?? error}` });
process.on('unhandledRejection', report);
process.on('uncaughtException', report);

for (const [path, place] of JSON.parse(process.argv[2])) {
  where = place;
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    report(error);
  }
}
process.send({ imported: true });
