/** The parent's side of a contest: starts contestants, gives them turns, gathers their times. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * @typedef {object} Entry
 * @property {string} name for tables
 * @property {string} key for ratios: `heddle`, `handbuilt`, `torch`…
 * @property {string} program
 * @property {string[]} args
 * @property {Record<string, string>} [env]
 * @property {string} [skip] why it cannot take part
 * @property {{ warmup: number, steps: number }} [slow] takes no turns among the others: so many steps, at the end
 */

/**
 * @typedef {object} Record_
 * @property {string} name
 * @property {string} key
 * @property {number[]} wall milliseconds
 * @property {number[]} cpu milliseconds of all threads
 * @property {unknown[]} values
 * @property {number} peak bytes
 */

const tail = text => text.trim().split('\n').slice(-4).join(' | ').slice(-600);

/** A child that answers one line to each line. */
class Child {
  /** @param {Entry} entry */
  constructor(entry) {
    this.entry = entry;
    this.skipped = entry.skip ?? null;
    this.info = {};
    this.openMs = null;
    this.#waiting = null;
    if (this.skipped !== null) return;
    this.#process = spawn(entry.program, entry.args, {
      env: { ...process.env, ...entry.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let errors = '';
    this.#process.stderr.on('data', data => {
      errors = (errors + data).slice(-4000);
    });
    this.#process.stdin.on('error', () => {});
    createInterface({ input: this.#process.stdout }).on('line', line => {
      if (!line.startsWith('@')) return;
      this.#answer(JSON.parse(line.slice(1)));
    });
    this.#process.on('error', error => this.#answer({ skip: error.message }));
    this.#process.on('close', (code, signal) =>
      this.#answer({ failed: `ended with ${signal ?? code}: ${tail(errors)}` }),
    );
  }

  #process;
  #waiting;

  #answer(message) {
    const resolve = this.#waiting;
    this.#waiting = null;
    if (resolve) resolve(message);
    // It ended between two turns: the next one must not wait for it.
    else this.skipped ??= message.skip ?? message.failed ?? null;
  }

  #next() {
    return new Promise(resolve => {
      this.#waiting = resolve;
    });
  }

  async open() {
    if (this.skipped !== null) return;
    this.#take(await this.#next());
  }

  /** @returns null when it is, or has just fallen, out */
  async run(steps, which) {
    if (this.skipped !== null) return null;
    const answer = this.#next();
    this.#process.stdin.write(`${JSON.stringify({ run: steps, case: which })}\n`);
    const message = await answer;
    this.#take(message);
    return this.skipped === null ? message : null;
  }

  #take({ skip, failed, info, openMs }) {
    if (skip !== undefined || failed !== undefined) {
      this.skipped = skip ?? `failed: ${tail(failed)}`;
      this.close();
    }
    if (info) this.info = info;
    if (openMs !== undefined) this.openMs = openMs;
  }

  close() {
    this.#process?.stdin.end();
  }

  /** Resolves once the process and its memory are gone. */
  async closed() {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise(resolve => this.#process.once('close', resolve));
    this.close();
    await gone;
  }
}

/** Contestants that take turns: A B C, B C A, C A B… so that none always runs after the same one. */
export class Ring {
  #children;
  #log;

  constructor(children, log) {
    this.#children = children;
    this.#log = log;
  }

  /** One after the other, so that opening one does not disturb another. @param {Entry[]} entries */
  static async open(entries, log) {
    const children = [];
    for (const entry of entries) {
      const child = new Child(entry);
      await child.open();
      log(child.skipped === null ? `  ${entry.name}: ready` : `  ${entry.name}: left out, ${child.skipped}`);
      children.push(child);
    }
    return new Ring(children, log);
  }

  /**
   * @param {object} options
   * @param {string} [options.which] the case, where contestants know several
   * @param {number} options.warmup steps before the clock counts
   * @param {number} options.least rounds at least
   * @param {number} options.most rounds at most
   * @param {number} options.seconds rounds go on until this much time has passed
   */
  async contest({ which, warmup, least, most, seconds }) {
    const fast = this.#children.filter(c => !c.entry.slow);
    const records = new Map(
      this.#children.map(c => [
        c,
        { name: c.entry.name, key: c.entry.key, wall: [], cpu: [], values: [], peak: 0, warmup },
      ]),
    );
    const turn = async (child, steps, timed) => {
      const got = await child.run(steps, which);
      if (!got) return;
      const record = records.get(child);
      record.values.push(...got.values);
      record.peak = Math.max(record.peak, got.peak);
      if (!timed) return;
      record.wall.push(...got.wall);
      record.cpu.push(...got.cpu);
    };
    for (const child of fast) await turn(child, warmup, false);
    const from = performance.now();
    for (let round = 0; round < most && (round < least || performance.now() - from < seconds * 1000); round++) {
      for (let i = 0; i < fast.length; i++) await turn(fast[(i + round) % fast.length], 1, true);
    }
    for (const child of this.#children.filter(c => c.entry.slow && c.skipped === null)) {
      const { warmup: first, steps } = child.entry.slow;
      this.#log(`  ${child.entry.name}: ${first + steps} steps alone, it is slow`);
      await turn(child, first, false);
      await turn(child, steps, true);
      Object.assign(records.get(child), { slow: true });
    }
    return [...records].map(([child, record]) => ({
      ...record,
      info: child.info,
      openMs: child.openMs,
      skipped: child.skipped,
    }));
  }

  async close() {
    for (const child of this.#children) await child.closed();
  }
}
