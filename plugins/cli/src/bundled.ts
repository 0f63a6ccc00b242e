/** The plugins that come with `heddle`. */

import type { Command, Plugin } from '@heddle/core';

export interface Bundled {
  readonly name: string;
  load(): Promise<{ readonly default: Plugin }>;
  /**
   * Its entry `./commands`, for a plugin with commands of its own: descriptions only, so that help and usage errors need
   * not load the plugin. The plugin contributes the same list to COMMANDS; a test compares the two.
   */
  commands?(): Promise<{ readonly commands: readonly Command[] }>;
}

export const bundled: readonly Bundled[] = [
  { name: '@heddle/backend-onnx', load: () => import('@heddle/backend-onnx') },
  { name: '@heddle/backend-gpujs', load: () => import('@heddle/backend-gpujs') },
  { name: '@heddle/transformer', load: () => import('@heddle/transformer') },
  { name: '@heddle/attention-emha', load: () => import('@heddle/attention-emha') },
  { name: '@heddle/ffn-partial', load: () => import('@heddle/ffn-partial') },
  {
    name: '@heddle/text',
    load: () => import('@heddle/text'),
    commands: () => import('@heddle/text/commands'),
  },
  { name: '@heddle/connectome', load: () => import('@heddle/connectome') },
  {
    name: '@heddle/eval-math',
    load: () => import('@heddle/eval-math/plugin'),
    commands: () => import('@heddle/eval-math/commands'),
  },
  {
    name: '@heddle/eval-text',
    load: () => import('@heddle/eval-text'),
    commands: () => import('@heddle/eval-text/commands'),
  },
  { name: '@heddle/rl-grpo', load: () => import('@heddle/rl-grpo') },
  { name: '@heddle/tracker-console', load: () => import('@heddle/tracker-console') },
  {
    name: '@heddle/tracker-report',
    load: () => import('@heddle/tracker-report'),
    commands: () => import('@heddle/tracker-report/commands'),
  },
  { name: '@heddle/tracker-tensorboard', load: () => import('@heddle/tracker-tensorboard') },
  {
    name: '@heddle/mmt-merge',
    load: () => import('@heddle/mmt-merge'),
    commands: () => import('@heddle/mmt-merge/commands'),
  },
];

/** What the bundled plugins that are installed can be asked for; one that cannot be loaded is told about by a run. */
export async function bundledCommands(): Promise<readonly Command[]> {
  const lists = await Promise.allSettled(bundled.map(async ({ commands }) => (await commands?.())?.commands ?? []));
  return lists.flatMap(list => (list.status === 'fulfilled' ? list.value : []));
}
