import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import { ask, createAccount, finishedAnswer, messageBox } from '../../parts/users/at-page/person-at-page.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';
import { queryStorage, waitForStoredAnswers } from '../../parts/storage/stored-answers.ts';

let browser: Browser;
let sotto: RunningSotto;
let page: Page;

beforeAll(async () => {
  [browser, sotto] = await Promise.all([startBrowser(), startSotto()]);
  page = await browser.newPage();
  await createAccount(page, sotto.url);
  await ask(page, 'What do you know about tin whistles?');
  await finishedAnswer(page);
});
afterAll(async () => {
  await browser.close();
  await sotto.stop();
});

describe('the shield', () => {
  it('says in one sentence what protects the conversation', async () => {
    const shield = page.getByRole('button', { name: /^Protection/ });
    await expect
      .poll(() => shield.getAttribute('aria-label').then(async (label) => label ?? (await shield.innerText())))
      .toContain('No protection from whoever runs this machine.');
    await shield.click();
    await page
      .getByText(/key statement/i)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
  });

  it('"What the relay sees" shows the very bytes that the database holds', async () => {
    await waitForStoredAnswers(sotto);
    await page.reload();
    await messageBox(page).waitFor();
    await page.getByText('What do you know about tin whistles?').first().waitFor();
    await page.getByRole('button', { name: /^Protection/ }).click();
    await page.getByRole('button', { name: 'What the relay sees' }).click();
    const region = page.getByRole('region', { name: 'What the relay sees' });
    await region.waitFor();
    await region.getByText('What do you know about tin whistles?').first().waitFor();
    const rows = region.getByRole('listitem');
    // A person reads beside the bytes which kind of item it is.
    const kinds = [
      'Title of the conversation',
      'You wrote',
      'The assistant wrote',
      'How the answer ended',
      'What was verified',
    ];
    const shown = new Map<string, string[]>(kinds.map((kind) => [kind, []]));
    for (const row of await rows.filter({ hasText: 'A sealed item' }).all()) {
      const heading = (await row.getByRole('paragraph').first().textContent()) ?? '';
      const kind = kinds.find((each) => heading.endsWith(each));
      shown.get(kind ?? '')?.push(await readAllBytes(row));
    }
    const items = await queryStorage(sotto, 'SELECT body FROM items');
    const bodies = items.map(({ body }) => Buffer.from(body as Uint8Array).toString('hex'));
    expect(bodies.length).toBeGreaterThanOrEqual(5);
    for (const kind of kinds) expect(shown.get(kind), kind).not.toEqual([]);
    expect([...shown.values()].flat().toSorted()).toEqual(bodies.toSorted());
  });
});

/** Every byte of one row, in hex, as the page shows it when it is asked for all of them. */
async function readAllBytes(row: Locator): Promise<string> {
  const total = await row.getByText(/^[\d,.]+ bytes without meaning/).textContent();
  const more = row.getByRole('button', { name: /^Show (all bytes|more)$/ });
  const bytes = row.locator('[translate="no"]');
  while ((await more.count()) > 0) {
    const before = (await bytes.textContent())?.length ?? 0;
    await more.click();
    await expect.poll(() => bytes.textContent().then((text) => text?.length ?? 0)).toBeGreaterThan(before);
  }
  const hex = ((await bytes.textContent()) ?? '').replaceAll(' ', '');
  expect(hex).toHaveLength(2 * Number((total ?? '').replaceAll(/\D/g, '')));
  return hex;
}
