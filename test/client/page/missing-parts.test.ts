import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../parts/vault/scripted-client/client-of-tests.ts';

const client = clientOfTests();

const didNotArrive = (page: Page) => page.getByText('A part of this page did not arrive.');
const signInPage = (page: Page) => page.getByRole('heading', { name: 'Welcome back' });
const signInScript = /sign-in-page[^/]*\.js$/;

/** Lives as long as the document does. */
async function mark(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate(() => Object.assign(window, { isMarked: true }));
  return () => page.evaluate(() => Reflect.get(window, 'isMarked') === true);
}

/** Requests that go on once they are released. */
async function holdRoute(page: Page, url: RegExp): Promise<{ asked: Promise<void>; release: () => void }> {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  await page.route(url, async (route) => {
    asked.resolve();
    await released.promise;
    await route.continue();
  });
  return { asked: asked.promise, release: released.resolve };
}

describe('a page whose script does not come', () => {
  test('says so while one is offline, and is there once one is back', async () => {
    const page = await client.openPage();
    const isMarked = await mark(page);
    await page.context().setOffline(true);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await didNotArrive(page).waitFor();
    expect(await isMarked()).toBe(true);
    await page.context().setOffline(false);
    await signInPage(page).waitFor();
    expect(await didNotArrive(page).count()).toBe(0);
  });

  test('is loaded anew where the relay answers and the script is gone, as after a deploy', async () => {
    const page = await client.openPage();
    const isMarked = await mark(page);
    let lost = 0;
    await page.route(signInScript, (route) => {
      lost += 1;
      return lost === 1 ? route.abort() : route.continue();
    });
    await page.getByRole('link', { name: 'Sign in' }).click();
    await signInPage(page).waitFor();
    expect([lost, await isMarked()]).toEqual([2, false]);
  });

  test('is not loaded anew while its person goes elsewhere', async () => {
    const page = await client.openPage();
    await page.route(signInScript, (route) => route.abort());
    const probe = await holdRoute(page, /\/livez$/);
    const elsewhere = await holdRoute(page, /\/elsewhere$/);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await probe.asked;
    await page.evaluate(() => window.location.assign('/elsewhere'));
    await elsewhere.asked;
    probe.release();
    // Longer than the page takes to ask for its script again.
    await page.waitForTimeout(500);
    elsewhere.release();
    await page.waitForURL(/\/elsewhere$/);
    expect(new URL(page.url()).pathname).toBe('/elsewhere');
  });

  test('that is gone for good is said to be, and no reload follows another', async () => {
    // React says what its boundary caught; here it is expected.
    const prepare = () => Object.assign(console, { error: () => undefined });
    const page = await client.openPage({ prepare });
    let documents = 0;
    page.on('request', (request) => (documents += request.isNavigationRequest() ? 1 : 0));
    await page.route(signInScript, (route) => route.abort());
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'This page could not be shown' }).waitFor();
    await page.getByRole('button', { name: 'Reload' }).waitFor();
    expect(documents).toBe(1);
  });
});

test('a start that is held up says by what, and no longer once it goes on', async () => {
  for (const path of ['/chat', '/sign-in']) {
    const page = await client.openPage({ path });
    await page.getByRole('textbox', { name: 'User name' }).waitFor();
    const silent = page.getByText('This browser’s storage has not answered yet');
    expect(await silent.count()).toBe(0);
    await page.evaluate(() => window.vault.emit({ type: 'held-up', by: 'storage-silent' }));
    await silent.waitFor();
    await page.evaluate(() => window.vault.emit({ type: 'held-up', by: null }));
    await silent.waitFor({ state: 'detached' });
  }
});
