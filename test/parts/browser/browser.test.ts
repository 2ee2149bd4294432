import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBrowser, startBrowser } from './browser.ts';

let browser: Browser;
let origin: string;

const page = `<!doctype html><title>Sotto</title><p style="font: 40px sans-serif">In a low voice</p>
<script>window.inline = 'ran'</script>`;
const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/html');
  if (request.url === '/strict') response.setHeader('content-security-policy', "script-src 'self'");
  response.end(page);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  server.close();
});

const readInline = `window.inline ?? 'blocked'`;

describe('startBrowser', () => {
  test('paints text', async () => {
    const tab = await browser.newPage({ viewport: { width: 400, height: 120 } });
    await tab.goto(origin);
    const withText = await tab.screenshot();
    await tab.locator('p').evaluate((element) => element.remove());
    const without = await tab.screenshot();
    expect(withText.length).toBeGreaterThan(without.length + 1000);
    await tab.close();
  });

  test('runs an inline script without a policy, and not with one', async () => {
    const tab = await browser.newPage();
    await tab.goto(origin);
    expect(await tab.evaluate(readInline)).toBe('ran');
    await tab.goto(`${origin}/strict`);
    expect(await tab.evaluate(readInline)).toBe('blocked');
    await tab.close();
  });

  test('holds pages to the same-origin policy', async () => {
    const tab = await browser.newPage();
    await tab.goto(origin);
    const read = (url: string) => `fetch('${url}').then(() => 'read', () => 'refused')`;
    expect(await tab.evaluate(read(origin))).toBe('read');
    expect(await tab.evaluate(read(origin.replace('127.0.0.1', 'localhost')))).toBe('refused');
    await tab.close();
  });

  test('has what the client needs: Web Locks, BroadcastChannel, WebAssembly, X25519', async () => {
    const tab = await browser.newPage();
    await tab.goto(origin.replace('127.0.0.1', 'localhost'));
    const names = `[typeof navigator.locks, typeof BroadcastChannel, typeof WebAssembly, typeof crypto.subtle].join()`;
    expect(await tab.evaluate(names)).toBe('object,function,object,object');
    await tab.close();
  });
});

describe('findBrowser', () => {
  const mac = { platform: 'darwin', arch: 'arm64', chosen: '', places: ['/no/such/browser'] };
  const here = { executablePath: process.execPath, environment: {} };

  test('takes the chosen one, else an installed one', async () => {
    expect(await findBrowser({ ...mac, chosen: process.execPath })).toEqual(here);
    expect(await findBrowser({ ...mac, places: ['/no/such/browser', process.execPath] })).toEqual(here);
  });

  test('says in one sentence what to do on a machine without any', async () => {
    await expect(findBrowser(mac)).rejects.toThrow(
      /^The tests need Chrome or Chromium, which npm brings for Linux x64 alone \(this is darwin arm64\): install one, or name it in CHROMIUM_PATH\.$/,
    );
  });

  test('says that the chosen one is not there, whatever else is', async () => {
    const choice = { ...mac, chosen: '/no/such/browser', places: [process.execPath] };
    await expect(findBrowser(choice)).rejects.toThrow(/^CHROMIUM_PATH names no file: \/no\/such\/browser$/);
  });
});
