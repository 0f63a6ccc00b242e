/** Runs that are cut off, servers that fail, files that are odd. */

import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateCompletions, signatureOf } from './evaluate.js';
import {
  benchmarkFile,
  folderCache,
  readCompletions,
  readProblems,
  readScores,
  writeEvaluation,
} from './files.node.js';
import { defaultParameters, fromFunction } from './generate.js';
import type { Problem } from './problems.js';
import { messagesOf, prompts } from './prompts.js';
import { reportHtml } from './report.js';
import { runCompletions } from './run.js';
import { fromServer } from './server.js';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'eval-math-'));
const prompt = prompts[0]!;
const problems: readonly Problem[] = [
  { id: 'a', problem: 'What is 1 + 1?', gold: '2', groups: { level: '1' } },
  { id: 'b', problem: 'What is $\\frac12 + \\frac12$?', gold: '1', groups: { level: '1' } },
  { id: 'c', problem: 'Solve x^2 = 4.', gold: '\\pm 2', groups: { level: '2' } },
];
const base = { problems, prompt, parameters: { ...defaultParameters, temperature: 1 }, samples: 2 };
const answers: Readonly<Record<string, string>> = { a: '\\boxed{2}', b: 'It is $\\boxed{\\frac22}$.', c: '\\boxed{2}' };
const right = fromFunction('mock', text => answers[problems.find(({ problem }) => text.includes(problem))!.id]!);

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', part => (body += String(part)));
    request.on('end', () => answer(request, response, body));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('a run', () => {
  it('asks for every sample of every problem, in order', async () => {
    const found = await runCompletions({ ...base, generator: right });
    expect(found.map(({ id, sample }) => `${id}${sample}`)).toEqual(['a0', 'a1', 'b0', 'b1', 'c0', 'c1']);
  });

  it('goes on from its cache, whatever cut it off', async () => {
    const cache = folderCache(await folder());
    let asked = 0;
    const failing = fromFunction('mock', (text, request) => {
      if (++asked === 4) throw new Error('the power is out');
      return right.generate(request).then(({ text: made }) => made);
    });
    await expect(runCompletions({ ...base, generator: failing, cache, concurrency: 1 })).rejects.toThrow(
      'the power is out',
    );
    const found = await runCompletions({ ...base, generator: failing, cache, concurrency: 1 });
    expect(found.filter(({ cached }) => cached)).toHaveLength(3);
    expect(asked).toBe(4 + 3);
    expect(await runCompletions({ ...base, generator: failing, cache })).toHaveLength(6);
    expect(asked).toBe(7);
  });

  it('makes a completion anew when what it depends on changes', async () => {
    const cache = folderCache(await folder());
    await runCompletions({ ...base, generator: right, cache });
    const again = await runCompletions({
      ...base,
      generator: right,
      cache,
      parameters: { ...base.parameters, temperature: 0.5 },
    });
    expect(again.every(({ cached }) => !cached)).toBe(true);
    const more = await runCompletions({ ...base, generator: right, cache, samples: 3 });
    expect(more.filter(({ cached }) => cached)).toHaveLength(6);
  });

  it('is stopped by its signal', async () => {
    const stop = new AbortController();
    const slow = fromFunction('mock', async () => {
      stop.abort();
      return 'never mind';
    });
    await expect(runCompletions({ ...base, generator: slow, signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('a server', () => {
  const request = {
    messages: messagesOf(prompt, problems[0]!),
    parameters: defaultParameters,
    sample: 3,
    signal: new AbortController().signal,
  };
  const say = (response: ServerResponse, content: string): void =>
    void response.end(
      JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }], usage: { completion_tokens: 5 } }),
    );

  it('gets what it should, and is asked again while it is busy', async () => {
    const seen: unknown[] = [];
    const { url, close } = await serve((_, response, body) => {
      seen.push(JSON.parse(body));
      if (seen.length < 3) response.writeHead(seen.length === 1 ? 503 : 429).end('busy');
      else say(response, 'The answer is 2.');
    });
    const found = await fromServer({ url, model: 'm', pause: 1 }).generate(request);
    close();
    expect(found).toEqual({ text: 'The answer is 2.', finish: 'stop', tokens: 5 });
    expect(seen).toHaveLength(3);
    expect(seen[2]).toMatchObject({ model: 'm', seed: 3, max_tokens: 2048, messages: [{ role: 'user' }] });
  });

  it('that refuses is not asked again', async () => {
    let asked = 0;
    const { url, close } = await serve((_, response) => {
      asked++;
      response.writeHead(401).end('no key');
    });
    await expect(fromServer({ url, model: 'm', pause: 1 }).generate(request)).rejects.toMatchObject({
      code: 'E_SERVER',
      message: expect.stringContaining('status 401: no key'),
    });
    close();
    expect(asked).toBe(1);
  });

  it('that hangs meets the deadline', async () => {
    const { url, close } = await serve(() => {});
    await expect(
      fromServer({ url, model: 'm', deadline: 50, retries: 1, pause: 1 }).generate(request),
    ).rejects.toMatchObject({ code: 'E_SERVER', message: expect.stringContaining('no complete answer within 50 ms') });
    close();
  });

  it('that says something else is named', async () => {
    const { url, close } = await serve((_, response) => void response.end('<html>'));
    await expect(fromServer({ url, model: 'm', retries: 0 }).generate(request)).rejects.toMatchObject({
      code: 'E_SERVER',
      message: expect.stringContaining('no JSON'),
    });
    close();
  });
});

describe('an evaluation', () => {
  const signature = signatureOf({
    benchmark: 'three',
    problems,
    samples: 2,
    model: 'mock',
    prompt,
    parameters: base.parameters,
    grade: {},
  });

  it('scores, groups votes by meaning, and writes what it says', async () => {
    const completions = [
      { id: 'a', sample: 0, text: '\\boxed{2}' },
      { id: 'a', sample: 1, text: '\\boxed{3}' },
      { id: 'b', sample: 0, text: '\\boxed{\\frac22}' },
      { id: 'b', sample: 1, text: '\\boxed{1.0} </script><b>' },
      { id: 'c', sample: 0, text: '\\boxed{2}' },
      { id: 'c', sample: 1, text: 'I do not know.' },
    ];
    const found = evaluateCompletions('three', problems, completions, signature, { draws: 100 });
    expect(found.scores).toMatchObject({
      problems: 3,
      samples: 2,
      mean: { value: 0.5 },
      majority: { value: 0.5 },
      unparsed: 1 / 6,
    });
    expect(found.scores.pass.map(({ k, value }) => [k, value])).toEqual([
      [1, 0.5],
      [2, 2 / 3],
    ]);
    expect(new Set(found.problems[1]!.completions.map(({ vote }) => vote)).size).toBe(1);
    expect(found.scores.groups).toEqual([{ name: 'level', value: '1', problems: 2, mean: 0.75 }]);

    const out = await folder();
    await writeEvaluation(out, found);
    expect((await readdir(out)).toSorted()).toEqual(['report.html', 'samples.jsonl', 'scores.json']);
    expect(await readScores(out)).toMatchObject({
      signature,
      problems: [{ id: 'a', scores: [1, 0] }, { id: 'b' }, { id: 'c' }],
    });
    const lines = (await readFile(join(out, 'samples.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown);
    expect(lines[0]).toMatchObject({ id: 'a', sample: 0, verdict: 'correct', reason: expect.any(String) });
    // The data cannot end the script that it is in.
    const html = reportHtml(found);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html).toContain(signature);
  });

  it('has a signature that tells runs apart', () => {
    expect(signature).toMatch(
      /^bench:three\|n:3\|data:[0-9a-f]{8}\|k:2\|prompt:boxed-[0-9a-f]{8}\|temp:1\|.*\|model:mock\|heddle-eval-math:/,
    );
    expect(
      signatureOf({
        benchmark: 'three',
        problems,
        samples: 2,
        model: 'mock',
        prompt: prompts[1]!,
        parameters: base.parameters,
        grade: {},
      }),
    ).not.toBe(signature);
  });
});

describe('files', () => {
  it('of problems and completions', async () => {
    const dir = await folder();
    await writeFile(
      join(dir, 'p.jsonl'),
      '{"question":"1+1?","answer":2}\n\n{"id":"x","problem":"2+2?","gold":"4","level":"easy"}\n',
    );
    expect(await readProblems(join(dir, 'p.jsonl'))).toEqual([
      { id: '0', problem: '1+1?', gold: '2', groups: {} },
      { id: 'x', problem: '2+2?', gold: '4', groups: { level: 'easy' } },
    ]);
    await writeFile(
      join(dir, 'c.jsonl'),
      '{"id":"x","completion":"\\\\boxed{4}"}\n{"id":"x","completions":["a",{"text":"b","finish":"length"}]}\n',
    );
    expect((await readCompletions(join(dir, 'c.jsonl'))).completions).toMatchObject([
      { sample: 0 },
      { sample: 1, text: 'a' },
      { sample: 2, text: 'b', finish: 'length' },
    ]);
  });

  it('say what is wrong with them', async () => {
    const dir = await folder();
    const path = join(dir, 'p.jsonl');
    for (const [text, code, words] of [
      ['{"question":"1+1?"}\n', 'E_BENCHMARK', 'row 1: expected an answer'],
      ['not json\n', 'E_JSON', 'line 1'],
      ['', 'E_EMPTY', 'at least one problem'],
      ['{"id":1,"question":"q","answer":"a"}\n{"id":1,"question":"q","answer":"a"}\n', 'E_BENCHMARK', 'a second time'],
    ] as const) {
      await writeFile(path, text);
      await expect(readProblems(path)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    }
    await expect(readProblems(join(dir, 'none.jsonl'))).rejects.toMatchObject({ code: 'E_FILE' });
    expect(() => benchmarkFile('nope', dir)).toThrow(expect.objectContaining({ code: 'E_BENCHMARK' }));
    expect(() => benchmarkFile('math500', dir)).toThrow(expect.objectContaining({ code: 'E_BENCHMARK' }));
  });
});
