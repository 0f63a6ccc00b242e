/** `--plugin` is read before everything else, because plugins bring commands. Pure. */

export interface Globals {
  readonly plugins: readonly string[];
  /** A `--plugin` without a name. */
  readonly unnamed: boolean;
  /** What is left for commander. */
  readonly rest: readonly string[];
  readonly json: boolean;
}

/** Takes `--plugin NAME` and `--plugin=NAME` out of the arguments, wherever they stand before a `--`. */
export function readGlobals(argv: readonly string[]): Globals {
  const plugins: string[] = [];
  const rest: string[] = [];
  let unnamed = false;
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    const own = at < end && (word === '--plugin' || word.startsWith('--plugin='));
    if (!own) {
      rest.push(word);
      continue;
    }
    const name = word === '--plugin' ? argv[++at] : word.slice('--plugin='.length);
    if (name === undefined || name === '' || name.startsWith('-')) unnamed = true;
    else plugins.push(name);
  }
  return { plugins, unnamed, rest, json: argv.slice(0, end).includes('--json') };
}
