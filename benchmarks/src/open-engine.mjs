/** Our engines by name, as contestants open them. */

/** @param {{ engine?: string, threads?: number, binding?: string }} options */
export async function openEngine({ engine = 'onnx:cpu', threads, binding }) {
  const [library, kind] = engine.split(':');
  if (library === 'onnx') {
    const { openOnnx } = await import('@heddle/backend-onnx');
    return openOnnx({ provider: kind, ...(threads ? { threads } : {}), ...(binding ? { binding } : {}) });
  }
  const { openGpujs } = await import('@heddle/backend-gpujs');
  return openGpujs({ mode: kind });
}
