/** Which plugins a run of `heddle` has: those that come with it, and those that `--plugin` names. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, type Plugin } from '@heddle/core';
import { bundled } from './bundled.js';
import { missingPackage } from './failure.js';

export interface LoadedPlugins {
  readonly plugins: readonly Plugin[];
  /** Bundled ones that are installed but could not be loaded; what needs them will fail by name. */
  readonly broken: readonly { readonly name: string; readonly reason: string }[];
}

/** @throws E_PLUGIN for a named one that cannot be loaded or is no plugin */
export async function loadPlugins(names: readonly string[], folder = process.cwd()): Promise<LoadedPlugins> {
  const named: Plugin[] = [];
  for (const name of names) named.push(await loadNamed(name, folder));
  const taken = new Set(named.map(plugin => plugin.name)); // a named one stands in for the bundled one
  const broken: { name: string; reason: string }[] = [];
  const plugins: Plugin[] = [];
  for (const { name, load } of bundled) {
    if (taken.has(name)) continue;
    try {
      plugins.push((await load()).default);
    } catch (error) {
      // One that lacks a package of its own is news.
      if (missingPackage(error) !== name) broken.push({ name, reason: wordsOf(error) });
    }
  }
  return { plugins: [...plugins, ...named], broken };
}

async function loadNamed(name: string, folder: string): Promise<Plugin> {
  const address = addressOf(name, folder);
  let module: { readonly default?: unknown };
  try {
    module = (await import(address)) as { readonly default?: unknown };
  } catch (error) {
    return fail(
      'E_PLUGIN',
      `plugin '${name}': expected a module that can be imported, received: ${wordsOf(error)}. Install it, or give a path such as ./my-plugin.js.`,
      { name },
      error,
    );
  }
  const plugin = module.default as Partial<Plugin> | undefined;
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.register !== 'function') {
    fail(
      'E_PLUGIN',
      `plugin '${name}': expected a plugin as default export, received ${plugin === undefined ? 'none' : typeof plugin}. Write export default definePlugin({ … }).`,
      { name },
    );
  }
  return plugin as Plugin; // createHost looks at the rest
}

/** A path is meant from where the user stands; a package is looked for there first, then beside this one. */
function addressOf(name: string, folder: string): string {
  if (name.startsWith('.') || isAbsolute(name)) return pathToFileURL(resolve(folder, name)).href;
  try {
    return pathToFileURL(createRequire(join(folder, 'here.js')).resolve(name)).href;
  } catch {
    const path = resolve(folder, name);
    return existsSync(path) ? pathToFileURL(path).href : name;
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]! : String(error));
