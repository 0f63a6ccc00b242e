/** Units over worker threads, or in this one. */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker as Thread } from 'node:worker_threads';
import { HeddleError, type ErrorCode, type MergeMethod } from '@heddle/core';
import { checksumRange, hashRange } from './hash.node.js';
import { openWorker, type Unit, type UnitResult, type UnitSettings, type Worker } from './unit.node.js';

/** Bytes of a file to be read again. */
export interface Range {
  readonly file: string;
  readonly at: number;
  readonly bytes: number;
}

export type Ask =
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'hash' | 'checksum'; readonly range: Range }
  /** Work of another kind begins. */
  | { readonly kind: 'settings'; readonly settings: UnitSettings };

export type Reply =
  | { readonly kind: 'unit'; readonly result: UnitResult }
  | { readonly kind: 'hash'; readonly sha256: string }
  | { readonly kind: 'checksum'; readonly crc32: number }
  | { readonly kind: 'settings' }
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

export interface ThreadSetup {
  readonly settings: UnitSettings;
}

export interface Pool {
  readonly size: number;
  ask(ask: Ask): Promise<Reply>;
  close(): Promise<void>;
}

/** In this thread: for tests, and for methods that only this thread knows. */
export function openHere(methods: readonly MergeMethod[], settings: UnitSettings): Pool {
  const worker = openWorker(methods, settings);
  return {
    size: 1,
    async ask(ask) {
      await new Promise(resolve => setImmediate(resolve)); // signals and progress get their turn
      return answerOf(ask, worker);
    },
    close: async () => worker.close(),
  };
}

export function answerOf(ask: Ask, worker: Worker): Reply {
  switch (ask.kind) {
    case 'unit':
      return { kind: 'unit', result: worker.run(ask.unit) };
    case 'hash':
      return { kind: 'hash', sha256: hashRange(ask.range) };
    case 'checksum':
      return { kind: 'checksum', crc32: checksumRange(ask.range) };
    case 'settings':
      return { kind: 'settings' };
  }
}

/** Threads that outlive a step: what one has taken of memory, the next step uses again. */
export interface Crew {
  pool(count: number, settings: UnitSettings): Promise<Pool>;
  close(): Promise<void>;
}

export function openCrew(): Crew {
  const script = pathToFileURL(createRequire(import.meta.url).resolve('@heddle/mmt-merge/worker'));
  const threads: OneThread[] = [];
  return {
    async pool(count, settings) {
      const known = threads.slice(0, count);
      while (threads.length < count) threads.push(openThread(script, { settings }));
      for (const thread of known) await thread.ask({ kind: 'settings', settings });
      return poolOf(threads.slice(0, count));
    },
    close: async () => void (await Promise.all(threads.map(thread => thread.close()))),
  };
}

function poolOf(threads: readonly OneThread[]): Pool {
  const waiting: ((thread: OneThread) => void)[] = [];
  const idle = [...threads];
  const take = async (): Promise<OneThread> => idle.pop() ?? new Promise(resolve => waiting.push(resolve));
  const give = (thread: OneThread): void => {
    const next = waiting.shift();
    if (next) next(thread);
    else idle.push(thread);
  };
  return {
    size: threads.length,
    async ask(ask) {
      const thread = await take();
      try {
        const reply = await thread.ask(ask);
        if (reply.kind === 'error') throw new HeddleError(reply.code as ErrorCode, reply.message, reply.details);
        return reply;
      } finally {
        give(thread);
      }
    },
    close: async () => {},
  };
}

interface OneThread {
  ask(ask: Ask): Promise<Reply>;
  close(): Promise<void>;
}

function openThread(script: URL, setup: ThreadSetup): OneThread {
  // What a thread holds are buffers outside of its heap.
  const thread = new Thread(script, { workerData: setup, resourceLimits: { maxYoungGenerationSizeMb: 8 } });
  let answer: ((reply: Reply) => void) | null = null;
  let refuse: ((error: Error) => void) | null = null;
  let dead: Error | null = null;
  const die = (error: Error): void => {
    dead = error;
    refuse?.(error);
  };
  thread.on('message', (reply: Reply) => answer?.(reply));
  thread.on('error', die);
  thread.on('exit', code => die(new HeddleError('E_MERGE', `worker thread: expected it to live, received exit code ${code}. Run the same command again: it goes on where it stopped.`, { reason: 'worker' }))); // prettier-ignore
  return {
    ask: ask =>
      new Promise((resolve, reject) => {
        if (dead) return reject(dead);
        answer = resolve;
        refuse = reject;
        thread.postMessage(ask);
      }),
    close: async () => void (await thread.terminate()),
  };
}
