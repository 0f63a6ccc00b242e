/** What commands of this package add to core's contract. Types only, so that help is quick. */

import type { Command, CommandCall } from '@heddle/core';

/** Any plugin may contribute its commands in this form; `heddle` shows the examples under `--help`. */
export interface CommandWithExamples extends Command {
  /** Lines to type, without the `heddle` before them. */
  readonly examples?: readonly string[];
}

/** What `heddle` passes to a command: `print` and `note` end their line, `write` does not. */
export interface TerminalCall extends CommandCall {
  /** Part of a line on standard output, for text that appears while it is made. */
  write?(text: string): void;
}
