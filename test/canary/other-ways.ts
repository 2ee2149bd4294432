import type { Page } from 'playwright-core';
import { conversationLinks, messageBox } from '../parts/users/at-page/person-at-page.ts';

export type OtherWays = {
  readonly url: string;
  readonly userName: string;
  readonly recoveryWords: readonly string[];
  readonly mistypedPassword: string;
  /** In no phrase. */
  readonly mistypedWord: string;
  readonly newPassword: string;
};

/**
 * The ways in and out that go wrong or are seldom walked: a wrong password, wrong words, recovery, a new password, a change that is
 * refused, a deletion.
 *
 * @returns what stood in clear in this browser after each of them: its address, cookies and texts.
 */
export async function walkOtherWays(page: Page, ways: OtherWays): Promise<string[]> {
  const { url, userName, recoveryWords, mistypedPassword, mistypedWord, newPassword } = ways;
  const left: string[] = [];
  const look = async () => {
    left.push(
      await page.evaluate(() =>
        [
          location.href,
          document.cookie,
          JSON.stringify(Object.entries(localStorage)),
          JSON.stringify(Object.entries(sessionStorage)),
        ].join('\n'),
      ),
    );
  };
  const alert = page.getByRole('alert').filter({ hasText: /\S/ }).first();

  await page.goto(`${url}/sign-in`);
  await page.getByRole('textbox', { name: 'User name' }).fill(userName);
  await page.getByLabel('Password', { exact: true }).fill(mistypedPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await alert.waitFor();
  await look();

  await page.getByRole('link', { name: /recovery phrase/i }).click();
  await page.getByRole('textbox', { name: 'User name' }).fill(userName);
  const phrase = page.getByRole('textbox', { name: 'Recovery phrase' });
  for (const words of [[mistypedWord, ...recoveryWords.slice(1)], recoveryWords.toReversed(), recoveryWords]) {
    await phrase.fill(words.join(' '));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await (words === recoveryWords ? page.getByLabel('New password', { exact: true }) : alert).waitFor();
    await look();
  }
  await setPassword(page, newPassword);
  await page.getByRole('button', { name: 'To your chats' }).click();
  await messageBox(page).waitFor();
  await look();

  await page.goto(`${url}/new-password`);
  await page.getByLabel('Current password').fill(mistypedPassword);
  await setPassword(page, newPassword);
  await alert.waitFor();
  await look();

  await page.goto(`${url}/chat`);
  const rows = page.getByRole('navigation', { name: 'Conversations' }).getByRole('listitem');
  await rows.first().getByRole('button').click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /delete/i })
    .click();
  await conversationLinks(page).first().waitFor({ state: 'detached' });
  await look();
  return left;
}

async function setPassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('New password', { exact: true }).fill(password);
  await page.getByLabel('New password again').fill(password);
  await page.getByRole('button', { name: 'Set password' }).click();
}
