/** What a plugin is: a name, a version, and a function that records what it adds. */

import { version as coreVersion } from '../version.js';
import type { Container } from './container.js';

/** Plugin contracts that this core understands. An older number stays here for as long as an adapter for it does. */
export const supportedApis: readonly number[] = [1];

/** Which copy of core something was made with. */
export interface CoreStamp {
  readonly version: string;
  /** Where that copy was loaded from; empty where a bundler took the address away. */
  readonly url: string;
}

export interface Plugin {
  /** The plugin contract it was written for; set by `definePlugin`. */
  readonly api: 1;
  /** Its npm name. */
  readonly name: string;
  readonly version: string;
  /** Other plugins, by name and range: `@heddle/eval-math@^0.2`. They register first. */
  readonly needs?: readonly string[];
  /** Records with `contribute` and `provide`; synchronous, asks for nothing, opens nothing. */
  register(container: Container): void;
  /** The copy of core that `definePlugin` came from; a plugin written by hand has none. */
  readonly core?: CoreStamp;
}

/** This copy of core. */
export const coreStamp: CoreStamp = { version: coreVersion, url: import.meta.url ?? '' };

/**
 * Makes a plugin. Nothing is checked or run here, so that importing a plugin does nothing; `createHost` checks.
 *
 * @example
 * export default definePlugin({
 *   name: 'my-attention',
 *   version: '1.0.0',
 *   register(container) {
 *     contribute(container, ATTENTION, { name: 'mine', create });
 *   },
 * });
 */
export const definePlugin = (plugin: Omit<Plugin, 'api' | 'core'>): Plugin => ({ ...plugin, api: 1, core: coreStamp });

/** `@heddle/eval-math 0.2.0`: how messages call a plugin. */
export const titleOf = (plugin: Pick<Plugin, 'name' | 'version'>): string => `${plugin.name} ${plugin.version}`;
