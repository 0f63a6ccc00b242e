/** The inside of a worker thread. */

import { parentPort, workerData } from 'node:worker_threads';
import { isHeddleError } from '@heddle/core';
import { factorMethods } from '../methods/by-factor.js';
import { methods } from '../methods/index.js';
import { answerOf, type Ask, type Reply, type ThreadSetup } from './pool.node.js';
import { openWorker } from './unit.node.js';

const { settings } = workerData as ThreadSetup;
const all = [...methods, ...Object.values(factorMethods)];
let worker = openWorker(all, settings);

parentPort!.on('message', (ask: Ask) => parentPort!.postMessage(answer(ask)));

function answer(ask: Ask): Reply {
  try {
    if (ask.kind === 'settings') {
      worker.close();
      worker = openWorker(all, ask.settings);
    }
    return answerOf(ask, worker);
  } catch (error) {
    if (isHeddleError(error))
      return { kind: 'error', code: error.code, message: error.message, details: { ...error.details } };
    const { message, stack } = error as Error;
    return { kind: 'error', code: 'E_MERGE', message: `worker thread: expected a result, received ${message}. Please report it.`, details: { stack } }; // prettier-ignore
  }
}
