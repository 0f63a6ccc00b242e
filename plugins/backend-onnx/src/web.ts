/** ONNX Runtime in browsers: WebGPU where there is an adapter, wasm elsewhere. */

import { BACKENDS, contribute, definePlugin, type Backend, type BackendOffer } from '@heddle/core';
import { OnnxBackend } from './backend.js';
import { openScript, type OrtModule } from './engines/script.js';
import { version } from './version.js';

export {
  ONNX,
  type OnnxAttribute,
  type OnnxKernel,
  type OnnxNodeOptions,
  type OnnxValue,
  type OnnxWriter,
} from './kernel.js';
export { exportOnnx, type ExportOptions } from './export.js';

export interface OnnxWebOptions {
  /** Default `wasm`. */
  readonly provider?: 'wasm' | 'webgpu';
  /** Threads of the wasm provider; more than one needs cross-origin isolation. Default 1. */
  readonly threads?: number;
  /** onnxruntime-web, if the page has loaded it already. */
  readonly ort?: unknown;
}

/** Opens onnxruntime-web, which must be installed beside this package. */
export async function openOnnxWeb({ provider = 'wasm', threads = 1, ort }: OnnxWebOptions = {}): Promise<Backend> {
  const module = (ort ?? (await import('onnxruntime-web'))) as OrtModule & {
    readonly env: { readonly wasm: { numThreads: number } };
  };
  module.env.wasm.numThreads = threads;
  const engine = openScript(module, {
    name: `onnx:${provider}`,
    binding: 'onnxruntime-web',
    threads,
    provider,
    resident: provider === 'webgpu',
  });
  return new OnnxBackend(engine, provider === 'wasm');
}

const offer = (provider: 'wasm' | 'webgpu', why: () => Promise<string | null>): BackendOffer => ({
  name: `onnx:${provider}`,
  unavailable: why,
  open: options => openOnnxWeb({ ...(options as OnnxWebOptions | undefined), provider }),
});

interface Gpu {
  requestAdapter(): Promise<unknown>;
}

async function adapter(): Promise<string | null> {
  const gpu = (globalThis as { readonly navigator?: { readonly gpu?: Gpu } }).navigator?.gpu;
  if (!gpu) return 'this browser has no WebGPU';
  return (await gpu.requestAdapter()) ? null : 'no WebGPU adapter answers';
}

/** Contributes the backends `onnx:webgpu` and `onnx:wasm`. */
export default definePlugin({
  name: '@heddle/backend-onnx',
  version,
  register(container) {
    contribute(
      container,
      BACKENDS,
      offer('webgpu', adapter),
      offer('wasm', async () => (typeof WebAssembly === 'object' ? null : 'this browser has no WebAssembly')),
    );
  },
});
