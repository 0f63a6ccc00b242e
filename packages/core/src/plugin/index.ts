/** Plugins: the container, contribution points, hosts. */

export type { OpenedBackend, PassedOver } from './backends.js';
export { get, has, provide, token, type Closable, type Container, type Lifetime, type Token } from './container.js';
export type * from './contributions.js';
export type { ExecuteOptions } from './execute.js';
export { createHost, type ForkOptions, type Host, type HostOptions, type Notice } from './host.js';
export { definePlugin, supportedApis, type CoreStamp, type Plugin } from './plugin.js';
export {
  ATTENTION,
  BACKENDS,
  COMMANDS,
  DATA,
  EXECUTORS,
  FFN,
  GRADERS,
  KERNELS,
  MERGES,
  METRICS,
  MODELS,
  NORM,
  OBJECTIVES,
  OPS,
  OPTIMIZERS,
  POSITIONS,
  REWARDS,
  TRACKERS,
} from './points.js';
export { satisfies } from './range.js';
export { contribute, definePoint, type Contribution, type Point, type Rule } from './registry.js';
