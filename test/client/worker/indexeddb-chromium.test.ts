import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../layers/source-files.ts';
import { startBrowser } from '../../parts/browser/browser.ts';
import { cacheCases } from '../../parts/vault/cache-cases.ts';
import { ciphertextCases } from '../../parts/vault/ciphertext-cases.ts';
import { rowCases } from '../../parts/vault/row-cases.ts';

/** The cases, and the cache itself, for a page to run. */
const pageSource = `
import { openIndexedDbCache } from '${join(projectRoot, 'client/worker/indexeddb-cache.ts')}';
import { cacheCases } from '${join(projectRoot, 'test/parts/vault/cache-cases.ts')}';
import { ciphertextCases } from '${join(projectRoot, 'test/parts/vault/ciphertext-cases.ts')}';
import { rowCases } from '${join(projectRoot, 'test/parts/vault/row-cases.ts')}';
const openTab = () => openIndexedDbCache({ indexedDB, IDBKeyRange });
window.openTab = openTab;
window.runCase = (title) => {
  const found = [...cacheCases, ...rowCases, ...ciphertextCases].find((each) => each.title === title);
  return found.run({ openTab, fill: async () => undefined, keepsKeys: true });
};`;

let browser: Browser;
let server: Server;
let origin: string;
let context: BrowserContext;
beforeAll(async () => {
  const build = await rolldown({
    input: 'page',
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === 'page' ? id : null),
        load: (id) => (id === 'page' ? pageSource : null),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? output[0].code : '<!doctype html><title>Sotto</title><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(() => context.close());

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  // Before the first row: Chromium asks for the space that is left now and then only.
  const session = await context.newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 7 << 20 });
  await page.goto(origin);
  await page.waitForFunction('window.runCase !== undefined');
  return page;
}

describe('openIndexedDbCache in Chromium', () => {
  it.each([...cacheCases, ...rowCases, ...ciphertextCases])('$title', async ({ title }) => {
    const page = await openPage();
    await expect(page.evaluate(`window.runCase(${JSON.stringify(title)})`)).resolves.toBeUndefined();
  });

  it('write: keeps nothing of a change whose page was closed in the middle', async () => {
    const page = await openPage();
    const inPage = (where: Page, script: string) => where.evaluate(`(async () => { ${script} })()`);
    await inPage(
      page,
      `const cache = window.openTab();
       await cache.open();
       await cache.write(['drafts'], (rows) => rows.put('drafts', [{ id: 'a', body: Uint8Array.of(1) }]));
       const begun = Promise.withResolvers();
       void cache.write(['drafts', 'items'], async (rows) => {
         await rows.put('drafts', [{ id: 'a', body: Uint8Array.of(2) }]);
         await rows.put('items', [{ id: 'b', counter: 1 }]);
         begun.resolve();
         // It goes on for as long as the page is there.
         for (;;) await rows.get('drafts', 'a');
       });
       await begun.promise;`,
    );
    await page.close();
    const next = await openPage();
    const left = await inPage(
      next,
      `const cache = window.openTab();
       await cache.open();
       return [(await cache.get('drafts', 'a')).body[0], await cache.get('items', 'b')];`,
    );
    expect(left).toEqual([1, null]);
  });
});
