/** Checks of what is fed to a run: the same for every backend. */

import { fail } from '../errors.js';
import { sameShape, sameType, showType, sizeOf } from '../ir/shape.js';
import type { DeviceTensor, Feeds, RunOptions, Signature } from './contract.js';
import type { HostTensor } from '../ir/types.js';

export const isHost = (t: HostTensor | DeviceTensor): t is HostTensor => 'data' in t;

/**
 * @throws E_FEED naming a missing, unknown or ill-typed input, or a device tensor of another backend
 */
export function checkFeeds(signature: Signature, feeds: Feeds, backend: string): void {
  for (const [name, type] of Object.entries(signature.inputs)) {
    const fed = feeds[name];
    if (fed === undefined)
      fail('E_FEED', `input '${name}': expected ${showType(type)}, received nothing. Feed it by name.`, { name, type });
    const got = isHost(fed) ? fed : fed.type;
    if (got.dtype !== type.dtype || !sameShape(got.shape, type.shape)) {
      fail(
        'E_FEED',
        `input '${name}': expected ${showType(type)}, received ${showType(got)}. Executables have static shapes; compile another for this one.`,
        { name, expected: type, received: { dtype: got.dtype, shape: got.shape } },
      );
    }
    if (isHost(fed) && fed.data.length !== sizeOf(type.shape)) {
      fail(
        'E_FEED',
        `input '${name}': expected ${sizeOf(type.shape)} cells for ${showType(type)}, received ${fed.data.length}.`,
        { name },
      );
    }
    if (!isHost(fed) && fed.backend !== backend) {
      fail(
        'E_FEED',
        `input '${name}': expected a tensor of backend ${backend}, received one of ${fed.backend}. Download it first.`,
        { name },
      );
    }
  }
  for (const name of Object.keys(feeds)) {
    if (!(name in signature.inputs)) {
      fail(
        'E_FEED',
        `input '${name}': expected one of ${Object.keys(signature.inputs).slice(0, 8).join(', ')}${Object.keys(signature.inputs).length > 8 ? '…' : ''}, received an unknown name. Leave it out.`,
        { name },
      );
    }
  }
}

/** @throws E_FEED naming an output that is not there, or an array that is not of its type and size */
export function checkInto({ outputs }: Signature, into: NonNullable<RunOptions['into']>): void {
  for (const [name, array] of Object.entries(into)) {
    const type = outputs[name];
    const Wanted = type && { f32: Float32Array, i32: Int32Array, bool: Uint8Array }[type.dtype];
    if (!type || !(array instanceof Wanted!) || array.length !== sizeOf(type.shape)) {
      fail(
        'E_FEED',
        `into '${name}': expected an array for ${type ? showType(type) : `one of ${Object.keys(outputs).slice(0, 8).join(', ')}`}, received ${array.constructor.name} of ${array.length}. Make it of the output's type and size, or leave it out.`,
        { name },
      );
    }
  }
}

/**
 * @throws E_FEED naming an output to keep that does not exist, or a donation that is none: of a host tensor, of
 *   another type, or for an output that is not kept
 */
export function checkKept(
  { inputs, outputs }: Signature,
  feeds: Feeds,
  keep: readonly string[] = [],
  donate: Readonly<Record<string, string>> = {},
): void {
  for (const name of keep) {
    if (!(name in outputs))
      fail(
        'E_FEED',
        `keep '${name}': expected one of ${Object.keys(outputs).slice(0, 8).join(', ')}${Object.keys(outputs).length > 8 ? '…' : ''}, received an unknown output. Leave it out.`,
        { name },
      );
  }
  for (const [output, input] of Object.entries(donate)) {
    const [to, from, fed] = [outputs[output], inputs[input], feeds[input]];
    const lawful = to && from && fed && !isHost(fed) && keep.includes(output) && sameType(to, from);
    if (!lawful) {
      fail(
        'E_FEED',
        `donate '${input}' to '${output}': expected a fed device tensor and a kept output of one type, received ${from ? showType(from) : 'no such input'} and ${to ? showType(to) : 'no such output'}${fed && isHost(fed) ? ', fed from host memory' : ''}${keep.includes(output) ? '' : ', not kept'}. Leave the donation out.`,
        { input, output },
      );
    }
  }
}
