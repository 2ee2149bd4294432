import { DatabaseSync } from 'node:sqlite';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../parts/browser.ts';
import { ask, createAccount, finishedAnswer, messageBox } from '../parts/person.ts';
import { type RunningSotto, startSotto, waitFor } from '../parts/running-sotto.ts';

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

/** A reading transaction of an auditor beside the running relay. */
function readDatabase(): DatabaseSync {
  const name = readdirSync(sotto.dataFolder).find((each) => /\.(db|sqlite3?)$/.test(each) && !each.includes('lock'));
  return new DatabaseSync(join(sotto.dataFolder, name ?? ''), { readOnly: true });
}

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
    // The compact answer is written some seconds after the last frame.
    await waitFor(
      () => Number(readDatabase().prepare('SELECT count(*) AS n FROM items').get()?.['n']) >= 4,
      30_000,
      () => 'no compact answer was stored',
    );
    await page.reload();
    await messageBox(page).waitFor();
    await page.getByText('What do you know about tin whistles?').first().waitFor();
    await page.getByRole('button', { name: /^Protection/ }).click();
    await page.getByRole('button', { name: 'What the relay sees' }).click();
    const region = page.getByRole('region', { name: 'What the relay sees' });
    await region.waitFor();
    await region.getByText('What do you know about tin whistles?').first().waitFor();
    const shown = (await region.innerText()).replaceAll(/\s+/g, '');
    const bodies = readDatabase()
      .prepare('SELECT body FROM items')
      .all()
      .map((row) => Buffer.from(row['body'] as Uint8Array));
    expect(bodies.length).toBeGreaterThanOrEqual(4);
    for (const body of bodies) expect(shown).toContain(body.subarray(0, 16).toString('hex'));
  });
});
