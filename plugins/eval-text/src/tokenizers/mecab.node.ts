/** MeCab as a program: every call starts it once, so lines are tokenised ahead in one. */

import { fail } from '@heddle/core';
import { builtinModule } from '../files.node.js';
import { trim } from '../text/whitespace.js';
import type { Tokenizer } from './tokenizer.js';

export interface MecabKind {
  readonly name: string;
  readonly suffix: string;
  readonly dictionary: string;
  /** Entries of the dictionaries that scores are comparable with. */
  readonly sizes: readonly number[];
}

/**
 * @param resource the program, or null for `mecab` on the PATH; options may follow it: `mecab -d /path/to/dictionary`
 * @throws E_UNAVAILABLE
 */
export function openMecab({ name, suffix, dictionary, sizes }: MecabKind, resource: string | null): Tokenizer {
  const [program, ...own] = (resource ?? 'mecab').split(/\s+/) as [string, ...string[]];
  const { spawnSync } = builtinModule('node:child_process');
  const run = (args: readonly string[], input = ''): string => {
    const { status, stdout, stderr, error } = spawnSync(program, [...own, ...args], {
      input,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    if (error !== undefined || status !== 0)
      fail(
        'E_UNAVAILABLE',
        `${name}: expected ${program} with ${dictionary}, received ${error === undefined ? `its error ${stderr.trim().slice(0, 200)}` : 'no such program'}. Install both, or name the program; or take the tokeniser 'char'.`,
        { name, program },
      );
    return stdout;
  };
  const version = /\d[\w.]*/.exec(run(['--version']))?.[0] ?? 'unknown';
  const size = Number(/^size:\s*(\d+)/m.exec(run(['-D']))?.[1]);
  if (!sizes.includes(size))
    fail(
      'E_UNAVAILABLE',
      `${name}: expected ${dictionary} with ${sizes.join(' or ')} entries, received one with ${size}. Scores with another dictionary are not comparable: name the right one with -d.`,
      { name, size, sizes },
    );

  const known = new Map<string, string>();
  const prepare = (lines: readonly string[]): void => {
    const fresh = [...new Set(lines.map(line => trim(line).replaceAll('\n', ' ')))].filter(line => !known.has(line));
    if (fresh.length === 0) return;
    const out = run(
      ['-Owakati', '-b', String(Math.max(8192, ...fresh.map(line => 4 * line.length + 16)))],
      `${fresh.join('\n')}\n`,
    ).split('\n');
    if (out.length !== fresh.length + 1)
      fail(
        'E_UNAVAILABLE',
        `${name}: expected ${fresh.length} lines from ${program}, received ${out.length - 1}. Is -Owakati overruled by its settings?`,
        { name },
      );
    for (const [i, line] of fresh.entries()) known.set(line, trim(out[i]!));
  };
  return {
    signature: `${name}-${version}-${suffix}`,
    prepare(lines) {
      if (known.size > 200_000) known.clear(); // memory stays bounded in long runs
      prepare(lines);
    },
    tokenize(line) {
      const key = trim(line).replaceAll('\n', ' ');
      if (!known.has(key)) prepare([key]);
      return known.get(key)!;
    },
  };
}
