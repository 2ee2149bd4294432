import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import {
  ask,
  conversationLinks,
  createAccount,
  finishedAnswer,
  messageBox,
  signIn,
} from '../../parts/users/at-page/person-at-page.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';

let browser: Browser;
let sotto: RunningSotto;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  [browser, sotto] = await Promise.all([startBrowser(), startSotto()]);
});
afterEach(() => context.close());
afterAll(async () => {
  await browser.close();
  await sotto.stop();
});

async function freshPage() {
  context = await browser.newContext();
  page = await context.newPage();
}

async function chooseInAccountMenu(on: Page, item: string) {
  await on.getByRole('button', { name: 'Account' }).click();
  await on.getByRole('menuitem', { name: item }).click();
}

describe('a build', () => {
  it('names its version and its hash to visitors and to whoever is signed in', async () => {
    await freshPage();
    const answer = await fetch(`${sotto.url}/v1/version`);
    const { version, build } = (await answer.json()) as { readonly version: string; readonly build: string };
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect(build).toMatch(/^[0-9a-f]{12}$/);
    await page.goto(sotto.url);
    await page.getByText(`Version ${version}, build ${build}`).waitFor();
    await createAccount(page, sotto.url);
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByText(`Sotto ${version}, build ${build}`).waitFor();
  });

  it('after a deployment a page that misses a chunk is loaded again, once', async () => {
    await freshPage();
    let asked = 0;
    let missing = true;
    await page.route(/\/assets\/sign-in-page-/, (route) => {
      asked++;
      return missing ? route.fulfill({ status: 404 }) : route.fallback();
    });
    await page.goto(sotto.url);
    let loads = 0;
    page.on('load', () => loads++);
    await page.getByRole('link', { name: 'Sign in' }).first().click();
    // Loaded again it misses the chunk once more, goes round in no circle, and says so.
    await page.getByRole('heading', { name: 'This page could not be shown' }).waitFor();
    expect(asked).toBe(2);
    missing = false;
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(asked).toBe(3);
    expect(loads).toBe(2);
  });

  it('a page that misses a chunk says so at once in a browser that refuses to remember the one load', async () => {
    await freshPage();
    await page.addInitScript(() => {
      const get = () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      };
      for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get });
    });
    await page.route(/\/assets\/sign-in-page-/, (route) => route.fulfill({ status: 404 }));
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(sotto.url);
    let loads = 0;
    page.on('load', () => loads++);
    await page.getByRole('link', { name: 'Sign in' }).first().click();
    await page.getByRole('heading', { name: 'This page could not be shown' }).waitFor();
    expect(loads).toBe(0);
    expect(errors.filter((message) => message.includes('insecure'))).toEqual([]);
  });

  it('a chunk that is there again after the one load is shown', async () => {
    await freshPage();
    let refusals = 1;
    await page.route(/\/assets\/sign-in-page-/, (route) =>
      refusals-- > 0 ? route.fulfill({ status: 404 }) : route.fallback(),
    );
    await page.goto(sotto.url);
    let loads = 0;
    page.on('load', () => loads++);
    await page.getByRole('link', { name: 'Sign in' }).first().click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await expect.poll(() => loads).toBe(1);
    expect(page.url()).toBe(`${sotto.url}/sign-in`);
  });
});

describe('a session', () => {
  it('stays unlocked through a reload and in a new tab', async () => {
    await freshPage();
    await createAccount(page, sotto.url);
    await page.reload();
    await messageBox(page).waitFor();
    const tab = await context.newPage();
    await tab.goto(`${sotto.url}/chat`);
    await messageBox(tab).waitFor();
    expect(await tab.getByRole('button', { name: 'Unlock' }).count()).toBe(0);
  });

  it('Lock wipes the key in every tab; the password alone opens it again', async () => {
    await freshPage();
    const account = await createAccount(page, sotto.url);
    await ask(page, 'Before the lock.');
    await finishedAnswer(page);
    const tab = await context.newPage();
    await tab.goto(`${sotto.url}/chat`);
    await messageBox(tab).waitFor();
    await chooseInAccountMenu(page, 'Lock');
    for (const each of [page, tab]) {
      await each.getByRole('button', { name: 'Unlock' }).waitFor();
      expect(await each.getByText('Before the lock.').count()).toBe(0);
    }
    await page.reload();
    await page.getByLabel('Password', { exact: true }).fill('not the password at all');
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.getByRole('alert').first().waitFor();
    expect(await messageBox(page).count()).toBe(0);
    await page.getByLabel('Password', { exact: true }).fill(account.password);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await messageBox(page).waitFor();
    await conversationLinks(page).first().waitFor();
  });

  it('Sign out wipes keys, ciphertext and the session’s cookie', async () => {
    await freshPage();
    await createAccount(page, sotto.url);
    await ask(page, 'Before signing out.');
    await finishedAnswer(page);
    await chooseInAccountMenu(page, 'Sign out');
    await page
      .getByRole('link', { name: 'Sign in' })
      .or(page.getByRole('button', { name: 'Sign in' }))
      .first()
      .waitFor();
    // The cookie that stays says that this browser was signed in before, to the relay alone.
    expect((await context.cookies()).map(({ name, httpOnly }) => [name.replace(/[0-9a-f]{6}$/, ''), httpOnly])).toEqual(
      [[expect.stringMatching(/^(__Host-)?sotto-device-$/), true]],
    );
    const rows = await page.evaluate(async () => {
      const found: [string, string[]][] = [];
      for (const { name } of await indexedDB.databases()) {
        const database = await new Promise<IDBDatabase>((resolve) => {
          const opening = indexedDB.open(name ?? '');
          opening.onsuccess = () => resolve(opening.result);
        });
        for (const store of database.objectStoreNames) {
          const all = await new Promise<object[]>((resolve) => {
            const reading = database.transaction(store).objectStore(store).getAll();
            reading.onsuccess = () => resolve(reading.result as object[]);
          });
          for (const row of all) found.push([store, Object.keys(row).toSorted()]);
        }
        database.close();
      }
      return found;
    });
    // Which state of the vault was seen last: a hash of the account's secret id, a counter, a hash.
    expect(rows).toEqual([['remembered', ['counter', 'hash', 'order', 'owner']]]);
    await page.goto(`${sotto.url}/chat`);
    await page
      .getByRole('link', { name: 'Sign in' })
      .or(page.getByRole('button', { name: 'Sign in' }))
      .first()
      .waitFor();
    expect(await messageBox(page).count()).toBe(0);
  });

  it('the recovery phrase signs in and sets a new password; the old one is refused', async () => {
    await freshPage();
    const account = await createAccount(page, sotto.url);
    await ask(page, 'Remember the lighthouse.');
    await finishedAnswer(page);
    await context.close();

    await freshPage();
    await page.goto(`${sotto.url}/sign-in`);
    await page.getByRole('link', { name: /recovery phrase/i }).click();
    await page.getByRole('textbox', { name: 'User name' }).fill(account.userName);
    await page.getByRole('textbox', { name: 'Recovery phrase' }).fill(account.recoveryWords.join(' '));
    await page.getByRole('button', { name: 'Sign in' }).click();
    const password = 'An entirely new lighthouse 77!';
    await page.getByLabel('New password', { exact: true }).fill(password);
    await page.getByLabel('New password again').fill(password);
    expect(await page.getByLabel('Current password').count()).toBe(0);
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('button', { name: 'To your chats' }).click();
    await messageBox(page).waitFor();
    await conversationLinks(page).first().click();
    await page.getByText('Remember the lighthouse.').first().waitFor();
    await context.close();

    await freshPage();
    await page.goto(`${sotto.url}/sign-in`);
    await page.getByRole('textbox', { name: 'User name' }).fill(account.userName);
    await page.getByLabel('Password', { exact: true }).fill(account.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').first().waitFor();
    expect(await messageBox(page).count()).toBe(0);
    await signIn(page, sotto.url, { ...account, password });
    await conversationLinks(page).first().waitFor();
  });

  it('a password change takes the current password; a wrong one is said to be wrong, and the session goes on', async () => {
    await freshPage();
    const account = await createAccount(page, sotto.url);
    await chooseInAccountMenu(page, 'Change password');
    const password = 'An entirely new lighthouse 78!';
    const current = page.getByLabel('Current password');
    await current.fill('this is not the password');
    await page.getByLabel('New password', { exact: true }).fill(password);
    await page.getByLabel('New password again').fill(password);
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('alert').filter({ hasText: 'This is not your current password.' }).waitFor();
    expect(await page.getByLabel('New password', { exact: true }).inputValue()).toBe(password);
    await current.fill(account.password);
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('button', { name: 'To your chats' }).click();
    await messageBox(page).waitFor();
    await context.close();

    await freshPage();
    await signIn(page, sotto.url, { ...account, password });
  });

  it('a wrong password and an unknown name are told in the same words', async () => {
    await freshPage();
    const account = await createAccount(page, sotto.url);
    await context.close();
    await freshPage();
    const told: string[] = [];
    for (const userName of [account.userName, `${account.userName}-nobody`]) {
      await page.goto(`${sotto.url}/sign-in`);
      await page.getByRole('textbox', { name: 'User name' }).fill(userName);
      await page.getByLabel('Password', { exact: true }).fill('this is not the password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      const alert = page.getByRole('alert').first();
      await alert.waitFor();
      told.push(await alert.innerText());
    }
    expect(told[0]).toBe(told[1]);
    expect(told[0]?.length).toBeGreaterThan(10);
  });
});
