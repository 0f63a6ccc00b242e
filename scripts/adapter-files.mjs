/** Where a software WebGPU adapter and the Vulkan loader lie: installed by Debian, or fetched into .cache/adapter. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cache as everything } from './workspace.mjs';

export const cache = join(everything, 'adapter');
const icd = 'usr/lib/chromium/vk_swiftshader_icd.json';
const library = 'usr/lib/x86_64-linux-gnu/libvulkan.so.1';
const fetched = join(cache, 'root');

/** @returns {{ icd: string, libraries: string | null } | null} null where neither is; `libraries` is null if installed */
export function adapter() {
  if (existsSync(join('/', icd)) && existsSync(join('/', library))) return { icd: join('/', icd), libraries: null };
  return existsSync(join(fetched, icd)) && existsSync(join(fetched, library))
    ? { icd: join(fetched, icd), libraries: join(fetched, 'usr/lib/x86_64-linux-gnu') }
    : null;
}

/** @returns {string | null} the Vulkan loader of this machine */
export const loader = () => ['/', fetched].map(place => join(place, library)).find(path => existsSync(path)) ?? null;
