/** Contestants as child processes. */

import { existsSync } from 'node:fs';
import { folder } from './paths.mjs';
import { torchEnvironment } from './pythons.mjs';

const args = (path, options) => [path, JSON.stringify(options)];

/** One of `src/contestants`. */
export const ours = (key, name, file, options) => ({
  key,
  name,
  program: process.execPath,
  args: args(folder('src', 'contestants', file), options),
});

/** One of `peers`, on JavaScript libraries that are installed on demand. */
export function peer(key, name, file, library, options, extra = {}) {
  const installed = existsSync(folder('peers', 'node_modules', library));
  return {
    key,
    name,
    program: process.execPath,
    args: args(folder('peers', file), options),
    ...(installed ? {} : { skip: `${library} is not installed: npm run bench -- --install-peers` }),
    ...extra,
  };
}

/** PyTorch, each version found; as one that is left out where there is none. */
export function torches(
  { torches: found, why },
  file,
  options,
  variants = [''],
  titles = { fused: 'fused attention and Adam' },
) {
  if (found.length === 0) return [{ key: 'torch', name: 'PyTorch', program: '', args: [], skip: why }];
  return found.flatMap(({ program, version, blas, cuda, fused }) =>
    variants
      .filter(variant => variant !== 'fused' || fused)
      .map(variant => ({
        key: 'torch',
        name: `PyTorch ${version} (${options.device === 'cuda' ? (cuda ?? 'no CUDA') : blas}${titles[variant] ? `, ${titles[variant]}` : ''})`,
        program,
        args: args(folder('peers', file), { ...options, variant }),
        env: torchEnvironment(options.threads),
      })),
  );
}
