/** The backend contract over an engine: lowering, feeds, hidden random inputs, queues, closing. */

import {
  checkFeeds,
  checkInto,
  drawHoisted,
  hoistedType,
  fail,
  isHost,
  type Backend,
  type CompileOptions,
  type DeviceTensor,
  type Executable,
  type Feeds,
  type Graph,
  type HostTensor,
  type Limits,
  type Results,
  type RunOptions,
  type Signature,
} from '@heddle/core';
import type { Engine, Held, ModelFace } from './engines/engine.js';
import { format, lower, type Lowered } from './lower/lower.js';

const limits: Limits = {
  maxRank: 6,
  maxElements: 2 ** 31 - 1,
  exactIntegers: 2 ** 31,
  dtypes: ['f32', 'i32', 'bool'],
  deterministic: true,
  resident: true,
  tolerance: 1e-5,
};

class Tensor implements DeviceTensor {
  readonly type;
  readonly backend: string;
  held: Held | null;
  readonly #owner: OnnxBackend;

  constructor(owner: OnnxBackend, held: Held) {
    this.#owner = owner;
    this.backend = owner.name;
    this.type = held.type;
    this.held = held;
    owner.open.add(this);
  }

  /** Gives the memory up without releasing it: a run has taken it. */
  taken(): void {
    this.held = null;
    this.#owner.open.delete(this);
  }

  close(): void {
    if (this.held) this.#owner.engine.release(this.held);
    this.taken();
  }
}

export class OnnxBackend implements Backend {
  readonly name: string;
  readonly format = format;
  readonly limits: Limits;
  readonly engine: Engine;
  readonly open = new Set<Tensor>();
  readonly #programs = new Set<OnnxExecutable>();
  #closed = false;

  constructor(engine: Engine, deterministic: boolean) {
    this.engine = engine;
    this.name = engine.name;
    this.limits = { ...limits, deterministic, resident: engine.resident };
  }

  alive(): void {
    if (this.#closed)
      fail('E_CLOSED', `${this.name}: expected an open backend, received a call after close. Open another.`, {});
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    this.alive();
    const { name = 'graph', kernels, constants } = options;
    const began = performance.now();
    const { firstOutputOnly = [] } = this.engine;
    const lowered = lower(graph, {
      name,
      limits: this.limits,
      engine: this.name,
      firstOutputOnly,
      ...(kernels ? { kernels } : {}),
      ...(constants ? { constants } : {}),
    });
    const loweredMs = performance.now() - began;
    const face: ModelFace = {
      inputs: renamed(
        {
          ...lowered.inputs,
          ...Object.fromEntries(lowered.hidden.map(h => [h.name, hoistedType(h)])),
        },
        lowered.inputNames,
      ),
      outputs: renamed(lowered.outputs, lowered.outputNames),
    };
    const program = await this.engine.load(lowered.model, face);
    const notes = [
      ...lowered.notes,
      `lowered in ${loweredMs.toFixed(0)} ms, ${lowered.model.length} bytes; loaded in ${(performance.now() - began - loweredMs).toFixed(0)} ms`,
    ];
    const executable = new OnnxExecutable(this, program, lowered, notes, () => this.#programs.delete(executable));
    this.#programs.add(executable);
    return executable;
  }

  async upload(host: HostTensor): Promise<DeviceTensor> {
    this.alive();
    return new Tensor(this, await this.engine.hold(host));
  }

  async download(device: DeviceTensor): Promise<HostTensor> {
    this.alive();
    return this.engine.read(heldOf(device, this.name));
  }

  live(): number {
    return this.open.size;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    for (const program of this.#programs) await program.close();
    for (const tensor of this.open) tensor.close();
    this.#closed = true;
    await this.engine.close();
  }
}

const renamed = <T>(items: Readonly<Record<string, T>>, names: Readonly<Record<string, string>>): Record<string, T> =>
  Object.fromEntries(Object.entries(items).map(([n, item]) => [names[n]!, item]));

const heldOf = (device: DeviceTensor, backend: string): Held =>
  (device as Tensor).held ??
  fail(
    'E_CLOSED',
    `${backend}: expected an open tensor, received one after its close. Keep it open until its last use.`,
    {},
  );

class OnnxExecutable implements Executable {
  readonly signature: Signature;
  readonly #backend: OnnxBackend;
  readonly #program: Awaited<ReturnType<Engine['load']>>;
  readonly #lowered: Lowered;
  readonly #notes: readonly string[];
  readonly #onClose: () => void;
  readonly #ourNames: Readonly<Record<string, string>>;
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(
    backend: OnnxBackend,
    program: Awaited<ReturnType<Engine['load']>>,
    lowered: Lowered,
    notes: readonly string[],
    onClose: () => void,
  ) {
    this.#backend = backend;
    this.#program = program;
    this.#lowered = lowered;
    this.#notes = notes;
    this.#onClose = onClose;
    this.#ourNames = Object.fromEntries(Object.entries(lowered.outputNames).map(([ours, theirs]) => [theirs, ours]));
    this.signature = { inputs: lowered.inputs, outputs: lowered.outputs };
  }

  run(feeds: Feeds, options: RunOptions = {}): Promise<Results> {
    this.#backend.alive();
    if (this.#closed)
      fail(
        'E_CLOSED',
        `${this.#backend.name}: expected an open executable, received a run after close. Compile again.`,
        {},
      );
    // Runs of one executable queue; one that failed does not hold up the next.
    const turn = this.#last.then(() => this.#run(feeds, options));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #run(feeds: Feeds, { signal, keep = [], donate = {}, into = {} }: RunOptions): Promise<Results> {
    signal?.throwIfAborted();
    const { name } = this.#backend;
    checkFeeds(this.signature, feeds, name);
    checkInto(this.signature, into);
    const { inputNames, outputNames, hidden } = this.#lowered;
    const inputs: Record<string, HostTensor | Held> = {};
    for (const [n, fed] of Object.entries(feeds)) inputs[inputNames[n]!] = isHost(fed) ? fed : heldOf(fed, name);
    for (const random of hidden)
      inputs[inputNames[random.name]!] = drawHoisted(random, await this.#key(feeds[random.key]!));
    const donated = Object.entries(donate).filter(([output, input]) => keep.includes(output) && !isHost(feeds[input]!));
    const result = await this.#program.run({
      inputs,
      keep: new Set(
        keep.map(
          n => outputNames[n] ?? fail('E_FEED', `keep: expected the name of an output, received '${n}'.`, { name: n }),
        ),
      ),
      donate: Object.fromEntries(donated.map(([output, input]) => [outputNames[output]!, inputNames[input]!])),
      into: Object.fromEntries(Object.entries(into).map(([n, array]) => [outputNames[n]!, array])),
      ...(signal ? { signal } : {}),
    });
    for (const [, input] of donated) (feeds[input] as Tensor).taken();
    return {
      outputs: Object.fromEntries(Object.entries(result.outputs).map(([n, t]) => [this.#ourNames[n]!, t])),
      kept: Object.fromEntries(
        Object.entries(result.kept).map(([n, held]) => [this.#ourNames[n]!, new Tensor(this.#backend, held)]),
      ),
    };
  }

  async #key(fed: HostTensor | DeviceTensor): Promise<HostTensor> {
    return isHost(fed) ? fed : this.#backend.download(fed);
  }

  explain(): string {
    const { name, engine } = this.#backend;
    return [`${name}: ${engine.binding}, ${engine.threads} threads`, ...this.#notes].join('\n');
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#last.then(async () => {
      this.#onClose();
      await this.#program.close();
    }));
  }
}
