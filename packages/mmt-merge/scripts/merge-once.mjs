/** One merge in a process of its own, which says how much memory it took: for bench.mjs and kill.mjs. */

import { mergeModels } from '@heddle/mmt-merge/node';

const [recipe, out, threads = '2', shardBytes] = process.argv.slice(2);
await mergeModels(recipe, { out, threads: Number(threads), ...(shardBytes ? { shardBytes: Number(shardBytes) } : {}) });
console.log(JSON.stringify({ rss: process.resourceUsage().maxRSS / 1024 })); // MiB
