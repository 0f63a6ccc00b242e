/** gpu.js for Heddle. The engine comes with the next commits; kernels can be written against `./kernel` now. */

export {
  GPUJS,
  kernelLimits,
  perCell,
  type CellBody,
  type Cells,
  type GpujsKernel,
  type Launch,
  type Thread,
} from './kernel.js';
export { version } from './version.js';
