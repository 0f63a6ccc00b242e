/** What is checked about plugins before any of them registers, and the order in which they do. */

import { fail } from '../errors.js';
import { suggest } from './nearest.js';
import { supportedApis, titleOf, type CoreStamp, type Plugin } from './plugin.js';
import { parseVersion, satisfies } from './range.js';

export interface Checks {
  /** Plugins of the hosts above. */
  readonly present: readonly Plugin[];
  /** The copy of core that runs the host. */
  readonly core: CoreStamp;
  readonly allowCopies: boolean;
}

/**
 * Checks plugins against the host and each other, and orders them by what they need.
 *
 * @returns the plugins, every one after those that it needs; where needs do not say, in the order given
 * @throws E_PLUGIN, E_API, E_CORE_COPIES, E_DUPLICATE, E_NEEDS, E_RANGE, E_CYCLE
 */
export function checkPlugins(plugins: readonly unknown[], { present, core, allowCopies }: Checks): readonly Plugin[] {
  const fresh: Plugin[] = [];
  for (const [index, candidate] of plugins.entries()) {
    const plugin = asPlugin(candidate, index);
    refuseApi(plugin, core);
    if (!allowCopies) refuseCopy(plugin, core);
    refuseTwin(plugin, present, fresh);
    fresh.push(plugin);
  }
  const all = new Map([...present, ...fresh].map(plugin => [plugin.name, plugin]));
  for (const plugin of fresh) refuseNeeds(plugin, all);
  return inOrder(fresh);
}

/** `@heddle/eval-math@^0.2` -> name and range; no range means any version. */
function parseNeed(need: string): { readonly name: string; readonly range: string } {
  const at = need.indexOf('@', 1); // the first character may be the @ of a scope
  return at === -1 ? { name: need, range: '*' } : { name: need.slice(0, at), range: need.slice(at + 1) };
}

function asPlugin(candidate: unknown, index: number): Plugin {
  const where = `plugins[${index}]`;
  const refuse = (received: string, advice: string): never =>
    fail(
      'E_PLUGIN',
      `${where}: expected a plugin, an object with api, name, version and register, received ${received}. ${advice}`,
      { index },
    );

  if (typeof candidate !== 'object' || candidate === null)
    return refuse(candidate === null ? 'null' : typeof candidate, 'Pass what definePlugin() returned.');
  const { api, name, version, register, needs } = candidate as Partial<Record<keyof Plugin, unknown>>;
  if (register === undefined && 'default' in candidate) return refuse('a whole module', 'Pass its default export.');
  if (typeof name !== 'string' || name === '')
    return refuse(`name ${show(name)}`, 'Give it the name of its npm package.');
  if (typeof register !== 'function')
    return refuse(`register ${show(register)} in '${name}'`, 'Make plugins with definePlugin().');
  if (typeof version !== 'string' || parseVersion(version) === null)
    return refuse(`version ${show(version)} in '${name}'`, 'Write it as in package.json: 1.2.3.');
  if (typeof api !== 'number') return refuse(`api ${show(api)} in '${name}'`, 'Make plugins with definePlugin().');
  if (needs !== undefined && !(Array.isArray(needs) && needs.every(need => typeof need === 'string' && need !== ''))) {
    return refuse(`needs ${show(needs)} in '${name}'`, "Write a list such as ['@heddle/text@^0.1'].");
  }
  return candidate as Plugin; // every field that is used was looked at above
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);

function refuseApi(plugin: Plugin, core: CoreStamp): void {
  const api: number = plugin.api;
  if (supportedApis.includes(api)) return;
  const newest = Math.max(...supportedApis);
  const advice =
    api > newest
      ? 'Upgrade core: npm install @heddle/core@latest'
      : `Upgrade the plugin: npm install ${plugin.name}@latest`;
  fail(
    'E_API',
    `plugin ${titleOf(plugin)}: expected plugin api ${supportedApis.join(' or ')}, which @heddle/core ${core.version} understands, received api ${api}. ${advice}`,
    { plugin: plugin.name, api, supported: supportedApis, core: core.version },
  );
}

/** A plugin made with another copy works in most ways, which is what makes a second copy hard to find later. */
function refuseCopy(plugin: Plugin, core: CoreStamp): void {
  const other = plugin.core;
  if (other === undefined || other.url === '' || core.url === '' || other.url === core.url) return;
  fail(
    'E_CORE_COPIES',
    `plugin ${titleOf(plugin)}: expected it to use the host's copy of @heddle/core (${core.version} at ${core.url}), but it was made with another (${other.version} at ${other.url}). ` +
      `Install one copy: list @heddle/core under peerDependencies in ${plugin.name}, then run 'npm dedupe' ('pnpm dedupe'); or pass { allowCopies: true } to createHost to run with both.`,
    { plugin: plugin.name, host: core, other },
  );
}

function refuseTwin(plugin: Plugin, present: readonly Plugin[], fresh: readonly Plugin[]): void {
  const above = present.find(({ name }) => name === plugin.name);
  const twin = above ?? fresh.find(({ name }) => name === plugin.name);
  if (twin === undefined) return;
  const advice = above === undefined ? 'List it once.' : 'The parent host has it already: leave it out of the fork.';
  fail(
    'E_DUPLICATE',
    `plugin '${plugin.name}': expected once, received ${titleOf(twin)} and ${titleOf(plugin)}. ${advice}`,
    {
      plugin: plugin.name,
      first: twin.version,
      second: plugin.version,
    },
  );
}

function refuseNeeds(plugin: Plugin, all: ReadonlyMap<string, Plugin>): void {
  for (const need of plugin.needs ?? []) {
    const { name, range } = parseNeed(need);
    const found = all.get(name);
    if (found === undefined) {
      fail(
        'E_NEEDS',
        `plugin ${titleOf(plugin)}: needs ${name} ${range}, which the host does not have. Install it (npm install ${name}) and add it to plugins. ${suggest(name, [...all.keys()])}`,
        { plugin: plugin.name, needs: name, range, found: null },
      );
    }
    if (!satisfies(found.version, range, `plugin ${titleOf(plugin)}: needs '${need}'`)) {
      fail(
        'E_NEEDS',
        `plugin ${titleOf(plugin)}: needs ${name} ${range}, the host has ${titleOf(found)}. Install a version in that range: npm install '${name}@${range}'`,
        { plugin: plugin.name, needs: name, range, found: found.version },
      );
    }
  }
}

/** Depth first, so that a plugin comes right after the last thing that it needs. */
function inOrder(plugins: readonly Plugin[]): readonly Plugin[] {
  const byName = new Map(plugins.map(plugin => [plugin.name, plugin]));
  const ordered = new Set<Plugin>();
  const visit = (plugin: Plugin, path: readonly string[]): void => {
    if (ordered.has(plugin)) return;
    const start = path.indexOf(plugin.name);
    if (start !== -1) {
      const circle = [...path.slice(start), plugin.name];
      fail(
        'E_CYCLE',
        `plugin ${titleOf(plugin)}: needs itself: ${circle.join(' -> ')}. Remove one of these needs, or move what both use into a third plugin.`,
        {
          path: circle,
        },
      );
    }
    for (const need of plugin.needs ?? []) {
      const needed = byName.get(parseNeed(need).name); // undefined: a parent host has it
      if (needed !== undefined) visit(needed, [...path, plugin.name]);
    }
    ordered.add(plugin);
  };
  for (const plugin of plugins) visit(plugin, []);
  return [...ordered];
}
