/** Serves the page on this machine: node examples/browser/serve.mjs [port] */

import { createServer } from 'node:http';
import { pageFiles } from './bundle.mjs';

const port = Number(process.argv[2] ?? 8080);
const files = await pageFiles();
const types = { '/': 'text/html', '/page.css': 'text/css', '/page.js': 'text/javascript' };
createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const body = files[path];
  response.writeHead(body === undefined ? 404 : 200, {
    'content-type': `${types[path] ?? 'text/plain'}; charset=utf-8`,
  });
  response.end(body ?? 'not here');
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
