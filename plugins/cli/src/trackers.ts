/** Who listens to a run: what a command shows by itself, and trackers that are asked for by name. */

import { join } from 'node:path';
import { TRACKERS, fail, type CommandCall, type CommandOption, type HeddleEvent, type Host } from '@heddle/core';
import type { Observable } from 'rxjs';

export const trackerOption: CommandOption = {
  flags: '--tracker <name...>',
  describe: 'tell another tracker as well, such as tensorboard (heddle doctor lists them)',
  many: true,
};

/**
 * @param own of the command; without the console where it prints for programs or nobody
 * @throws E_OPTION for a name that no plugin contributes
 */
export function trackersOf(
  host: Host,
  { options }: Pick<CommandCall, 'options'>,
  own: readonly ('console' | 'report')[],
): readonly string[] {
  const known = host.all(TRACKERS).map(({ name }) => name);
  const asked = (options['tracker'] ?? []) as readonly string[];
  for (const name of asked)
    if (!known.includes(name))
      fail('E_OPTION', `tracker: expected one of ${known.join(', ')}, received '${name}'. Load the plugin that has it with --plugin.`, { name, known }); // prettier-ignore
  const quiet = options['json'] === true || options['quiet'] === true;
  return [...new Set([...own.filter(name => !quiet || name !== 'console'), ...asked])];
}

/** @param options what trackers are told beside a folder of their own in `folder` */
export function trackWith(
  host: Host,
  names: readonly string[],
  heard: Observable<HeddleEvent>,
  folder: string,
  options: Readonly<Record<string, unknown>>,
): void {
  for (const tracker of host.all(TRACKERS))
    if (names.includes(tracker.name)) tracker.track(heard, { ...options, folder: join(folder, tracker.name) });
}
