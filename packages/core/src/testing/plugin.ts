/** The laws of a plugin as a whole; what it contributes by name has its own, in `contributed.ts`. */

import { vi } from 'vitest';
import { scopeOf, titleIn } from '../plugin/container.js';
import { createHost, type Host } from '../plugin/host.js';
import type { Plugin } from '../plugin/plugin.js';
import { BACKENDS } from '../plugin/points.js';
import { keysOf } from '../plugin/registry.js';
import { fails, wordsOf, type Check } from './checks.js';
import { effectsOf, leaksOf } from './effects.js';

export interface PluginOptions {
  /** The package's own package.json, to compare names and versions. */
  readonly packageJson?: PackageJson;
  /** Plugins that this one needs. */
  readonly beside?: readonly Plugin[];
  /** Imports the plugin's entry: `() => import('./index.js')`. With it, the law that importing does nothing is checked. */
  readonly load?: () => Promise<unknown>;
}

export interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The laws of a plugin as a whole, each able to say what breaks it. */
export function pluginChecks(plugin: Plugin, { packageJson, beside = [], load }: PluginOptions = {}): readonly Check[] {
  const host = (): Host => createHost({ plugins: [...beside, plugin] });
  return [
    { law: 'register is synchronous, only records, and touches nothing else', find: () => registers(host) },
    { law: 'registers the same in every host', find: async () => sameEverywhere(host) },
    { law: 'closing the host releases everything', find: () => releases(host, beside) },
    ...(packageJson === undefined
      ? []
      : [{ law: 'agrees with its package.json', find: async () => disagreements(plugin, packageJson) }]),
    ...(load === undefined ? [] : [{ law: 'importing it does nothing', find: () => importing(load) }]),
  ];
}

async function registers(host: () => Host): Promise<readonly string[]> {
  const findings: string[] = [];
  const effects = await effectsOf(async () => {
    findings.push(...(await fails(() => host().close())));
  });
  return [...findings, ...effects];
}

function sameEverywhere(host: () => Host): readonly string[] {
  try {
    const one = host();
    const before = recordOf(one);
    const other = recordOf(host());
    const findings = difference(before, other, 'the second host');
    return [...findings, ...difference(before, recordOf(one), 'the first host, after the second was made,')];
  } catch (error) {
    return [wordsOf(error)];
  }
}

/** Everything that plugins recorded in a host, as `point: key` and `token: name`. */
const recordOf = (host: Host): readonly string[] => [
  ...keysOf(host.container).map(({ point, key }) => `${point}: ${key}`),
  ...[...scopeOf(host.container).provided.keys()].map(token => `token: ${titleIn(token)}`),
];

function difference(expected: readonly string[], found: readonly string[], where: string): readonly string[] {
  const missing = expected.filter(one => !found.includes(one)).map(one => `${where} lacks ${one}`);
  const extra = found.filter(one => !expected.includes(one)).map(one => `${where} has ${one} more`);
  if (missing.length > 0 || extra.length > 0) return [...missing, ...extra];
  return expected.join() === found.join() ? [] : [`${where} has the same in another order`];
}

/** Makes and opens what can be, closes, and looks whether it is gone. */
async function releases(host: () => Host, beside: readonly Plugin[]): Promise<readonly string[]> {
  const findings: string[] = [];
  const leaks = await leaksOf(async () => {
    const one = attempt(host, findings);
    if (one === null) return;
    const others = new Set(beside.map(({ name, version }) => `${name} ${version}`));
    for (const [token, owner] of scopeOf(one.container).provided) {
      if (!others.has(owner)) await fails(() => one.get(token)); // what needs more than this host stays unmade
    }
    const opened = [];
    for (const { name, unavailable } of ownOffers(one, others)) {
      if ((await unavailable().catch(wordsOf)) !== null) continue;
      try {
        opened.push((await one.openBackend(name)).backend);
      } catch (error) {
        findings.push(`backend '${name}' is available but does not open: ${wordsOf(error)}`);
      }
    }
    findings.push(...(await fails(() => one.close())));
    findings.push(...(await fails(() => one.close())));
    for (const backend of opened) {
      if (backend.live() > 0) findings.push(`backend '${backend.name}' holds ${backend.live()} tensors after close`);
      const after = await fails(() => backend.upload({ dtype: 'f32', shape: [1], data: Float32Array.of(1) }));
      if (after.length === 0)
        findings.push(`backend '${backend.name}' still takes tensors after close; expected E_CLOSED`);
      findings.push(
        ...(await fails(() => backend.close())).map(
          words => `backend '${backend.name}' fails when closed twice: ${words}`,
        ),
      );
    }
  });
  return [...findings, ...leaks];
}

function attempt<T>(act: () => T, findings: string[]): T | null {
  try {
    return act();
  } catch (error) {
    findings.push(wordsOf(error));
    return null;
  }
}

const ownOffers = (host: Host, others: ReadonlySet<string>) => {
  const own = new Set(
    keysOf(host.container)
      .filter(({ point, from }) => point === `${BACKENDS.name}@${BACKENDS.version}` && !others.has(from))
      .map(({ key }) => key),
  );
  return host.all(BACKENDS).filter(({ name }) => own.has(name));
};

function disagreements(
  plugin: Plugin,
  { name, version, dependencies = {}, peerDependencies = {} }: PackageJson,
): readonly string[] {
  const core = '@heddle/core';
  return [
    ...(plugin.name === name ? [] : [`the plugin is called '${plugin.name}', package.json says '${name}'`]),
    ...(plugin.version === version
      ? []
      : [`the plugin has version '${plugin.version}', package.json says '${version}'`]),
    ...(core in dependencies
      ? [`package.json lists ${core} under dependencies, which installs a second copy; move it to peerDependencies`]
      : []),
    ...(core in peerDependencies ? [] : [`package.json does not list ${core} under peerDependencies`]),
  ];
}

async function importing(load: () => Promise<unknown>): Promise<readonly string[]> {
  vi.resetModules(); // otherwise the module that this very test file imported would be handed out again
  return effectsOf(load);
}
