/** Parameters as safetensors: what `initialise` makes and checkpoints hold, in a file of f32. */

import { fail } from '../errors.js';
import type { HostTensor, Types } from '../ir/types.js';
import type { ByteSink, ByteSource } from './bytes.js';
import { bytesOf, widen } from './dtype.js';
import { writeSafetensors } from './safetensors-writer.js';
import { openSafetensors } from './safetensors.js';

export const writeParameters = (
  sink: ByteSink,
  parameters: Readonly<Record<string, HostTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> =>
  writeSafetensors(
    sink,
    Object.entries(parameters).map(([name, { shape, data }]) => ({ name, dtype: 'F32' as const, shape, bytes: bytesOf(data) })), // prettier-ignore
    metadata,
  );

/**
 * Reads the parameters of these names and types, and closes the source.
 *
 * @throws E_MODEL naming the first that is missing or of another shape
 */
export async function readParameters(source: ByteSource, types: Types): Promise<Record<string, HostTensor>> {
  const file = await openSafetensors(source);
  try {
    const found: Record<string, HostTensor> = {};
    for (const [path, { shape }] of Object.entries(types)) {
      const entry = file.has(path) ? file.entry(path) : null;
      if (entry?.shape.join() !== shape.join())
        fail('E_MODEL', `${source.name}: expected ${path} of [${shape.join(', ')}], received ${entry ? `[${entry.shape.join(', ')}]` : 'none'}. The weights are of another model.`, { path }); // prettier-ignore
      found[path] = widen(await file.read(path));
    }
    return found;
  } finally {
    await file.close();
  }
}
