/** `heddle eval-math`: benchmarks from the command line. */

import { basename, join } from 'node:path';
import { fail, type CommandCall, type Host } from '@heddle/core';
import {
  evaluateCompletions,
  signatureOf,
  type Estimate,
  type Evaluation,
  type RawCompletion,
} from '../benchmark/evaluate.js';
import {
  benchmarkFile,
  folderCache,
  readCompletions,
  readProblems,
  readScores,
  writeEvaluation,
} from '../benchmark/files.node.js';
import type { SamplingParameters } from '../benchmark/generate.js';
import { benchmarks, type Problem } from '../benchmark/problems.js';
import { prompts } from '../benchmark/prompts.js';
import { runCompletions } from '../benchmark/run.js';
import { fromServer } from '../benchmark/server.js';
import { pairedTest } from '../benchmark/statistics.js';
import type { GradeOptions } from '../grade.js';
import { numberOption, textOption } from './options.js';

export async function runEvalMath(call: CommandCall, _host: Host): Promise<number> {
  const { options, signal } = call;
  const file = textOption(options, 'completions');
  const url = textOption(options, 'server');
  if ((file === undefined) === (url === undefined))
    return fail(
      'E_OPTION',
      `completions, server: expected one of the two, received ${file === undefined ? 'neither' : 'both'}. Give --server URL to generate, or --completions FILE to grade.`,
    );
  const grade: GradeOptions = options['lenient'] === true ? { compare: { strictness: 'lenient' } } : {};
  const read = file === undefined ? null : await readCompletions(file);
  const { name, problems, usual } = await problemsFor(call, read?.problems ?? []);

  let completions: readonly RawCompletion[];
  let signature: string;
  const out = textOption(options, 'out') ?? join('eval', name);
  if (read !== null) {
    completions = read.completions;
    const known = new Set(problems.map(({ id }) => id));
    const strange = completions.filter(({ id }) => !known.has(id)).length;
    if (strange === completions.length)
      return fail(
        'E_BENCHMARK',
        `${file}: expected ids of '${name}' such as '${problems[0]!.id}', received '${completions[0]!.id}'. Name the benchmark that the completions are for.`,
      );
    if (strange > 0)
      call.note(`${strange} completions are for problems that '${name}' does not have; they are left out`);
    const counts = new Map<string, number>();
    for (const { id } of completions) counts.set(id, (counts.get(id) ?? 0) + 1);
    signature = signatureOf({
      benchmark: name,
      problems,
      samples: Math.min(...problems.filter(({ id }) => counts.has(id)).map(({ id }) => counts.get(id)!)),
      model: textOption(options, 'model') ?? basename(file!),
      prompt: null,
      parameters: null,
      grade,
    });
  } else {
    const model =
      textOption(options, 'model') ??
      fail('E_OPTION', 'model: expected the name of a model that the server has, received none. Give --model.');
    const samples = numberOption(options, 'samples', { least: 1, most: 1024 }) ?? usual;
    const parameters: SamplingParameters = {
      temperature: numberOption(options, 'temperature', { least: 0, most: 2, whole: false }) ?? (samples > 1 ? 0.6 : 0),
      topP: numberOption(options, 'topP', { least: 0, most: 1, whole: false }) ?? 1,
      maxTokens: numberOption(options, 'maxTokens', { least: 1, most: 1_000_000 }) ?? 2048,
      seed: numberOption(options, 'seed', { least: 0, most: 2 ** 31 - 1 }) ?? 0,
    };
    if (samples > 1 && parameters.temperature === 0) call.note('temperature 0 makes all samples of a problem alike');
    const prompt = prompts.find(one => one.name === options['prompt']) ?? prompts[0]!;
    const apiKey = process.env[textOption(options, 'keyFrom') ?? 'OPENAI_API_KEY'];
    const deadline = (numberOption(options, 'deadline', { least: 1, most: 86_400 }) ?? 600) * 1000;
    const generator = fromServer({ url: url!, model, deadline, ...(apiKey === undefined ? {} : { apiKey }) });
    const all = problems.length * samples;
    call.note(
      `${name}: ${problems.length} problems × ${samples}, ${all} completions from ${model}; what is made stays in ${join(out, 'cache')}`,
    );
    const tell = every(call, 'completions');
    completions = await runCompletions({
      problems,
      prompt,
      generator,
      parameters,
      samples,
      cache: folderCache(join(out, 'cache')),
      signal,
      concurrency: numberOption(options, 'concurrency', { least: 1, most: 1024 }) ?? 8,
      progress: tell,
    });
    signature = signatureOf({ benchmark: name, problems, samples, model, prompt, parameters, grade });
  }
  const evaluation = evaluateCompletions(name, problems, completions, signature, {
    grade,
    progress: every(call, 'problems graded'),
  });
  const written = await writeEvaluation(out, evaluation);
  if (options['json'] === true)
    call.print(JSON.stringify({ name, signature, scores: evaluation.scores, files: written }));
  else call.print([...summary(evaluation), '', ...written].join('\n'));
  return 0;
}

interface Chosen {
  readonly name: string;
  readonly problems: readonly Problem[];
  readonly usual: number;
}

async function problemsFor({ options, note }: CommandCall, inFile: readonly Problem[]): Promise<Chosen> {
  const benchmark = textOption(options, 'benchmark');
  const own = textOption(options, 'problems');
  if (benchmark !== undefined && own !== undefined)
    return fail('E_OPTION', 'benchmark, problems: expected one of the two, received both. Leave one out.');
  const limit = numberOption(options, 'limit', { least: 1, most: 1_000_000 });
  const cut = (problems: readonly Problem[]): readonly Problem[] =>
    limit === undefined ? problems : problems.slice(0, limit);
  if (benchmark !== undefined) {
    const path = benchmarkFile(benchmark, textOption(options, 'data') ?? '../shared/data/math');
    return {
      name: benchmark,
      problems: cut(await readProblems(path, note)),
      usual: benchmarks.find(({ name }) => name === benchmark)!.samples,
    };
  }
  if (own !== undefined)
    return {
      name: basename(own).replace(/\.(?:jsonl|json|parquet)$/, ''),
      problems: cut(await readProblems(own, note)),
      usual: 1,
    };
  if (inFile.length === 0)
    return fail(
      'E_OPTION',
      'benchmark: expected the problems that the completions are for, received none. Give --benchmark NAME or --problems FILE, or put question and gold into the file.',
    );
  note(`${inFile.length} problems with references are in the file itself`);
  return {
    name: basename(textOption(options, 'completions')!).replace(/(?:\.public)?\.(?:jsonl|json|parquet)$/, ''),
    problems: cut(inFile),
    usual: 1,
  };
}

/** A note at most every two seconds, and at the end. */
function every({ note }: CommandCall, what: string): (done: number, all: number) => void {
  const start = performance.now();
  let last = start;
  return (done, all) => {
    const now = performance.now();
    if (now - last < 2_000) return;
    last = now;
    const left = ((now - start) / done) * (all - done);
    note(
      `${done} of ${all} ${what}, about ${left > 90_000 ? `${Math.round(left / 60_000)} min` : `${Math.round(left / 1000)} s`} left`,
    );
  };
}

const percent = (x: number): string => (100 * x).toFixed(1);
const between = (e: Estimate): string =>
  `${percent(e.value).padStart(5)}   95 %: ${percent(e.low)} to ${percent(e.high)}`;

function summary({ name, signature, scores }: Evaluation): readonly string[] {
  const k = scores.samples;
  const lines = [
    `${name}: ${scores.problems} problems, ${k} sample${k === 1 ? '' : 's'} each`,
    `mean@${k}`.padEnd(10) + between(scores.mean),
  ];
  if (k > 1) {
    for (const one of scores.pass)
      lines.push(`pass@${one.k}`.padEnd(10) + `${between(one)}   bootstrap ${percent(one.bootstrap)}`);
    lines.push(`maj@${k}`.padEnd(10) + between(scores.majority));
  }
  const odd = [
    ['no answer found or read', scores.unparsed],
    ['undecided', scores.undecided],
    ['cut off', scores.truncated],
    ['with a parallel block', scores.parallelRatio],
  ] as const;
  for (const [what, share] of odd) if (share > 0) lines.push(`${percent(share)} % of completions ${what}`);
  return [...lines, signature];
}

export async function runCompare(call: CommandCall, _host: Host): Promise<number> {
  const [a, b] = call.args as readonly [string, string];
  const [first, second] = [await readScores(a), await readScores(b)];
  const means = (scores: typeof first): Map<string, number> =>
    new Map(
      scores.problems
        .filter(one => one.scores.length > 0)
        .map(one => [one.id, one.scores.reduce((x, y) => x + y, 0) / one.scores.length]),
    );
  const test = pairedTest(means(first), means(second));
  if (test.problems === 0)
    return fail(
      'E_BENCHMARK',
      `${a}, ${b}: expected problems in common, received none. Compare two evaluations of one benchmark.`,
    );
  const differing = differences(first.signature, second.signature);
  if (call.options['json'] === true)
    call.print(JSON.stringify({ first: first.signature, second: second.signature, ...test, differing }));
  else
    call.print(
      [
        `${test.problems} problems in common; second minus first: ${percent(test.difference)}   95 %: ${percent(test.interval.low)} to ${percent(test.interval.high)}, p = ${test.p.toPrecision(2)}`,
        `better on ${test.better}, worse on ${test.worse}`,
        ...(differing.length > 0 ? [`they differ in ${differing.join(', ')}`] : []),
      ].join('\n'),
    );
  return 0;
}

/** Which parts of two signatures are not the same. */
function differences(a: string, b: string): readonly string[] {
  const parts = (signature: string): Map<string, string> =>
    new Map(signature.split('|').map(part => [part.split(':')[0]!, part]));
  const [x, y] = [parts(a), parts(b)];
  return [...new Set([...x.keys(), ...y.keys()])].filter(key => x.get(key) !== y.get(key));
}
