/** Parameters out of what a run saves. */

import type { HostTensor } from '../ir/types.js';

const prefix = 'params.';

/** The parameters among a checkpoint's tensors, by path; the optimizer's state is left out. */
export const parametersIn = (tensors: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );
