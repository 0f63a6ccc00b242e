import { fail } from '@heddle/core';
import type { Checkpoint } from '../checkpoint/open.node.js';
import type { MergeOptions, MergeReport } from './merge.node.js';
import type { Step } from './prepare.node.js';

export async function mergeAdapters(_step: Step, _checkpoints: ReadonlyMap<string, Checkpoint>, _out: string, _options: MergeOptions, _part: boolean): Promise<MergeReport> {
  return fail('E_ADAPTER', 'todo');
}
