/** Where a stage that was stopped goes on from: checkpoints under its key, gone when it is done. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointStore } from '@heddle/core';
import { checkpointFolder } from '@heddle/core/node';

/** @param folder of the run */
export const unfinishedPlace = (folder: string, key: string): string => join(folder, 'unfinished', key.slice(0, 16));

export const unfinishedStage = (folder: string, key: string): CheckpointStore =>
  checkpointFolder(unfinishedPlace(folder, key), { keep: 1 });

export const forgetUnfinished = (folder: string, key: string): Promise<void> =>
  rm(unfinishedPlace(folder, key), { recursive: true, force: true });
