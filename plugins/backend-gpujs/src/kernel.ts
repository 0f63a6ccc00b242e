/**
 * The language of gpu.js kernels: what a plugin needs to write one as a typed function. A token, types and one helper;
 * gpu.js is not loaded.
 */

import { fail, type KernelFormat } from '@heddle/core';

/** What `this` is inside a kernel. One thread computes one cell: number `thread.x` of the output. */
export interface Thread<C extends object = object> {
  readonly constants: C;
  readonly thread: { readonly x: number };
}

/** Numbers known when the kernel is compiled: sizes of loops, factors. Finite; whole ones exact in float32. */
export type Constants<C> = { readonly [K in keyof C]: number };

/** Computes one cell of a flat output from flat inputs. Only its text is used: nothing around it can be seen. */
export type CellBody<C extends object = object> = (this: Thread<C>, ...inputs: never[]) => number;

/** One launch: every cell of one flat array. */
export interface Cells {
  readonly name: string;
  /** Source of the body: `function (q, k) { … }`. */
  readonly text: string;
  /** Number of cells. */
  readonly output: number;
  readonly constants: Readonly<Record<string, number>>;
  /** The arguments: inputs of the op by number, or other launches, which run first. null: every input, in order. */
  readonly reads: readonly (number | Cells)[] | null;
}

/**
 * One launch for each output of the op, in order. Those of outputs that nobody reads do not run; a launch may read
 * another one, be it an output or not.
 */
export type GpujsKernel = Cells | readonly Cells[];

export const GPUJS: KernelFormat<GpujsKernel> = { name: 'gpujs', version: 1 };

/** Limits of a kernel, the same in every mode: what runs in one runs in all. */
export const kernelLimits = {
  /** Arrays read: a WebGPU device has at least 8 storage buffers, one of them the output's. */
  reads: 7,
  /** Cells of an array, and whole constants: index arithmetic is exact up to here in every mode. */
  cells: 2 ** 24,
} as const;

export type Launch<C extends object> = (
  at: { readonly output: number; readonly reads?: readonly (number | Cells)[] } & (keyof C extends never
    ? { readonly constants?: undefined }
    : { readonly constants: C }),
) => Cells;

const math = 'abs acos asin atan atan2 ceil cos exp floor log log2 max min pow round sign sin sqrt tan tanh PI E';
const words = 'break const continue else for function if let return this true false var while Math';

/**
 * Takes a kernel's function, checks its text against the limits, and returns what makes launches of it.
 *
 * @throws E_KERNEL naming the limit, at once: the form, more than 7 arguments, a write to an argument (no scatter),
 *   Math.random and what not every mode computes, another axis than `thread.x`, names from outside of the function
 *   (closures, and what coverage tools and bundlers put in). When a launch is made: an output or a constant that is
 *   no lawful number
 *
 * @example
 * const scaled = perCell(function scaled(this: Thread<{ factor: number }>, x: number[]) {
 *   return x[this.thread.x]! * this.constants.factor;
 * });
 * defineKernel(GPUJS, { op: 'my.scaled', build: ([x]) => scaled({ output: sizeOf(x!.shape), constants: { factor: 2 } }) });
 */
export function perCell<C extends Constants<C> = object>(body: CellBody<C>): Launch<C> {
  const kernel = body.name || 'kernel';
  const need = (met: unknown, limit: string, expected: string, received: unknown): void => {
    if (!met)
      fail('E_KERNEL', `${kernel}: expected ${expected}, received ${received}. Limit: ${limit}.`, { kernel, limit });
  };
  const text = String(body).replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
  const [head = '', list = ''] = /^function\s*[\w$]*\s*\(([\w$,\s]*)\)/.exec(text) ?? [];
  need(head && text.includes('return'), 'form', 'function (a, b) { … return … }', text.slice(0, 30));
  const inputs = list.match(/[\w$]+/g) ?? [];
  const code = text.slice(head.length);
  const all = (pattern: RegExp): string[] =>
    [...code.matchAll(pattern)].flatMap(([, found]) => found!.match(/[\w$]+/g) ?? []);
  need(inputs.length <= kernelLimits.reads, 'reads', `at most ${kernelLimits.reads} arguments`, inputs.length);
  for (const name of all(/\bMath\.([\w$]+)/g))
    need(math.split(' ').includes(name), 'math', `${math} (random numbers are inputs)`, `Math.${name}`);
  for (const name of all(/\bthread\.(\w+)/g)) need(name === 'x', 'axis', 'this.thread.x', `this.thread.${name}`);
  const set = all(/([\w$]+)\s*(?:\[[^\]=]*(?:\[[^\]]*\][^\]=]*)*\]\s*)?(?:[-+*/%&|^]|<<|>>>?|\*\*)?=(?![=>])/g);
  const written = [...set, ...all(/(?:\+\+|--)\s*([\w$]+)/g), ...all(/([\w$]+)(?:\s*\[[^\]]*\])?\s*(?:\+\+|--)/g)];
  for (const name of inputs)
    need(!written.includes(name), 'scatter', 'one result, returned: gather, not scatter', `a write to '${name}'`);
  const known = new Set([
    ...words.split(' '),
    ...inputs,
    ...set,
    ...all(/\{([^{}]*)\}\s*=/g),
    ...all(/\b(?:let|var)\s+([\w$,\s]+)/g),
  ]);
  for (const name of all(/(?<![\w$.]|[{,]\s*(?=[\w$]+\s*:))([A-Za-z_$][\w$]*)/g))
    need(known.has(name), 'names', 'arguments, locals and this.constants only', `'${name}'`);
  return ({ output, reads = null, constants = {} }) => {
    const lawful = (n: number): boolean =>
      n % 1 !== 0 ? Math.abs(n) < Infinity : Math.abs(n) > 2 ** 53 || Math.fround(n) === n;
    need(
      output > 0 && output % 1 === 0 && output <= kernelLimits.cells,
      'cells',
      'an output of 1 to 2^24 cells',
      output,
    );
    if (reads) need(reads.length === inputs.length, 'reads', `${inputs.length} reads`, reads.length);
    for (const [name, n] of Object.entries(constants as object))
      need(lawful(n), 'constants', `a finite ${name}, whole ones exact in float32`, n);
    return { name: kernel, text, output, constants: constants as Cells['constants'], reads };
  };
}
