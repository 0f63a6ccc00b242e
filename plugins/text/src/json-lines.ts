/** JSON lines: one object a line, and texts out of its fields. */

import { fail } from '@heddle/core';

/** A text and what to call it in messages. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Lines, with `\r\n` as one end; the end of the last one ends no empty line. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map(line => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

export interface JsonLine {
  /** `corpus.jsonl line 12` */
  readonly where: string;
  /** The text of a field, which may stand deeper: `translation.de`. @throws E_JSON where there is none */
  field(path: string): string;
}

/** Each line that is not blank. @throws E_JSON for one that is no JSON, by its number */
export function* jsonLines({ name, text }: NamedText): Iterable<JsonLine> {
  for (const [at, line] of linesOf(text).entries()) {
    if (line.trim() === '') continue;
    const where = `${name} line ${at + 1}`;
    const refuse = (expected: string, received: string): never =>
      fail('E_JSON', `${where}: expected ${expected}, received ${received}. Mend the line, or take it out.`, {
        name,
        line: at + 1,
      });
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (error) {
      refuse('a JSON object', (error as Error).message);
    }
    yield {
      where,
      field(path) {
        let value: unknown = row;
        for (const part of path.split('.'))
          value =
            typeof value === 'object' && value !== null && Object.hasOwn(value, part)
              ? (value as Readonly<Record<string, unknown>>)[part]
              : undefined;
        return typeof value === 'string'
          ? value
          : refuse(`a text in '${path}'`, value === undefined ? 'none' : JSON.stringify(value).slice(0, 40));
      },
    };
  }
}
