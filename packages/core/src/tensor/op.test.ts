import { expect, it } from 'vitest';
import { createHost, contribute, definePlugin, OPS } from '../plugin/index.js';
import { evaluate, host } from './evaluate.js';
import { defineOp } from './op.js';

const scaled = defineOp<{ readonly by: number }>({
  name: 'scaled',
  version: 1,
  infer: ([x]) => [x!],
  decompose: ([x], { by }) => [x!.mul(by)],
});

it('an op with attributes of its own is contributed as it is, and called with them', async () => {
  const plugin = definePlugin({
    name: 'scaling',
    version: '1.0.0',
    register: container => contribute(container, OPS, scaled),
  });
  const one = createHost({ plugins: [plugin] });
  expect(one.find(OPS, 'scaled')).toBe(scaled);
  expect([...evaluate(x => scaled([x], { by: 3 })[0]!, host([2], [1, -2])).data]).toEqual([3, -6]);
  await one.close();
});

it('refuses a name that is no word', () => {
  expect(() => defineOp({ name: 'two words', version: 1, infer: ([x]) => [x!], decompose: ([x]) => [x!] })).toThrow(
    expect.objectContaining({ code: 'E_NAME' }),
  );
});
