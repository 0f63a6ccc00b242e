import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { httpSource } from './http.js';

const file = Uint8Array.from({ length: 1000 }, (_, i) => i);

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise(done => server.close(done));
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors`;
}

interface Answer {
  status?: number;
  range?: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

/** A server that answers ranges well, but for what `lie` changes from the second request on. */
const ranges = (lie: (start: number, end: number) => Answer = () => ({}), from = 2): RequestListener =>
  (
    (count = 0): RequestListener =>
    (request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
      const [start, end] = [Number(first), Number(last) + 1];
      const {
        status = 206,
        range = `bytes ${start}-${end - 1}/${file.length}`,
        headers = {},
        body = file.slice(start, end),
      } = ++count >= from ? lie(start, end) : {};
      response.writeHead(status, {
        ...(range !== '' && { 'content-range': range }),
        etag: '"one"',
        connection: 'close',
        ...headers,
      });
      response.end(body);
    }
  )();

it('reads ranges and no more', async () => {
  const asked: string[] = [];
  const good = ranges();
  const source = await httpSource(
    await serve((request, response) => {
      asked.push(request.headers.range ?? 'all');
      good(request, response);
    }),
  );
  expect(source.size).toBe(1000);
  expect(await source.read(10, 20)).toEqual(file.slice(10, 20));
  expect(await source.read(999, 1000)).toEqual(file.slice(999));
  expect(await source.read(5, 5)).toEqual(new Uint8Array(0));
  expect(asked).toEqual(['bytes=0-0', 'bytes=10-19', 'bytes=999-999']);
  await expect(source.read(990, 1001)).rejects.toMatchObject({ code: 'E_IO' });
});

it('knows an empty file from a refusal', async () => {
  const answer = (range: string) =>
    serve((_, response) => void response.writeHead(416, { 'content-range': range, connection: 'close' }).end());
  expect((await httpSource(await answer('bytes */0'))).size).toBe(0);
  await expect(httpSource(await answer('bytes */7'))).rejects.toMatchObject({
    code: 'E_HTTP',
    details: { reason: 'status' },
  });
});

it('passes headers on', async () => {
  const good = ranges();
  const address = await serve((request, response) =>
    request.headers.authorization === 'Bearer x'
      ? good(request, response)
      : response.writeHead(401, { connection: 'close' }).end(),
  );
  await expect(httpSource(address)).rejects.toMatchObject({ code: 'E_HTTP', details: { reason: 'status' } });
  expect((await httpSource(address, { headers: { authorization: 'Bearer x' } })).size).toBe(1000);
});

describe('refuses a server that', () => {
  it.each<[string, string, Answer]>([
    ['ignores ranges', 'status', { status: 200, range: '', body: file }],
    ['fails', 'status', { status: 503, range: '' }],
    ['says nothing of the range', 'content-range', { range: '' }],
    ['gives another range', 'content-range', { range: 'bytes 11-20/1000' }],
    ['gives nonsense for a range', 'content-range', { range: 'bytes 10-19/*' }],
    ['has another size by now', 'changed', { range: 'bytes 10-19/2000' }],
    ['has another file by now', 'changed', { headers: { etag: '"two"' } }],
    ['sends less', 'short', { body: file.slice(10, 15) }],
    ['sends more', 'long', { body: file }],
    ['compresses', 'encoding', { headers: { 'content-encoding': 'br' } }],
  ])('%s', async (_, reason, answer) => {
    const source = await httpSource(await serve(ranges(() => answer)));
    await expect(source.read(10, 20)).rejects.toMatchObject({ code: 'E_HTTP', details: { reason } });
  });

  it('sends the whole file at once', async () => {
    await expect(
      httpSource(await serve(ranges(() => ({ status: 200, range: '', body: file }), 1))),
    ).rejects.toMatchObject({ code: 'E_HTTP', details: { reason: 'status' } });
  });

  it('promises more than memory holds', async () => {
    const huge = 900_000_000_000_000;
    const source = await httpSource(
      await serve(ranges((start, end) => ({ range: `bytes ${start}-${end - 1}/${huge}` }), 1)),
    );
    await expect(source.read(0, huge)).rejects.toMatchObject({ code: 'E_HTTP', details: { reason: 'memory' } });
  });

  it('is not there', async () => {
    await expect(httpSource('http://127.0.0.1:9/x')).rejects.toMatchObject({
      code: 'E_HTTP',
      details: { reason: 'network' },
    });
  });

  it('hangs up in the middle', async () => {
    const good = ranges();
    const address = await serve((request, response) => {
      if (request.headers.range === 'bytes=0-0') return good(request, response);
      response.writeHead(206, { 'content-range': 'bytes 10-19/1000', 'content-length': '10' });
      response.write(file.slice(10, 13));
      setTimeout(() => response.destroy(), 20);
    });
    const source = await httpSource(address);
    await expect(source.read(10, 20)).rejects.toMatchObject({ code: 'E_HTTP', details: { reason: 'network' } });
  });
});

it('an aborted read is the abort, not a failure of the server', async () => {
  const stop = new AbortController();
  const source = await httpSource(await serve(ranges()), { signal: stop.signal });
  stop.abort();
  await expect(source.read(0, 5)).rejects.toMatchObject({ name: 'AbortError' });
});
