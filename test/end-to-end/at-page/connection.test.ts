import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import {
  answers,
  ask,
  createAccount,
  finishedAnswer,
  messageBox,
  questions,
} from '../../parts/users/at-page/person-at-page.ts';
import { RelayAndWorker } from '../../parts/relay/relay-and-worker.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';

let browser: Browser;
let folder: TemporaryFolder;
let system: RelayAndWorker;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
  folder = await makeTemporaryFolder('connection');
  system = await new RelayAndWorker({ DATA_DIR: folder.path }).start();
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context.close());
afterAll(async () => {
  await browser.close();
  await system[Symbol.asyncDispose]();
  await folder.remove();
});

const offline = () => page.getByText('You are offline.');
const noRelay = () => page.getByText('No connection to the relay; trying again.');

async function openChat(): Promise<void> {
  await createAccount(page, system.url);
  await ask(page, 'Before.');
  await finishedAnswer(page);
}

async function expectAnswer(text: string): Promise<void> {
  await questions(page).last().filter({ hasText: text }).waitFor();
  await expect.poll(() => answers(page).last().getAttribute('aria-busy'), { timeout: 60_000 }).toBe('false');
  expect(await answers(page).last().innerText()).toContain(text);
}

describe('the page says how the way to the relay is', () => {
  it('offline is said though nobody asks for anything, and what is written meanwhile goes out afterwards', async () => {
    await openChat();
    await context.setOffline(true);
    await offline().waitFor();
    await ask(page, 'Written offline.');
    await page.getByText(/your message is kept/i).waitFor();
    await context.setOffline(false);
    await offline().waitFor({ state: 'detached' });
    await page.getByRole('status').filter({ hasText: 'The connection is back.' }).waitFor({ state: 'attached' });
    await expectAnswer('Written offline.');
    expect(await noRelay().count()).toBe(0);
  });

  it('a relay that is frozen is said to be away as soon as somebody waits for it, and goes on when it does', async () => {
    await openChat();
    system.freezeRelay();
    try {
      await ask(page, 'Asked of a frozen relay.');
      await noRelay().waitFor();
      await page.getByText(/your message is kept/i).waitFor();
      // Long before a call of it would be given up, and nothing else was said.
      expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
    } finally {
      system.thawRelay();
    }
    await noRelay().waitFor({ state: 'detached' });
    await expectAnswer('Asked of a frozen relay.');
    expect(await questions(page).count()).toBe(2);
  });

  it('a relay that is frozen is said to be away though nobody asks for anything: its own sign of life is overdue', async () => {
    await createAccount(page, system.url);
    const asked: string[] = [];
    const open = new Set<Request>();
    context.on('request', (request) => {
      asked.push(new URL(request.url()).pathname);
      if (!request.url().endsWith('/v1/live')) open.add(request);
    });
    for (const over of ['requestfinished', 'requestfailed'] as const) {
      context.on(over as 'requestfinished', (request) => open.delete(request));
    }
    await page.reload();
    await messageBox(page).waitFor();
    await expect.poll(() => asked.includes('/v1/live') && open.size === 0).toBe(true);
    asked.length = 0;
    system.freezeRelay();
    try {
      await noRelay().waitFor();
      // It was asked whether it is there, long before the live response would be given up; and nothing else was.
      expect(asked).toContain('/livez');
      expect(asked.filter((path) => path !== '/livez')).toEqual([]);
    } finally {
      system.thawRelay();
    }
    await noRelay().waitFor({ state: 'detached' });
  });

  it('a relay that is killed is said to be away at once, and no answer is lost', async () => {
    await openChat();
    await system.killRelay();
    await noRelay().waitFor();
    await ask(page, 'Asked of a dead relay.');
    await system.startRelay();
    await noRelay().waitFor({ state: 'detached' });
    await expectAnswer('Asked of a dead relay.');
    expect(await questions(page).count()).toBe(2);
  });

  it('says so on the way in too', async () => {
    await page.goto(`${system.url}/sign-in`);
    await page.getByLabel('User name').fill('somebody');
    await page.getByLabel('Password', { exact: true }).fill('a password of some length');
    system.freezeRelay();
    try {
      await page.getByRole('button', { name: 'Sign in' }).click();
      await noRelay().waitFor();
    } finally {
      system.thawRelay();
    }
    await noRelay().waitFor({ state: 'detached' });
    await page.getByRole('alert').getByText('That did not match.').waitFor();
    expect(await page.getByLabel('User name').inputValue()).toBe('somebody');
  });
});

describe('a page of which something does not come', () => {
  it('its Worker: it is loaded anew by itself, and works', async () => {
    let lost = 0;
    await context.route(/vault-worker[^/]*\.js$/, (route) => {
      lost += 1;
      return lost === 1 ? route.abort() : route.continue();
    });
    await page.goto(`${system.url}/sign-in`);
    await expect.poll(() => lost, { timeout: 60_000 }).toBeGreaterThan(1);
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    expect(await page.getByText('Sotto cannot start here').count()).toBe(0);
  });

  it('its Worker, time and again: that is said with its cause, and no reload follows another', async () => {
    let documents = 0;
    page.on('request', (request) => (documents += request.isNavigationRequest() ? 1 : 0));
    await context.route(/vault-worker[^/]*\.js$/, (route) => route.abort());
    await page.goto(`${system.url}/sign-in`);
    await expect.poll(() => documents, { timeout: 60_000 }).toBe(2);
    await page.getByRole('heading', { name: 'Sotto cannot start here' }).waitFor();
    await page.getByText('A part of this page did not arrive.').waitFor();
    await page.getByRole('button', { name: 'Reload' }).waitFor();
    expect(documents).toBe(2);
  });

  it('all of its scripts: it is not empty', async () => {
    await context.route(/\/assets\/[^/]*\.js$/, (route) => route.abort());
    await page.goto(system.url);
    const said = page.getByText('Sotto is still loading.');
    await said.waitFor();
    expect(await said.textContent()).toContain('reload the page');
  });

  it('all of its scripts, since the browser runs none: it says so, and not that it is loading', async () => {
    await context.close();
    context = await browser.newContext({ javaScriptEnabled: false });
    page = await context.newPage();
    await page.goto(system.url);
    // Above the fold, inside of what fills the window.
    expect(await page.locator('#root noscript').textContent()).toContain('needs JavaScript');
    const loading = page.getByText('Sotto is still loading.');
    expect(await loading.evaluate((text) => getComputedStyle(text).display)).toBe('none');
  });
});
