/** Code blocks of Markdown files, with the line that each stands on. */

export interface Block {
  /** Relative to the workspace. */
  readonly file: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  /** Words after the language: `no-run`. */
  readonly flags: readonly string[];
  readonly code: string;
}

const fence = /^( *)(```+)\s*(\S*)(.*)$/;

/** @throws Error for a block that is never closed, naming its line */
export function blocksOf(file: string, text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const [, indent, marks, language, rest] = fence.exec(lines[i]!) ?? [];
    if (marks === undefined) continue;
    const start = i + 1;
    const end = lines.findIndex((line, at) => at >= start && line.trim() === marks);
    if (end < 0) throw new Error(`${file}:${start}: a code block is never closed`);
    const code = lines.slice(start, end).map(line => (line.startsWith(indent!) ? line.slice(indent!.length) : line));
    blocks.push({
      file,
      line: start + 1,
      language: language!,
      flags: rest!.trim().split(/\s+/).filter(Boolean),
      code: code.join('\n'),
    });
    i = end;
  }
  return blocks;
}

/** TypeScript and JavaScript. */
export const isProgram = ({ language }: Block): boolean => ['ts', 'js'].includes(language);
export const runs = (block: Block): boolean => isProgram(block) && !block.flags.includes('no-run');
export const isShell = ({ language }: Block): boolean => language === 'sh';

/** What may stand after the opening fence; anything else is a slip, such as `typescript`, that would hide a block from its check. */
const languages: Readonly<Record<string, readonly string[]>> = {
  ts: ['no-run'],
  js: [],
  sh: [],
  text: [],
  console: [],
  json: [],
  py: [],
  yaml: [],
};

/** One line for each block whose fence nobody understands. */
export const strangers = (blocks: readonly Block[]): readonly string[] =>
  blocks
    .filter(
      ({ language, flags }) =>
        languages[language] === undefined || flags.some(flag => !languages[language]!.includes(flag)),
    )
    .map(
      ({ file, line, language, flags }) =>
        `${file}:${line - 1}: expected one of ${Object.keys(languages).join(', ')} (ts no-run), received '${[language, ...flags].join(' ')}'`,
    );
