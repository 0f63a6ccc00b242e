/** The modes of browsers, held against the kit in a headless Chromium. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled, chromiumPath, openChromium, type Browser } from './support/chromium.js';

const missing = chromiumPath() === null ? 'no Chromium is installed; CHROMIUM=path names one' : null;
if (missing !== null) console.warn(`skipped: gpujs in a browser: ${missing}`);

/** Runs in the page: the laws of engines, and what each found. */
const program = `
  import { backendChecks } from '@heddle/core/testing';
  import { BACKENDS, createHost, f32, trace } from '@heddle/core';
  import gpujs, { openGpujs } from '@heddle/backend-gpujs';
  const offers = createHost({ plugins: [gpujs] }).all(BACKENDS).filter(({ name }) => name.startsWith('gpujs:'));
  globalThis.laws = async mode => {
    const found = [];
    for (const { law, find } of backendChecks(() => openGpujs({ mode }), { graphs: 2 })) found.push([law, await find()]);
    return found;
  };
  globalThis.reasons = async () => Object.fromEntries(await Promise.all(offers.map(async o => [o.name, await o.unavailable()])));
  globalThis.explained = async mode => {
    const backend = await openGpujs({ mode });
    const executable = await backend.compile(trace({ x: f32(2, 3) }, ({ x }) => ({ y: x.tanh().sum(1) })));
    const words = executable.explain();
    await backend.close();
    return words;
  };
`;

describe.skipIf(missing !== null)(`in Chromium${missing === null ? '' : ` (${missing})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    const code = await bundled(program, fileURLToPath(new URL('.', import.meta.url)));
    browser = await openChromium({
      '/': '<!doctype html><script type="module" src="/program.js"></script>',
      '/program.js': code,
    });
    await browser.page.waitForFunction('globalThis.reasons !== undefined');
  }, 60_000);
  afterAll(() => browser?.close());

  it('has every mode', async () => {
    expect(await browser.page.evaluate('reasons()'), browser.said.join('\\n')).toEqual({
      'gpujs:webgpu': null,
      'gpujs:webgl2': null,
      'gpujs:webasm': null,
      'gpujs:cpu': null,
    });
  });

  it.each(['webgl2', 'webgpu', 'webasm'])(
    '%s keeps the laws of engines',
    async mode => {
      const found = (await browser.page.evaluate(`laws('${mode}')`)) as readonly (readonly [
        law: string,
        findings: readonly string[],
      ])[];
      expect(found.length).toBeGreaterThan(10);
      expect(found.filter(([, findings]) => findings.length > 0)).toEqual([]);
    },
    240_000,
  );

  it('says which renderer it runs on', async () => {
    expect(await browser.page.evaluate(`explained('webgl2')`)).toMatch(
      /gpujs:webgl2: .*SwiftShader|gpujs:webgl2: .*renderer|gpujs:webgl2: .*ANGLE/,
    );
  });
});
