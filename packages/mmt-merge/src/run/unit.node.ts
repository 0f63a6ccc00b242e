/** One unit of work: some rows of a tensor, or all of it, from the inputs to its place in a file. */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { closeSync, openSync, writeSync } from 'node:fs';
import {
  fail,
  type MergeArray,
  type MergeMethod,
  type MergePasses,
  type MergePiece,
  type MergeTask,
} from '@heddle/core';
import { byteSize, type StorageDtype } from '@heddle/core/files';
import { mergeByGraph, type TensorMerge } from '../apply/tensors.js';
import { isFloat } from '../checkpoint/view.js';
import { rowsOf, type TensorPlan } from '../plan/plan.js';
import { bytesOfSource, dtypeOfSource, type Source } from '../plan/source.js';
import { converter, overflowAt } from './convert.js';
import { openFiles, readInto, readerOf, roundTo, type Read } from './reader.node.js';
import { loopsFor, simd } from '../simd/simd.js';
import { drawUniforms } from './uniforms.js';

export interface Unit {
  readonly id: number;
  readonly tensor: TensorPlan;
  /** Elements of the tensor; whole rows. */
  readonly from: number;
  readonly to: number;
  /** Where the first of them goes. */
  readonly file: string;
  readonly at: number;
}

export interface UnitResult {
  readonly id: number;
  readonly sha256: string;
  /** CRC-32: cheap enough to read everything back at the end. */
  readonly crc32: number;
  readonly read: number;
  readonly written: number;
  /** Elements that are no finite numbers, or too large for the file. */
  readonly notFinite: number;
}

export interface UnitSettings {
  readonly accumulate: 'float32' | 'float64';
  readonly read: StorageDtype | null;
  readonly seed: number;
  /** Titles of the inputs, for messages. */
  readonly sources: readonly string[];
  /** Bytes of input that one unit may keep in memory. */
  readonly memory: number;
  readonly allowNotFinite: boolean;
}

export interface Worker {
  /** @param merged the unit's elements, where an engine made them; otherwise they are made here */
  run(unit: Unit, merged?: MergeArray): UnitResult;
  /** What goes into a unit, in memory: for an engine. */
  inputs(unit: Unit): TensorMerge;
  /** A whole merged tensor, in memory. */
  values(tensor: TensorPlan): MergeArray;
  close(): void;
}

/** Elements of a piece: what fits the second cache with its inputs. */
export const pieceElements = 8192;

/** Bytes read at once of each input. */
const readAhead = 8 << 20;

/** Whether a unit must be a whole tensor: there is something to know of all of it before the first number. */
export const needsWhole = (method: MergeMethod, tensor: TensorPlan): boolean =>
  !tensor.copy && passesOf(method, tensor, () => new Float32Array(0)).looks.length > 0;

function passesOf(method: MergeMethod, tensor: TensorPlan, scratch: MergeTask['scratch']): MergePasses {
  const { elements, columns } = rowsOf(tensor.shape);
  return method.stream!({
    shape: tensor.shape,
    elements,
    columns,
    models: tensor.models.length,
    hasBase: tensor.base !== null,
    coarse: tensor.models.map(({ source }) => source.kind === 'stored' && source.dtype === 'BF16'),
    options: tensor.options,
    each: tensor.each,
    scratch,
  });
}

/** A thread's tools: open files, memory used again. Reads and writes wait; a worker thread has nothing else to do. */
export function openWorker(methods: readonly MergeMethod[], settings: UnitSettings): Worker {
  const files = openFiles();
  const vectors = simd();
  const convert = converter();
  const outputs = new Map<string, number>();
  const Kind = settings.accumulate === 'float64' ? Float64Array : Float32Array;
  const arrays = new Map<string, MergeArray>();
  const memory = (name: string, length: number): MergeArray => {
    const known = arrays.get(name);
    if (known !== undefined && known.length >= length) return known;
    // Multiples of four: vectors are. Where there is no room in the memory of the vector loops, the plain ones run.
    const made = (Kind === Float32Array ? vectors?.allocate(Math.ceil(length / 4) * 4) : null) ?? new Kind(length);
    arrays.set(name, made);
    return made;
  };

  function write(path: string, bytes: Uint8Array, at: number): void {
    try {
      let handle = outputs.get(path);
      if (handle === undefined) outputs.set(path, (handle = openSync(path, 'r+')));
      for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done, bytes.length - done, at + done);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      const full = code === 'ENOSPC' || code === 'EDQUOT';
      fail(full ? 'E_DISK_FULL' : 'E_IO', `${path}: expected room to be written, received ${code}. ${full ? 'Free some space and run the same command again: it goes on where it stopped.' : 'Check the path and your rights to it.'}`, { path, code, reason: 'system' }, error); // prettier-ignore
    }
  }

  function run(unit: Unit, merged?: MergeArray): UnitResult {
    const { tensor } = unit;
    vectors?.reset();
    const before = files.bytes;
    const hash = createHash('sha256');
    let at = unit.at;
    let crc = 0;
    const put = (bytes: Uint8Array): void => {
      hash.update(bytes);
      crc = crc32(bytes, crc);
      write(unit.file, bytes, at);
      at += bytes.length;
    };
    const notFinite = tensor.copy ? copy(unit, put) : merge(unit, put, merged);
    return {
      id: unit.id,
      sha256: hash.digest('hex'),
      crc32: crc,
      read: files.bytes - before,
      written: at - unit.at,
      notFinite,
    };
  }

  /** Bytes as they are where nothing is to be changed; otherwise only the dtype. */
  function copy({ tensor, from, to }: Unit, put: (bytes: Uint8Array) => void): number {
    const { source } = tensor.models[0]!;
    if (source.kind === 'stored' && source.dtype === tensor.dtype && settings.read === null) {
      const size = byteSize[source.dtype];
      const chunk = new Uint8Array(Math.min((to - from) * size, 1 << 20));
      let bad = 0;
      for (let done = from * size; done < to * size;) {
        const part = chunk.subarray(0, Math.min(chunk.length, to * size - done));
        files.read(source.file, part, source.start + done);
        if (isFloat(source.dtype)) bad += notFiniteIn(part, source.dtype);
        put(part);
        done += part.length;
      }
      return settled(bad, tensor, [tensor.models[0]!.model]);
    }
    const read = readerOf(source, { files, converter: convert, hold: false, ahead: readAhead, to });
    return pieces(
      { from, to },
      rowsOf(tensor.shape).columns,
      tensor,
      [tensor.models[0]!.model],
      put,
      ({ start, length, out }) => {
        readInto(read, start, length, out);
        if (settings.read !== null) roundTo(settings.read, convert, out, length);
      },
    );
  }

  const methodOf = (tensor: TensorPlan): MergeMethod => methods.find(({ name }) => name === tensor.method)!;
  const inputsOf = ({ models, base }: TensorPlan) => [...models, ...(base === null ? [] : [base])];

  /** Reads pieces of at most `size` elements; `hold` keeps what was read for the next pass. */
  function opened(
    tensor: TensorPlan,
    to: number,
    size: number,
    hold: boolean,
  ): (start: number, length: number) => MergePiece {
    const options = { files, converter: convert, hold, ahead: readAhead, to };
    const open = (source: Source): Read => {
      const read = readerOf(source, options);
      // Rounding to what it is stored in anyway changes nothing.
      if (settings.read === null || (source.kind === 'stored' && dtypeOfSource(source) === settings.read)) return read;
      return (start, length, out) => {
        readInto(read, start, length, out);
        roundTo(settings.read!, convert, out, length);
        return out;
      };
    };
    const reads = tensor.models.map(({ source }) => open(source));
    const base = tensor.base === null ? null : open(tensor.base.source);
    return (start, length) => ({
      start,
      length,
      models: reads.map((read, i) => read(start, length, memory(`model ${i}`, size))),
      base: base && base(start, length, memory('base', size)),
      uniforms(model) {
        const array = memory(`uniforms ${model}`, size);
        drawUniforms(array, start, length, settings.seed, model, tensor.stream);
        return array;
      },
    });
  }

  function inputs({ tensor, from, to }: Unit): TensorMerge {
    const { columns, elements } = rowsOf(tensor.shape);
    const length = to - from;
    const piece = opened(tensor, to, length, false)(from, length);
    const own = (array: MergeArray): MergeArray => array.subarray(0, length);
    return {
      shape: length === elements ? tensor.shape : tensor.shape.length < 2 ? [length] : [length / columns, columns],
      models: piece.models.map(own),
      base: piece.base && own(piece.base),
      options: tensor.options,
      each: tensor.each,
      ...(methodOf(tensor).random === true ? { uniforms: piece.models.map((_, i) => own(piece.uniforms(i))) } : {}),
    };
  }

  function merge(unit: Unit, put: (bytes: Uint8Array) => void, given?: MergeArray): number {
    const { tensor, from, to } = unit;
    const method = methodOf(tensor);
    const { columns, elements } = rowsOf(tensor.shape);
    const all = inputsOf(tensor);
    const models = all.map(({ model }) => model);
    // A method that says only what it means: all of the tensor at once, through its graph.
    const merged = given ?? (method.stream === undefined ? mergeByGraph(method, inputs(unit)) : null);
    if (merged !== null)
      return pieces({ from, to }, columns, tensor, models, put, ({ start, length, out }) =>
        out.set(merged.subarray(start - from, start - from + length)),
      );
    const size = pieceSize(columns);
    const passes = passesOf(method, tensor, name => memory(`scratch ${name}`, size));
    const held = all.reduce((n, { source }) => n + bytesOfSource(source), 0);
    const pieceAt = opened(tensor, to, size, passes.looks.length > 0 && held <= settings.memory);
    for (const look of passes.looks)
      for (let start = 0; start < elements; start += size) look(pieceAt(start, Math.min(size, elements - start)));
    return pieces({ from, to }, columns, tensor, models, put, ({ start, length, out }) =>
      passes.write(pieceAt(start, length), out),
    );
  }

  /** Makes pieces one after the other and puts them into the file. */
  function pieces(
    { from, to }: { readonly from: number; readonly to: number },
    columns: number,
    tensor: TensorPlan,
    models: readonly number[],
    put: (bytes: Uint8Array) => void,
    fill: (piece: { readonly start: number; readonly length: number; readonly out: MergeArray }) => void,
  ): number {
    const size = pieceSize(columns);
    const limit = overflowAt[tensor.dtype] ?? Infinity;
    const out = memory('out', size);
    let bad = 0;
    for (let start = from; start < to; start += size) {
      const length = Math.min(size, to - start);
      fill({ start, length, out });
      bad += tooLarge(out, length, limit);
      if (bad > 0) settled(bad, tensor, models);
      put(convert.narrow(out, length, tensor.dtype));
    }
    return bad;
  }

  function settled(bad: number, tensor: TensorPlan, models: readonly number[]): number {
    if (bad > 0 && !settings.allowNotFinite) {
      const titles = [...new Set(models)].map(model => settings.sources[model]!).join(', ');
      fail('E_NOT_FINITE', `tensor '${tensor.name}': expected finite numbers that ${tensor.dtype} can hold, received ${bad} others, made from ${titles}. Find the model with 'heddle merge explain', leave it out, or write them all the same with --allow-nan.`, { tensor: tensor.name, count: bad }); // prettier-ignore
    }
    return bad;
  }

  return {
    run,
    inputs,
    values(tensor) {
      vectors?.reset();
      const { elements } = rowsOf(tensor.shape);
      const out = new Float32Array(elements);
      const bytes = new Uint8Array(out.buffer);
      let at = 0;
      const whole = { id: 0, tensor: { ...tensor, dtype: 'F32' as const }, from: 0, to: elements, file: '', at: 0 };
      const put = (part: Uint8Array): void => {
        bytes.set(part, at);
        at += part.length;
      };
      if (tensor.copy) copy(whole, put);
      else merge(whole, put);
      return out;
    },
    close() {
      files.close();
      for (const handle of outputs.values()) closeSync(handle);
      outputs.clear();
      arrays.clear();
    },
  };
}

/** Whole rows, about as many as are good for the caches; one, where a row is longer. */
const pieceSize = (columns: number): number => Math.max(1, Math.floor(pieceElements / Math.max(1, columns))) * columns;

/** Below 2^128 as a float32; the few numbers between it and infinity are looked at one by one. */
const largestFloat = 3.4028234663852886e38;

function tooLarge(numbers: MergeArray, length: number, limit: number): number {
  const loops = length % 4 === 0 && limit !== Infinity ? loopsFor(numbers) : null;
  if (loops?.below(numbers.byteOffset, Math.min(limit, largestFloat), length) === 1) return 0;
  let bad = 0;
  for (let i = 0; i < length; i++) if (!(Math.abs(numbers[i]!) < limit)) bad++;
  return bad;
}

/** All bits of the exponent are set in what is not finite. */
function notFiniteIn(bytes: Uint8Array, dtype: StorageDtype): number {
  let bad = 0;
  if (dtype === 'F32')
    for (const word of new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)) bad += (word & 0x7f80_0000) === 0x7f80_0000 ? 1 : 0; // prettier-ignore
  else if (dtype === 'F64')
    for (const x of new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8))
      bad += Number.isFinite(x) ? 0 : 1;
  else {
    const mask = dtype === 'BF16' ? 0x7f80 : 0x7c00;
    for (const half of new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2))
      bad += (half & mask) === mask ? 1 : 0;
  }
  return bad;
}
