/** The page of examples/browser, used as a person would: it trains, draws, writes, and stops when told. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, openChromium, type Browser } from './support/chromium.js';

const missing = chromiumPath() === null ? 'no Chromium is installed; CHROMIUM=path names one' : null;
if (missing !== null) console.warn(`skipped: the page of examples/browser: ${missing}`);

describe.skipIf(missing !== null)(`the page of examples/browser${missing === null ? '' : ` (${missing})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    const { pageFiles } = (await import('../../examples/browser/bundle.mjs' as string)) as {
      pageFiles(): Promise<Record<string, string>>;
    };
    browser = await openChromium(await pageFiles());
  }, 60_000);
  afterAll(() => browser?.close());

  const words = (id: string): Promise<string> => browser.page.locator(`#${id}`).innerText();
  const enabled = (id: string) => browser.page.waitForSelector(`#${id}:enabled`, { timeout: 90_000 });

  it('tries the engines and takes the fastest, saying so', async () => {
    await enabled('train');
    const engines = await browser.page.locator('#engines li').allInnerTexts();
    expect(engines.map(line => /gpujs:\w+/.exec(line)?.[0])).toEqual([
      'gpujs:webgpu',
      'gpujs:webgl2',
      'gpujs:webasm',
      'gpujs:cpu',
    ]);
    const times = engines.map(line => Number(/: ([\d.]+) ms/.exec(line)?.[1] ?? Infinity));
    const taken = await browser.page.locator('#engines li.taken').innerText();
    expect(taken).toContain(`${Math.min(...times).toFixed(1)} ms`);
    expect(await words('status')).toMatch(/ran the trial fastest, so it trains/);
  }, 120_000);

  it('trains until Stop, draws the curve, and writes until Stop', async () => {
    await browser.page.goto(`${browser.address}?engine=gpujs:webasm`);
    await enabled('train');
    await browser.page.fill('#steps', '4000');
    const blank = await browser.page.locator('#curve').screenshot();
    await browser.page.click('#train');
    await browser.page.waitForFunction(
      "/Step [3-9]\\d of/.test(document.getElementById('status').textContent)",
      undefined,
      { timeout: 90_000 },
    );
    await browser.page.click('#stop');
    await enabled('write');
    const said = await words('status');
    expect(said).toMatch(/^Step \d+ of 4000: loss [\d.]+, \d+ tokens a second. Stopped.$/);
    expect(Number(/loss ([\d.]+)/.exec(said)![1])).toBeLessThan(4.5); // from ln 259 = 5.6
    expect((await browser.page.locator('#curve').screenshot()).equals(blank)).toBe(false);
    // A token takes milliseconds: the page itself presses Stop, as soon as something is written.
    await browser.page.evaluate(`new MutationObserver(() => {
      if (document.getElementById('written').textContent.length > 8) document.getElementById('quiet').click();
    }).observe(document.getElementById('written'), { childList: true, characterData: true, subtree: true })`);
    await browser.page.click('#write');
    await browser.page.waitForFunction(
      "document.getElementById('status').textContent === 'Stopped writing.'",
      undefined,
      {
        timeout: 60_000,
      },
    );
    await enabled('train');
    const text = (await words('written')).length;
    expect(text).toBeGreaterThan(8);
    expect(text).toBeLessThan(60);
    expect(await browser.page.locator('#explain').textContent()).toMatch(
      /train: \d+ kernels and \d+ products on gpujs:webasm/,
    );
    await new Promise(resolve => setTimeout(resolve, 300));
    expect((await words('written')).length).toBe(text);
    expect(browser.said).toEqual([]);
    const screenshot = process.env['HEDDLE_SCREENSHOT'];
    if (screenshot) await browser.page.screenshot({ path: screenshot, fullPage: true });
  }, 240_000);
});
