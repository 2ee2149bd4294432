import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import {
  answers,
  ask,
  conversationLinks,
  createAccount,
  finishedAnswer,
  messageBox,
  questions,
  signIn,
  watchForFaults,
} from '../../parts/users/at-page/person-at-page.ts';
import { type RecordingProxy, startRecordingProxy } from '../../parts/network/recording-proxy.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';

let browser: Browser;
let sotto: RunningSotto;
/** The relay again, behind a cable that can be cut. */
let proxy: RecordingProxy;
const contexts: BrowserContext[] = [];

/** A device of its own: cookies, storage and Workers that no other context sees. */
async function newDevice() {
  const context = await browser.newContext();
  contexts.push(context);
  return { context, page: await context.newPage(), faults: watchForFaults(context, sotto.url) };
}

beforeAll(async () => {
  [browser, sotto] = await Promise.all([startBrowser(), startSotto()]);
  proxy = await startRecordingProxy(Number(new URL(sotto.url).port));
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});
afterAll(async () => {
  await browser.close();
  await proxy.stop();
  await sotto.stop();
});

describe('the main line', () => {
  it('a person signs up, asks, reads, comes back in another browser and finds the conversation', async () => {
    const first = await newDevice();
    const account = await createAccount(first.page, sotto.url);
    expect(account.recoveryWords).toHaveLength(24);
    await ask(first.page, 'What does sotto voce mean?');
    const answer = await finishedAnswer(first.page);
    expect(answer.length).toBeGreaterThan(40);
    expect(await questions(first.page).last().innerText()).toContain('What does sotto voce mean?');
    // The compact answer replaces the transcript some seconds after FINAL; both must open.
    await first.context.close();

    const second = await newDevice();
    await signIn(second.page, sotto.url, account);
    await conversationLinks(second.page).first().click();
    await questions(second.page).first().waitFor();
    expect(await questions(second.page).first().innerText()).toContain('What does sotto voce mean?');
    const again = await finishedAnswer(second.page);
    expect(withoutButtons(again)).toContain(withoutButtons(answer).slice(0, 200));
    expect([...first.faults, ...second.faults]).toEqual([]);
  });

  it('an answer that one device asked for streams on the other', async () => {
    const first = await newDevice();
    const account = await createAccount(first.page, sotto.url);
    const second = await newDevice();
    await signIn(second.page, sotto.url, account);
    await ask(first.page, 'Write a long answer, please.');
    await answers(first.page).last().waitFor();
    await conversationLinks(second.page).first().click();
    await second.page.locator('article[aria-busy="true"]').waitFor();
    const [one, two] = await Promise.all([finishedAnswer(first.page), finishedAnswer(second.page)]);
    expect(withoutButtons(two)).toBe(withoutButtons(one));
    expect([...first.faults, ...second.faults]).toEqual([]);
  });

  it('a relay killed in the middle of an answer loses nothing', async () => {
    const { page } = await newDevice();
    const account = await createAccount(page, sotto.url);
    await ask(page, 'Write a long answer, please.');
    await page.locator('article[aria-busy="true"]').waitFor();
    await sotto.killRelay();
    await sotto.healthy();
    const answer = await finishedAnswer(page, 90_000);

    const { page: other } = await newDevice();
    await signIn(other, sotto.url, account);
    await conversationLinks(other).first().click();
    expect(withoutButtons(await finishedAnswer(other))).toBe(withoutButtons(answer));
    expect(await other.getByText(/cut off/i).count()).toBe(0);
  });

  it('a reload in the middle of an answer goes on where it was', async () => {
    const { page } = await newDevice();
    await createAccount(page, sotto.url);
    await ask(page, 'Write a long answer, please.');
    await page.locator('article[aria-busy="true"]').waitFor();
    await page.reload();
    await page.locator('article[aria-busy="true"]').waitFor();
    expect((await finishedAnswer(page)).length).toBeGreaterThan(200);
  });

  it('Stop ends the answer and keeps what came', async () => {
    const { page } = await newDevice();
    await createAccount(page, sotto.url);
    await ask(page, 'Write a long answer, please.');
    const busy = page.locator('article[aria-busy="true"]');
    await busy.waitFor();
    await page.waitForFunction(
      () => (document.querySelector('article[aria-busy="true"]')?.textContent ?? '').length > 80,
    );
    await page.getByRole('button', { name: 'Stop' }).click();
    const stopped = await finishedAnswer(page);
    expect(stopped.length).toBeGreaterThan(60);
    await page.reload();
    expect(withoutButtons(await finishedAnswer(page))).toContain(withoutButtons(stopped).slice(0, 60));
  });

  it('offline: the message is kept, and sent when the network is back', async () => {
    const { page } = await newDevice();
    await createAccount(page, proxy.url);
    await ask(page, 'First question.');
    await finishedAnswer(page);
    proxy.cut();
    await ask(page, 'Asked while offline.');
    await page
      .getByText(/your message is kept/i)
      .first()
      .waitFor();
    expect(await questions(page).last().innerText()).toContain('Asked while offline.');
    proxy.mend();
    await expect.poll(() => questions(page).count()).toBe(2);
    await expect.poll(() => answers(page).last().innerText()).toContain('Asked while offline.');
    await finishedAnswer(page);
    await expect.poll(() => page.getByText(/your message is kept/i).count()).toBe(0);
  });

  it('an unsent message survives the end of its tab and is sent by the next one', async () => {
    const { context, page } = await newDevice();
    await createAccount(page, proxy.url);
    await ask(page, 'First question.');
    await finishedAnswer(page);
    proxy.cut();
    await ask(page, 'Kept through the end of the tab.');
    await page
      .getByText(/your message is kept/i)
      .first()
      .waitFor();
    await page.close();
    proxy.mend();
    const next = await context.newPage();
    await next.goto(`${proxy.url}/chat`);
    await conversationLinks(next).first().click();
    await expect.poll(() => questions(next).last().innerText()).toContain('Kept through the end of the tab.');
    await expect.poll(() => answers(next).count()).toBe(2);
    await finishedAnswer(next);
  });

  it('conversations are renamed and deleted on every device', async () => {
    const { page } = await newDevice();
    const account = await createAccount(page, sotto.url);
    await ask(page, 'A question to rename.');
    await finishedAnswer(page);
    const { page: other } = await newDevice();
    await signIn(other, sotto.url, account);
    const navigation = page.getByRole('navigation', { name: 'Conversations' });
    await navigation.getByRole('listitem').first().getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    const box = page.getByRole('textbox', { name: /title|name/i });
    await box.fill('Harbour lights');
    await box.press('Enter');
    await expect.poll(() => conversationLinks(other).first().innerText()).toContain('Harbour lights');
    await navigation.getByRole('listitem').first().getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page
      .getByRole('alertdialog')
      .or(page.getByRole('dialog'))
      .getByRole('button', { name: /delete/i })
      .click();
    await expect.poll(() => conversationLinks(page).count()).toBe(0);
    await expect.poll(() => conversationLinks(other).count()).toBe(0);
  });

  it('an unsent text survives a reload, and lies nowhere in clear', async () => {
    const { page } = await newDevice();
    await createAccount(page, sotto.url);
    await messageBox(page).fill('half a thought 5193');
    await page.waitForTimeout(1_500);
    const stored = await page.evaluate(async () => {
      const texts = [JSON.stringify(Object.entries(localStorage)), JSON.stringify(Object.entries(sessionStorage))];
      for (const { name } of await indexedDB.databases()) {
        const database = await new Promise<IDBDatabase>((resolve, reject) => {
          const opening = indexedDB.open(name ?? '');
          opening.onsuccess = () => resolve(opening.result);
          opening.onerror = () => reject(new Error('IndexedDB'));
        });
        for (const store of database.objectStoreNames) {
          const rows = await new Promise<unknown[]>((resolve, reject) => {
            const reading = database.transaction(store).objectStore(store).getAll();
            reading.onsuccess = () => resolve(reading.result as unknown[]);
            reading.onerror = () => reject(new Error('IndexedDB'));
          });
          texts.push(
            JSON.stringify(rows, (_key, value: unknown) =>
              value instanceof Uint8Array ? new TextDecoder('latin1').decode(value) : value,
            ),
          );
        }
        database.close();
      }
      return texts.join('\n');
    });
    expect(stored.length).toBeGreaterThan(100);
    expect(stored).not.toContain('half a thought');
    await page.reload();
    await expect.poll(() => messageBox(page).inputValue()).toBe('half a thought 5193');
  });
});

/** The words of an article without its buttons and times, which differ between devices. */
function withoutButtons(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length > 20)
    .join('\n');
}
