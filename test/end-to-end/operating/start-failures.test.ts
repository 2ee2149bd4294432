import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';

let browser: Browser;
let sotto: RunningSotto;
let context: BrowserContext;

beforeAll(async () => {
  [browser, sotto] = await Promise.all([startBrowser(), startSotto()]);
});
afterEach(() => context.close());
afterAll(async () => {
  await browser.close();
  await sotto.stop();
});

const missing = (script: string) => () => context.addInitScript(script);
const worker = /\/assets\/vault-worker-[^/]+\.js$/;

const failures: readonly (readonly [string, () => Promise<unknown>, string])[] = [
  [
    'without Web Locks',
    missing('delete Navigator.prototype.locks'),
    'This browser has no Web Locks, by which the tabs of Sotto take turns.',
  ],
  [
    'without BroadcastChannel',
    missing('delete globalThis.BroadcastChannel'),
    'This browser has no BroadcastChannel, by which the tabs of Sotto hear of a lock or a sign-out.',
  ],
  [
    'without IndexedDB',
    missing(`Object.defineProperty(window, 'indexedDB', { value: undefined })`),
    'This browser does not let Sotto keep anything.',
  ],
  [
    'without Workers',
    missing('delete globalThis.Worker'),
    'This browser does not let Sotto start the Worker that keeps your keys.',
  ],
  [
    'that refuses a Worker',
    missing(`globalThis.Worker = class { constructor() { throw new DOMException('no', 'SecurityError'); } }`),
    'This browser does not let Sotto start the Worker that keeps your keys.',
  ],
  [
    'that does not get the script of the Worker',
    () => context.route(worker, (route) => route.abort()),
    'A part of this page did not arrive.',
  ],
  [
    'that does not get what the Worker imports',
    () => context.route(/\/assets\/vault-start-/, (route) => route.fulfill({ status: 404 })),
    'A part of this page did not arrive.',
  ],
  [
    'in which the script of the Worker fails',
    // With its own headers: the browser would refuse it otherwise.
    () => context.route(worker, async (route) => route.fulfill({ response: await route.fetch(), body: 'none.here()' })),
    'The part of Sotto that keeps your keys does not run in this browser.',
  ],
];

describe('a browser', () => {
  for (const [what, prepare, sentence] of failures) {
    it(`${what}: the page says so, and what to do`, async () => {
      context = await browser.newContext();
      await prepare();
      const page = await context.newPage();
      await page.goto(`${sotto.url}/sign-in`);
      await page.getByRole('heading', { name: 'Sotto cannot start here' }).waitFor();
      const words = await page.getByRole('main').innerText();
      expect(words).toContain(sentence);
      expect(words).toContain('Nothing was lost');
      // The home page is not the vault's: it can be read.
      await page.goto(sotto.url);
      await page.getByRole('link', { name: 'Create account' }).first().waitFor();
    });
  }

  it('that has everything: the page takes a sign-in, and says nothing of the kind', async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${sotto.url}/sign-in`);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await page.getByText('Sotto cannot start here').count()).toBe(0);
  });
});
