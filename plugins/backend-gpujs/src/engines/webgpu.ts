/**
 * WebGPU: gpu.js writes the WGSL of every kernel, products are WGSL of our own, and all passes of a run are recorded
 * into one command encoder over buffers that stay on the device. Only what is asked for is read back.
 */

import { fail, sizeOf, type HostTensor, type TensorType } from '@heddle/core';
import { openCompiler, type Compiler } from '../gpujs/adapter.js';
import type { Lowered, Pass, Place } from '../lower/lower.js';
import { productReads, productText } from '../lower/product.js';
import { isHostTensor, type Engine, type Held, type Program, type Ran, type Run } from './engine.js';
import { tensorOf } from './host-memory.js';
import { rowwise, sumOfParts, tiled, wgslProduct, wgslRows } from './wgsl-product.js';

const usage = { storage: 0x80, copySource: 0x4, copyTarget: 0x8, mapRead: 0x1, resolve: 0x200 } as const;

export interface WebgpuOptions {
  /** A device to compute on, of this page or of onnxruntime-web; closed by its owner. Default: one of our own. */
  readonly device?: GPUDevice;
  /** In words, for `explain`. */
  readonly adapter?: string;
  /**
   * Measures each pass on the device, for `explain` to list where the time goes. Passes then run one by one, which is
   * slower; needs a device with `timestamp-query`. Default false.
   */
  readonly profile?: boolean;
}

interface HeldBuffer extends Held {
  buffer: GPUBuffer | null;
}

/** What tests and `explain` may ask of the engine. */
export interface WebgpuEngine extends Engine {
  readonly device: GPUDevice;
  /** Buffers that exist now, free ones among them. */
  buffers(): number;
  /** Bytes read back to the host since it was opened. */
  readBack(): number;
}

export async function openWebgpuEngine(gpu: GPU, options: WebgpuOptions = {}): Promise<WebgpuEngine> {
  const name = 'gpujs:webgpu';
  const { device, about } = options.device
    ? { device: options.device, about: options.adapter ?? 'a shared device' }
    : await deviceOf(gpu);
  const memory = new DeviceMemory(device, name);
  const compiler = await openCompiler('webgpu');
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const layouts = new Map<number, GPUBindGroupLayout>();
  let gone: string | null = null;
  let closing = false;
  const whenLost = device.lost.then(({ message, reason }) => {
    if (!closing) gone = message || reason;
    return gone;
  });
  const read = async (held: Held): Promise<HostTensor> => {
    const { buffer, type } = held as HeldBuffer;
    if (buffer === null) return closed(name);
    const [cells] = await memory.read([{ buffer, length: sizeOf(type.shape) }]);
    return tensorOf(type, cells!);
  };
  const { limits } = device;
  return {
    name,
    about: `gpu.js compiles to WGSL, recorded over buffers that stay on the device, beside tiled products; ${about}`,
    resident: true,
    tolerance: 5e-5,
    maxReads: Math.min(11, limits.maxStorageBuffersPerShaderStage - 1),
    maxElements: Math.min(2 ** 24, Math.floor(limits.maxStorageBufferBindingSize / 4)),
    device,
    buffers: () => memory.count,
    readBack: () => memory.readBytes,
    load: (lowered, title) =>
      load({
        lowered,
        title,
        device,
        memory,
        compiler,
        pipelines,
        layouts,
        name,
        read,
        lost: () => gone,
        profile: options.profile ?? false,
      }),
    hold({ dtype, shape, data }) {
      const buffer = memory.take(4 * data.length);
      memory.write(buffer, data);
      return { type: { dtype, shape }, buffer } as HeldBuffer;
    },
    read,
    release: held => {
      const { buffer } = held as HeldBuffer;
      if (buffer) memory.give(buffer);
      (held as HeldBuffer).buffer = null;
    },
    lost: () => gone,
    whenLost,
    async close() {
      closing = true;
      memory.close();
      compiler.close();
      if (!options.device) device.destroy();
    },
  };
}

const closed = (engine: string): never =>
  fail(
    'E_CLOSED',
    `${engine}: expected an open tensor, received one after its close. Keep it open until its last use.`,
    {},
  );

/** Everything that the adapter can give: large buffers, many arguments, half precision and subgroups where present. */
async function deviceOf(gpu: GPU): Promise<{ readonly device: GPUDevice; readonly about: string }> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    return fail(
      'E_UNAVAILABLE',
      "gpujs:webgpu: expected a WebGPU adapter, received none. Run 'heddle doctor' to see other engines.",
      {},
    );
  const { limits, features, info } = adapter;
  const wanted = ['shader-f16', 'subgroups', 'timestamp-query'] as const;
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter(feature => features.has(feature)),
    requiredLimits: {
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
    },
  });
  const has = wanted.filter(feature => device.features.has(feature)).join(', ') || 'no optional features';
  return { device, about: `${info.vendor} ${info.architecture} ${info.description}`.trim().concat(`; ${has}`) };
}

/** Buffers, used again by size: a training loop needs the same ones at each step. */
class DeviceMemory {
  count = 0;
  readBytes = 0;
  readonly #device: GPUDevice;
  readonly #engine: string;
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #all = new Set<GPUBuffer>();
  readonly #ids = new WeakMap<GPUBuffer, number>();
  #made = 0;
  #staging: GPUBuffer | null = null;

  constructor(device: GPUDevice, engine: string) {
    this.#device = device;
    this.#engine = engine;
  }

  idOf(buffer: GPUBuffer): number {
    return this.#ids.get(buffer)!;
  }

  take(bytes: number): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const again = this.#free.get(size)?.pop();
    if (again) return again;
    const { maxBufferSize } = this.#device.limits;
    if (size > maxBufferSize) {
      fail(
        'E_LIMIT',
        `${this.#engine}: a buffer holds at most ${maxBufferSize} bytes here, received ${size}. Use a smaller batch, or another engine.`,
        { size, maxBufferSize },
      );
    }
    const buffer = this.#device.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget });
    this.#ids.set(buffer, this.#made++); // never one that a buffer had before: bind groups are found again by it
    this.#all.add(buffer);
    this.count++;
    return buffer;
  }

  give(buffer: GPUBuffer): void {
    if (!this.#all.has(buffer)) return;
    this.#free.set(buffer.size, [...(this.#free.get(buffer.size) ?? []), buffer]);
  }

  /** Numbers of any kind become floats. */
  write(buffer: GPUBuffer, data: ArrayLike<number>): void {
    const floats = data instanceof Float32Array ? data : Float32Array.from(data);
    this.#device.queue.writeBuffer(buffer, 0, floats as Float32Array<ArrayBuffer>);
  }

  /** Reads several buffers in one go; `record` gives an encoder with what must run before in the same submission. */
  async read(
    parts: readonly { readonly buffer: GPUBuffer; readonly length: number }[],
    record: () => GPUCommandEncoder = () => this.#device.createCommandEncoder(),
  ): Promise<Float32Array[]> {
    const encoder = record();
    let bytes = 0;
    const offsets = parts.map(({ length }) => {
      const at = bytes;
      bytes += 4 * length;
      return at;
    });
    if (parts.length === 0) {
      this.#device.queue.submit([encoder.finish()]);
      return [];
    }
    const staging = this.#stage(bytes);
    parts.forEach(({ buffer, length }, i) => encoder.copyBufferToBuffer(buffer, 0, staging, offsets[i]!, 4 * length));
    this.#device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(usage.mapRead, 0, bytes);
      const range = staging.getMappedRange(0, bytes);
      return parts.map(({ length }, i) => new Float32Array(range.slice(offsets[i]!, offsets[i]! + 4 * length)));
    } finally {
      this.readBytes += bytes;
      if (staging.mapState === 'mapped') staging.unmap();
      if (this.#staging === null) this.#staging = staging;
      else staging.destroy();
    }
  }

  /** One is kept for the next read; reads at the same time have their own. */
  #stage(bytes: number): GPUBuffer {
    const kept = this.#staging;
    this.#staging = null;
    if (kept && kept.size >= bytes) return kept;
    kept?.destroy();
    return this.#device.createBuffer({ size: Math.max(256, bytes), usage: usage.mapRead | usage.copyTarget });
  }

  drop(buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) {
      if (!this.#all.delete(buffer)) continue;
      this.count--;
      buffer.destroy();
    }
  }

  close(): void {
    this.drop([...this.#all]);
    this.#staging?.destroy();
    this.#free.clear();
  }
}

interface Loading {
  readonly lowered: Lowered;
  readonly title: string;
  readonly device: GPUDevice;
  readonly memory: DeviceMemory;
  readonly compiler: Compiler;
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>;
  readonly layouts: Map<number, GPUBindGroupLayout>;
  readonly name: string;
  readonly read: (held: Held) => Promise<HostTensor>;
  readonly lost: () => string | null;
  readonly profile: boolean;
}

interface Recorded {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly places: readonly Place[];
  readonly groups: readonly [number, number, number];
  /** Places whose buffers may be others in the next run. */
  readonly varying: readonly Place[];
  readonly bound: Map<string | number, GPUBindGroup>;
}

async function load({
  lowered,
  title,
  device,
  memory,
  compiler,
  pipelines,
  layouts,
  name,
  read,
  lost,
  profile,
}: Loading): Promise<Program> {
  const began = performance.now();
  const { passes, memory: plan, results, fed } = lowered;
  const written = passes.flatMap(pass => write(pass, compiler, device.limits.maxComputeWorkgroupsPerDimension));
  const clock = profile ? new Clock(device, written, name) : null;
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  const slots = plan.slots.map(length => memory.take(4 * length));
  const parts = Math.max(
    0,
    ...written.flatMap(({ places }) => places.filter(p => p.id === scratch.id)).map(p => p.length),
  );
  const partial = parts > 0 ? memory.take(4 * parts) : null;
  if (partial) slots.push(partial);
  const slotOf = ({ id }: Place): GPUBuffer => (id === scratch.id ? partial! : slots[plan.slotOf.get(id)!]!);
  for (const { place, data } of lowered.fixed) memory.write(slotOf(place), data);
  const outside = new Set([...Object.values(fed), ...Object.values(results).filter(r => 'id' in r)].map(p => p.id));
  const before = pipelines.size;
  const recorded = Promise.all(
    written.map(async ({ code, places, groups, op, pass }): Promise<Recorded> => {
      const layout = layoutOf(device, layouts, places.length);
      const pipeline = await pipelineOf(device, pipelines, layout, code, pass, op);
      return { pipeline, layout, places, groups, varying: places.filter(p => outside.has(p.id)), bound: new Map() };
    }),
  );
  const [made] = await Promise.allSettled([recorded]);
  const wrong = await device.popErrorScope();
  const full = await device.popErrorScope();
  if (full || wrong || made.status === 'rejected') {
    memory.drop(slots);
    clock?.close();
    if (full)
      fail(
        'E_DEVICE_MEMORY',
        `${name}: expected ${plan.bytes} bytes for '${title}', received: ${full.message}. Use a smaller batch or length.`,
        { bytes: plan.bytes },
      );
    if (made.status === 'rejected') throw made.reason;
    fail('E_ENGINE', `${name}: expected '${title}' to load, received: ${wrong!.message}. Please report it.`, {});
  }
  const steps = (made as PromiseFulfilledResult<Recorded[]>).value;
  const compiled = performance.now() - began;
  let recording = 0;
  let runs = 0;
  return {
    async run({ inputs, keep, signal }: Run): Promise<Ran> {
      const buffers = new Map<number, GPUBuffer>();
      for (const [input, place] of Object.entries(fed)) {
        const t = inputs[input]!;
        if (isHostTensor(t)) memory.write(slotOf(place), t.data);
        else buffers.set(place.id, (t as HeldBuffer).buffer ?? closed(name));
      }
      const kept: Record<string, HeldBuffer> = {};
      const hostTypes: [output: string, type: TensorType, place: Place][] = [];
      const copies: [from: GPUBuffer, to: GPUBuffer, bytes: number][] = [];
      const outputs: Record<string, HostTensor> = {};
      const own = new Set<number>();
      for (const [output, type] of Object.entries(lowered.outputs)) {
        const from = results[output]!;
        const n = sizeOf(type.shape);
        if (!keep.has(output)) {
          if ('id' in from) hostTypes.push([output, type, from]);
          else if ('data' in from) outputs[output] = { ...type, data: from.data.slice() };
          else {
            const t = inputs[from.input]!;
            const { data } = isHostTensor(t) ? t : await read(t);
            outputs[output] = { ...type, data: data.slice() };
          }
          continue;
        }
        const buffer = memory.take(4 * n);
        kept[output] = { type, buffer };
        if ('id' in from && !own.has(from.id)) {
          own.add(from.id);
          buffers.set(from.id, buffer);
        } else if ('id' in from) copies.push([buffers.get(from.id)!, buffer, 4 * n]);
        else if ('data' in from) memory.write(buffer, from.data);
        else {
          const t = inputs[from.input]!;
          if (isHostTensor(t)) memory.write(buffer, t.data);
          else copies.push([(t as HeldBuffer).buffer!, buffer, 4 * n]);
        }
      }
      const bufferOf = (place: Place): GPUBuffer => buffers.get(place.id) ?? slotOf(place);
      try {
        signal?.throwIfAborted();
        const wanted = hostTypes.map(([, type, place]) => ({ buffer: bufferOf(place), length: sizeOf(type.shape) }));
        const cells = await memory.read(clock ? [clock.read, ...wanted] : wanted, () => {
          const start = performance.now();
          const encoder = record(device, steps, bufferOf, memory, clock);
          recording += performance.now() - start;
          runs++;
          for (const [from, to, bytes] of copies) encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
          return encoder;
        });
        if (clock) clock.add(cells.shift()!);
        signal?.throwIfAborted();
        hostTypes.forEach(([output, type], i) => (outputs[output] = tensorOf(type, cells[i]!)));
      } catch (error) {
        for (const { buffer } of Object.values(kept)) if (buffer) memory.give(buffer);
        const reason = lost();
        if (reason !== null && !signal?.aborted) {
          fail(
            'E_DEVICE_LOST',
            `${name}: expected its device, received its loss: ${reason}. What was on it is gone; go on from the last checkpoint with a backend opened anew.`,
            { engine: name, reason },
            error,
          );
        }
        throw error;
      }
      return { outputs, kept };
    },
    notes: () => [
      `${pipelines.size - before} new pipelines for ${steps.length} passes, compiled together in ${compiled.toFixed(0)} ms`,
      ...(runs > 0 && steps.length > 0
        ? [`${runs} runs, ${((1000 * recording) / runs / steps.length).toFixed(1)} µs of JavaScript per recorded pass`]
        : []),
      ...(clock && runs > 0 ? clock.lines() : []),
    ],
    close() {
      memory.drop(slots);
      clock?.close();
    },
  };
}

/** What each pass takes on the device, over all runs. */
class Clock {
  readonly read: { readonly buffer: GPUBuffer; readonly length: number };
  readonly #set: GPUQuerySet;
  readonly #passes: readonly { readonly label: string }[];
  readonly #spent: Float64Array; // ns
  #runs = 0;

  constructor(device: GPUDevice, passes: readonly { readonly label: string }[], engine: string) {
    const most = 2048; // passes: a query set holds 4096 stamps
    if (!device.features.has('timestamp-query') || passes.length > most) {
      fail(
        'E_UNAVAILABLE',
        `${engine}: profile: expected a device with timestamp-query and at most ${most} passes, received ${passes.length} passes and ${[...device.features].join(', ') || 'no features'}. Leave \`profile\` out.`,
        {},
      );
    }
    this.#passes = passes;
    this.#spent = new Float64Array(passes.length);
    const count = 2 * Math.max(1, passes.length);
    this.#set = device.createQuerySet({ type: 'timestamp', count });
    this.read = {
      buffer: device.createBuffer({ size: 8 * count, usage: usage.resolve | usage.copySource }),
      length: 2 * count,
    };
  }

  stamps(i: number): GPUComputePassTimestampWrites {
    return { querySet: this.#set, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#set, 0, this.#set.count, this.read.buffer, 0);
  }

  add({ buffer }: Float32Array): void {
    const stamps = new BigUint64Array(buffer as ArrayBuffer);
    this.#spent.forEach((ns, i) => (this.#spent[i] = ns + Number(stamps[2 * i + 1]! - stamps[2 * i]!)));
    this.#runs++;
  }

  lines(): string[] {
    const kinds = new Map<string, { count: number; ns: number }>();
    let total = 0;
    this.#passes.forEach(({ label }, i) => {
      const { count, ns } = kinds.get(label) ?? { count: 0, ns: 0 };
      kinds.set(label, { count: count + 1, ns: ns + this.#spent[i]! });
      total += this.#spent[i]!;
    });
    const micros = (ns: number): string => (ns / 1000 / this.#runs).toFixed(1);
    const slowest = [...kinds].toSorted(([, a], [, b]) => b.ns - a.ns).slice(0, 32);
    return [
      `on the device ${micros(total)} µs a run in ${this.#passes.length} passes, most of it in:`,
      ...slowest.map(
        ([label, { count, ns }]) =>
          `  ${micros(ns).padStart(9)} µs ${((100 * ns) / total).toFixed(1).padStart(5)} %  ${count} of ${label}`,
      ),
    ];
  }

  close(): void {
    this.#set.destroy();
    this.read.buffer.destroy();
  }
}

/**
 * Passes that are recorded before the device is given the first of them: it works while the next are recorded. Giving
 * costs as much as recording twenty passes does, so each portion is twice the last.
 */
const portion = 32;

/** @returns the encoder that holds the last passes */
function record(
  device: GPUDevice,
  steps: readonly Recorded[],
  bufferOf: (place: Place) => GPUBuffer,
  memory: DeviceMemory,
  clock: Clock | null,
): GPUCommandEncoder {
  let encoder = device.createCommandEncoder();
  let pass: GPUComputePassEncoder | null = null;
  let last: GPUComputePipeline | null = null;
  let until = portion;
  for (let i = 0; i < steps.length; i++) {
    const { pipeline, layout, places, groups, varying, bound } = steps[i]!;
    const key = keyOf(varying, bufferOf, memory);
    let group = bound.get(key);
    if (!group) {
      group = device.createBindGroup({
        layout,
        entries: places.map((place, i) => ({ binding: i + 1, resource: { buffer: bufferOf(place) } })),
      });
      if (bound.size > 8) bound.clear(); // state goes to and fro between a few buffers
      bound.set(key, group);
    }
    if (pass && (clock || i === until)) {
      pass.end();
      pass = null;
      if (i === until) {
        device.queue.submit([encoder.finish()]);
        encoder = device.createCommandEncoder();
        until = 2 * until + portion;
      }
    }
    if (!pass) {
      pass = encoder.beginComputePass(clock ? { timestampWrites: clock.stamps(i) } : {});
      last = null;
    }
    if (pipeline !== last) pass.setPipeline(pipeline);
    last = pipeline;
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
  }
  pass?.end();
  clock?.resolve(encoder);
  return encoder;
}

/** The buffers that a run may bind in other ways, as a key; a number where they are few, for that is fast. */
function keyOf(
  varying: readonly Place[],
  bufferOf: (place: Place) => GPUBuffer,
  memory: DeviceMemory,
): string | number {
  let key: string | number = 0;
  for (let i = 0; i < varying.length; i++) {
    const id = memory.idOf(bufferOf(varying[i]!));
    key = typeof key === 'number' && i < 3 && id < 2 ** 17 ? key * 2 ** 17 + id : `${key},${id}`;
  }
  return key;
}

interface Written {
  readonly code: string;
  readonly places: readonly Place[];
  readonly groups: readonly [number, number, number];
  readonly op: string | null;
  readonly pass: string;
  /** For people. */
  readonly label: string;
}

/** A place that holds parts of sums for a while, the same for all products of a program. */
const scratch: Place = { id: -1, length: 0 };

function write(pass: Pass, compiler: Compiler, maxGroups: number): readonly Written[] {
  const label =
    pass.kind === 'matmul'
      ? `product ${pass.batch} x [${pass.m}, ${pass.k}] x [${pass.k}, ${pass.n}]`
      : `${pass.name}, ${pass.output.length} cells`;
  if (pass.kind === 'matmul' && rowwise(pass)) {
    const { code, groups } = wgslRows(pass);
    const { output, left, right } = pass;
    return [{ code, groups, op: null, pass: 'product', label, places: [left.from, right.from, output] }];
  }
  if (pass.kind === 'matmul' && tiled(pass)) {
    const { code, groups, parts } = wgslProduct(pass);
    const { output, left, right } = pass;
    const product = { code, groups, op: null, pass: 'product', label };
    if (parts === 1) return [{ ...product, places: [left.from, right.from, output] }];
    const place = { ...scratch, length: parts * output.length };
    const sum = sumOfParts(pass, parts);
    return [
      { ...product, places: [left.from, right.from, place] },
      { ...product, ...sum, label: `sum of ${parts} parts, ${output.length} cells`, places: [place, output] },
    ];
  }
  const [text, reads, constants, op, name] =
    pass.kind === 'cells'
      ? ([pass.text, pass.reads, pass.constants, pass.op, pass.name] as const)
      : ([productText(pass), productReads(pass), {}, null, 'product'] as const);
  const source = { op, name, text, constants, reads: reads.map(p => p.length), cells: pass.output.length };
  const { code, groups } = compiler.wgsl(source, maxGroups);
  return [{ code, groups: [...groups, 1], places: [...reads, pass.output], op, pass: name, label }];
}

function layoutOf(device: GPUDevice, layouts: Map<number, GPUBindGroupLayout>, places: number): GPUBindGroupLayout {
  const known = layouts.get(places);
  if (known) return known;
  const made = device.createBindGroupLayout({
    entries: Array.from({ length: places }, (_, i) => ({
      binding: i + 1,
      visibility: 4,
      buffer: { type: i === places - 1 ? ('storage' as const) : ('read-only-storage' as const) },
    })),
  });
  layouts.set(places, made);
  return made;
}

function pipelineOf(
  device: GPUDevice,
  pipelines: Map<string, Promise<GPUComputePipeline>>,
  layout: GPUBindGroupLayout,
  code: string,
  pass: string,
  op: string | null,
): Promise<GPUComputePipeline> {
  const known = pipelines.get(code);
  if (known) return known;
  const make = async (): Promise<GPUComputePipeline> => {
    const module = device.createShaderModule({ code });
    try {
      return await device.createComputePipelineAsync({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      });
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const words = messages.filter(m => m.type === 'error').map(m => `${m.lineNum}:${m.linePos} ${m.message}`);
      pipelines.delete(code);
      return fail(
        'E_KERNEL',
        `${pass}: expected WGSL that the device takes, received its error: ${words[0] ?? (error as Error).message}. Limit: language.`,
        { kernel: pass, limit: 'language', wgsl: code, ...(op === null ? {} : { op }) },
        error,
      );
    }
  };
  const made = make();
  made.catch(() => {});
  pipelines.set(code, made);
  return made;
}
