/** Any graph as an ONNX file that other tools open. */

import type { Graph, HoistedRandom, HostTensor, KernelSource, Types } from '@heddle/core';
import { lower } from './lower/lower.js';

export interface ExportOptions {
  readonly name: string;
  readonly kernels?: KernelSource;
  /** Inputs that become constants of the file: the weights of a trained model. */
  readonly constants?: Readonly<Record<string, HostTensor>>;
}

export interface OnnxFile {
  readonly model: Uint8Array;
  readonly inputs: Types;
  readonly outputs: Types;
  /** Our name -> the name in the file. Hidden inputs (random numbers) are listed under `$random.N`. */
  readonly inputNames: Readonly<Record<string, string>>;
  readonly outputNames: Readonly<Record<string, string>>;
  /** Which random numbers each hidden input wants: `drawHoisted(hidden, key)` makes them. */
  readonly hidden: readonly HoistedRandom[];
}

const anyEngine = {
  maxRank: 6,
  maxElements: 2 ** 31 - 1,
  exactIntegers: 2 ** 31,
  dtypes: ['f32', 'i32', 'bool'] as const,
  deterministic: true,
  resident: false,
  tolerance: 1e-5,
};

/**
 * Ops whose kernel no other tool would know: ONNX Runtime keeps SimplifiedLayerNormalization in the standard domain, where
 * the standard has none, and the ONNX checker refuses the file.
 */
const notStandard = ['rmsNorm'];

/**
 * Writes a graph as an ONNX model (opset 18; a few operators of ONNX Runtime's own domain).
 *
 * @throws E_EXPORT above 2 GB
 */
export function exportOnnx(graph: Graph, { name, kernels, constants }: ExportOptions): OnnxFile {
  return lower(graph, {
    name,
    limits: anyEngine,
    engine: 'ONNX',
    without: notStandard,
    ...(kernels ? { kernels } : {}),
    ...(constants ? { constants } : {}),
  });
}
