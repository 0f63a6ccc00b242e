/** One call that holds a plugin, and everything that it contributes, against the laws. */

import { createHost, type Host } from '../plugin/host.js';
import type { PartFactory } from '../plugin/contributions.js';
import type { Plugin } from '../plugin/plugin.js';
import { ATTENTION, BACKENDS, FFN, GRADERS, KERNELS, MERGES, METRICS, NORM, OPS, REWARDS } from '../plugin/points.js';
import { contributions, type Point } from '../plugin/registry.js';
import { offerChecks, type BackendLaws } from './backends.js';
import { conform, type Check } from './checks.js';
import { layerChecks, type LayerLaws } from './layers.js';
import { mergeChecks, type MergeOptions } from './merges.js';
import { opChecks, type OpLaws } from './ops.js';
import { pluginChecks, type PluginOptions } from './plugin.js';
import { graderChecks, metricChecks, rewardChecks, type ScoreOptions } from './scores.js';

/** How to make a part, and what it is held against. */
export interface PartLaws extends LayerLaws {
  readonly config: Readonly<Record<string, unknown>>;
}

export interface ConformOptions extends PluginOptions {
  /**
   * Per op: samples. Its kernels are compared with its decomposition on every engine of this plugin and of those beside
   * it, and must have run. An op without samples breaks a law, and so does a kernel for another plugin's op.
   */
  readonly ops?: Readonly<Record<string, OpLaws>>;
  /** Per attention, feed-forward or norm: how to make it, and samples. A part without them breaks a law. */
  readonly parts?: Readonly<Record<string, PartLaws>>;
  /** Per engine: tolerances other than those it states. */
  readonly backends?: Readonly<Record<string, BackendLaws>>;
  /** Per merge method: options under which its laws hold. */
  readonly merges?: Readonly<Record<string, MergeOptions>>;
  /** Per reward, grader or metric: samples of its kind, and how long it may take. */
  readonly scores?: Readonly<Record<string, ScoreOptions>>;
}

/**
 * Tests a plugin: itself, and every op, kernel, part, engine, merge method, reward, grader and metric of its own. What
 * cannot run on this machine is shown as skipped, with the reason.
 *
 * @example
 * import packageJson from '../package.json' with { type: 'json' };
 * conformPlugin(plugin, {
 *   packageJson,
 *   load: () => import('./index.js'),
 *   ops: { 'emha.maps': { samples: [{ inputs: [f32(1, 2, 3, 4), f32(1, 2, 3, 4), f32(2, 2)] }] } },
 * });
 */
export function conformPlugin(plugin: Plugin, options: ConformOptions = {}): void {
  conform(`plugin ${plugin.name}`, pluginChecks(plugin, options));
  for (const { title, checks } of contributedChecks(plugin, options)) conform(title, checks);
}

export interface Checked {
  /** `op emha.maps` */
  readonly title: string;
  readonly checks: readonly Check[];
}

/** The laws of each thing that a plugin contributes; none where it does not register, which is a finding of its own. */
export function contributedChecks(plugin: Plugin, options: ConformOptions = {}): readonly Checked[] {
  const { ops = {}, parts = {}, backends = {}, merges = {}, scores = {} } = options;
  const seen = lookInto(plugin, options.beside ?? []);
  if (seen === null) return [];
  const { host, own } = seen;
  const each = <T extends { readonly name: string }>(
    kind: string,
    point: Point<T>,
    checks: (item: T) => readonly Check[],
  ): readonly Checked[] => own(point).map(item => ({ title: `${kind} ${item.name}`, checks: checks(item) }));
  const partChecks = (part: PartFactory): readonly Check[] => {
    const laws = parts[part.name];
    return laws === undefined ? [withoutSamples(part.name)] : layerChecks(part.create(laws.config), laws);
  };

  const tested = new Map(own(OPS).map(op => [op.name, op]));
  for (const { op } of own(KERNELS)) {
    const known = host.all(OPS).find(({ name }) => name === op);
    if (known !== undefined) tested.set(op, known); // a kernel for an op that nobody here brings is legal, and unused
  }
  const engines = { kernels: host.kernels, backends: host.all(BACKENDS) };
  return [
    ...[...tested.values()].map(op => ({
      title: `op ${op.name}`,
      checks: opChecks(op, { ...engines, ...(ops[op.name] ?? { samples: [] }) }),
    })),
    ...each('attention', ATTENTION, partChecks),
    ...each('feed-forward', FFN, partChecks),
    ...each('norm', NORM, partChecks),
    ...each('backend', BACKENDS, offer => offerChecks(offer, backends[offer.name])),
    ...each('merge method', MERGES, method => mergeChecks(method, merges[method.name])),
    ...each('reward', REWARDS, reward => rewardChecks(reward, scores[reward.name])),
    ...each('grader', GRADERS, grader => graderChecks(grader, scores[grader.name])),
    ...each('metric', METRICS, metric => metricChecks(metric, scores[metric.name])),
  ];
}

const withoutSamples = (name: string): Check => ({
  law: 'has samples to be tested with',
  find: async () => [`expected parts['${name}'] with config and samples, received none`],
});

interface Look {
  readonly host: Host;
  /** Of what the host has at a point, what this plugin brought. */
  own<T>(point: Point<T>): readonly T[];
}

/** A host with the plugin, and a view on its own contributions; null when it does not register. */
function lookInto(plugin: Plugin, beside: readonly Plugin[]): Look | null {
  let host: Host;
  try {
    host = createHost({ plugins: [...beside, plugin] });
  } catch {
    return null;
  }
  const mine = `${plugin.name} ${plugin.version}`; // as the registry writes it
  return {
    host,
    own: point => contributions(host.container, point).flatMap(({ item, from }) => (from === mine ? [item] : [])),
  };
}
