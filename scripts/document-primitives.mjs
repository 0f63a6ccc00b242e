/**
 * Prints docs/primitives.md from the table in the kernel.
 *
 *   node scripts/document-primitives.mjs [--check]
 *
 * `--check` writes nothing and exits with 1 when the page is not current. Needs a built core.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'docs', 'primitives.md');

/** Families by their first member, and what attributes mean; both stand nowhere in the table itself. */
const families = {
  input: 'Sources',
  exp: 'Elementwise, one input',
  add: 'Elementwise, two or three inputs of one shape',
  reduceSum: 'Reductions',
  matmul: 'Contraction',
  reshape: 'Movement',
  gather: 'Indexed',
};
const attributes = {
  input: 'name, type',
  constant: 'type, data',
  iota: 'shape, axis, dtype',
  random: 'shape, stream',
  cast: 'dtype',
  reduceSum: 'axes',
  reduceMax: 'axes',
  matmul: 'transposeLeft, transposeRight',
  reshape: 'shape',
  transpose: 'permutation',
  broadcast: 'shape',
  slice: 'starts, ends',
  pad: 'low, high',
  concat: 'axis',
  gather: 'axis',
  scatterAdd: 'axis, size',
};

const cell = text => text.replaceAll('|', '\\|');

async function print() {
  const core = await import(pathToFileURL(join(root, 'packages', 'core', 'dist', 'index.js')).href);
  const table = core.primitives();
  const rows = table.flatMap(({ name, arity, shape, gradient }, i) => [
    ...(name in families ? [`| | **${families[name]}** | | | | |`] : []),
    `| ${i + 1} | \`${name}\` | ${arity ?? 'any'} | ${attributes[name] ?? ''} | ${cell(shape)} | ${gradient === '-' ? '-' : `\`${cell(gradient)}\``} |`,
  ]);
  return `# Primitives

The closed set of ${table.length} kinds of node that every graph is made of, beside \`call\`, which stands for a custom op with a meaning
made of these. Printed from the table in \`packages/core/src/ir\` by \`node scripts/document-primitives.mjs\`; a test fails when
it is not current.

In the gradients \`ct\` is the cotangent of the output, \`y\` the output, \`x\` and \`z\` the inputs; \`-\` means that none flows.
\`spread(v, axes)\` puts removed axes back. Gradients are made of primitives themselves, so they can be differentiated again.
Shapes are static, without axes of size 0 and of at most ${core.maxRank} axes. Nothing broadcasts but \`broadcast\`; the methods of \`Tensor\`
insert it.

| # | Primitive | Inputs | Attributes | Shape | Gradient |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

const text = await print();
if (process.argv.includes('--check')) {
  const found = await readFile(page, 'utf8').catch(() => '');
  if (found !== text) {
    console.error('docs/primitives.md is not current. Run: node scripts/document-primitives.mjs');
    process.exitCode = 1;
  }
} else {
  await writeFile(page, text);
}
