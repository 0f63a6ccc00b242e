/** The backend contract over an engine: lowering, feeds, hidden inputs, queues, closing. */

import {
  checkFeeds,
  checkInto,
  checkKept,
  drawHoisted,
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
import type { Engine, Held, Program } from './engines/engine.js';
import { builtInKernels } from './kernels/index.js';
import { kernelLimits } from './kernel.js';
import { format, lower, type Lowered } from './lower/lower.js';
import { drawPlan } from './lower/plan-scatter.js';

/** Said while an engine works. */
export type GpujsEvent =
  | {
      readonly type: 'graph.compiled';
      readonly backend: string;
      readonly name: string;
      readonly launches: number;
      readonly products: number;
      readonly seconds: number;
    }
  | { readonly type: 'kernel.chosen'; readonly backend: string; readonly op: string; readonly times: number }
  | { readonly type: 'kernel.fellBack'; readonly backend: string; readonly op: string; readonly reason: string }
  | { readonly type: 'device.lost'; readonly backend: string; readonly reason: string };

export interface BackendSettings {
  /** What would only be said is an error: a kernel that cannot be compiled, a mode that does not run. Default false. */
  readonly strict?: boolean;
  readonly onEvent?: (event: GpujsEvent) => void;
}

class Tensor implements DeviceTensor {
  readonly type;
  readonly backend: string;
  held: Held | null;
  readonly #owner: GpujsBackend;

  constructor(owner: GpujsBackend, held: Held) {
    this.#owner = owner;
    this.backend = owner.name;
    this.type = held.type;
    this.held = held;
    owner.open.add(this);
  }

  close(): void {
    if (this.held) this.#owner.engine.release(this.held);
    this.held = null;
    this.#owner.open.delete(this);
  }
}

export class GpujsBackend implements Backend {
  readonly name: string;
  readonly format = format;
  readonly limits: Limits;
  readonly engine: Engine;
  readonly settings: BackendSettings;
  readonly open = new Set<Tensor>();
  readonly #programs = new Set<GpujsExecutable>();
  #closed = false;

  constructor(engine: Engine, settings: BackendSettings = {}) {
    this.engine = engine;
    this.settings = settings;
    this.name = engine.name;
    void engine.whenLost?.then(reason => {
      if (reason !== null) settings.onEvent?.({ type: 'device.lost', backend: engine.name, reason });
    });
    this.limits = {
      maxRank: 6,
      maxElements: engine.maxElements,
      exactIntegers: kernelLimits.cells,
      dtypes: ['f32', 'i32', 'bool'],
      deterministic: true,
      resident: engine.resident,
      tolerance: engine.tolerance,
    };
  }

  alive(): void {
    if (this.#closed)
      fail('E_CLOSED', `${this.name}: expected an open backend, received a call after close. Open another.`, {});
    const reason = this.engine.lost();
    if (reason !== null) lost(this.name, reason);
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    this.alive();
    const { name = 'graph', kernels, constants } = options;
    const began = performance.now();
    const refused = new Map<string, string>();
    for (;;) {
      const lowered = lower(graph, {
        limits: this.limits,
        engine: this.name,
        maxReads: this.engine.maxReads,
        builtIn: builtInKernels,
        without: refused,
        ...(kernels ? { kernels } : {}),
        ...(constants ? { constants } : {}),
      });
      try {
        const program = await this.engine.load(lowered, name);
        const seconds = (performance.now() - began) / 1000;
        this.#tell(lowered, name, seconds, refused);
        const notes = [...lowered.notes, `compiled in ${(seconds * 1000).toFixed(0)} ms`];
        const executable = new GpujsExecutable(this, program, lowered, {
          notes,
          constants: constants ?? {},
          onClose: () => this.#programs.delete(executable),
        });
        this.#programs.add(executable);
        return executable;
      } catch (error) {
        // A plugin's kernel that does not compile here is passed over for its op's meaning, aloud.
        const op = (error as { readonly details?: { readonly op?: unknown } }).details?.op;
        if (this.settings.strict || typeof op !== 'string' || refused.has(op)) throw error;
        refused.set(op, (error as Error).message);
      }
    }
  }

  #tell(lowered: Lowered, name: string, seconds: number, refused: ReadonlyMap<string, string>): void {
    const { onEvent } = this.settings;
    if (!onEvent) return;
    const backend = this.name;
    for (const [op, reason] of refused) onEvent({ type: 'kernel.fellBack', backend, op, reason });
    for (const [op, times] of lowered.chosen) onEvent({ type: 'kernel.chosen', backend, op, times });
    const { launches, products } = lowered.counts;
    onEvent({ type: 'graph.compiled', backend, name, launches, products, seconds });
  }

  async upload(host: HostTensor): Promise<DeviceTensor> {
    this.alive();
    return new Tensor(this, this.engine.hold(host));
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

const lost = (engine: string, reason: string): never =>
  fail(
    'E_DEVICE_LOST',
    `${engine}: expected its device, received its loss: ${reason}. What was on it is gone; go on from the last checkpoint with a backend opened anew.`,
    { engine, reason },
  );

const heldOf = (device: DeviceTensor, backend: string): Held => {
  if (device.backend !== backend)
    fail(
      'E_FEED',
      `${backend}: expected a tensor of its own, received one of ${device.backend}. Download it there first.`,
      {},
    );
  return (
    (device as Tensor).held ??
    fail(
      'E_CLOSED',
      `${backend}: expected an open tensor, received one after its close. Keep it open until its last use.`,
      {},
    )
  );
};

interface Parts {
  readonly notes: readonly string[];
  readonly constants: Readonly<Record<string, HostTensor>>;
  readonly onClose: () => void;
}

class GpujsExecutable implements Executable {
  readonly signature: Signature;
  readonly #backend: GpujsBackend;
  readonly #program: Program;
  readonly #lowered: Lowered;
  readonly #parts: Parts;
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(backend: GpujsBackend, program: Program, lowered: Lowered, parts: Parts) {
    this.#backend = backend;
    this.#program = program;
    this.#lowered = lowered;
    this.#parts = parts;
    this.signature = { inputs: lowered.inputs, outputs: lowered.outputs };
  }

  async run(feeds: Feeds, options: RunOptions = {}): Promise<Results> {
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
    checkKept(this.signature, feeds, keep, donate);
    checkInto(this.signature, into);
    const all: Feeds = { ...this.#parts.constants, ...feeds };
    const inputs: Record<string, HostTensor | Held> = {};
    for (const [n, fed] of Object.entries(all)) inputs[n] = isHost(fed) ? fed : heldOf(fed, name);
    const host = async (n: string): Promise<HostTensor> => {
      const fed = all[n]!;
      return isHost(fed) ? fed : this.#backend.download(fed);
    };
    for (const { input, below, op } of this.#lowered.indices) checkIndex(op, input, await host(input), below);
    for (const n of Object.keys(this.#lowered.fed)) {
      const fed = all[n];
      if (fed && isHost(fed) && fed.dtype === 'i32') checkWhole(n, fed, name);
    }
    for (const random of this.#lowered.random) inputs[random.name] = drawHoisted(random, await host(random.key));
    for (const plan of this.#lowered.scatters) Object.assign(inputs, drawPlan(plan, await host(plan.index)));
    const { outputs, kept } = await this.#program.run({ inputs, keep: new Set(keep), ...(signal ? { signal } : {}) });
    for (const input of Object.values(donate)) (feeds[input] as Tensor).close();
    return {
      outputs,
      kept: Object.fromEntries(Object.entries(kept).map(([n, held]) => [n, new Tensor(this.#backend, held)])),
    };
  }

  explain(): string {
    const { name, engine } = this.#backend;
    return [`${name}: ${engine.about}`, ...this.#parts.notes, ...this.#program.notes()].join('\n');
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#last.then(() => {
      this.#parts.onClose();
      this.#program.close();
    }));
  }
}

function checkIndex(op: string, input: string, { data }: HostTensor, below: number): void {
  for (let i = 0; i < data.length; i++) {
    if (!(data[i]! >= 0 && data[i]! < below)) {
      fail(
        'E_INDEX',
        `${op}: expected an index between 0 and ${below - 1}, received ${data[i]} in input '${input}'. Check token ids against the vocabulary.`,
        { op, index: data[i], size: below, input },
      );
    }
  }
}

function checkWhole(input: string, { data }: HostTensor, engine: string): void {
  for (let i = 0; i < data.length; i++) {
    if (Math.abs(data[i]!) > kernelLimits.cells) {
      fail(
        'E_LIMIT',
        `input '${input}': ${engine} holds whole numbers exactly up to 2^24, received ${data[i]}. Use another engine, or smaller numbers.`,
        { input, value: data[i] },
      );
    }
  }
}
