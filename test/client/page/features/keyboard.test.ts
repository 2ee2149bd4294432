import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { FailureCode, VaultApi } from '../../../../client/vault/api/vault-api.ts';
import { hardwareEnclave } from '../../../parts/vault/scripted-client/scripted-contents.ts';
import { clientOfTests } from '../../../parts/vault/scripted-client/client-of-tests.ts';
import { askInPage, openPairs, settle, streamInPage } from '../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

/** Names the element that has the focus, as a screen reader would; `body` where it was lost. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement: element } = document;
    if (element === null || element === document.body) return 'body';
    const label =
      element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.labels?.[0] : null;
    return (element.getAttribute('aria-label') ?? label?.textContent ?? element.textContent ?? '').trim();
  });
}

/** Gives what a screen reader adds to the element that has the focus. */
function described(page: Page): Promise<string> {
  return page.evaluate(() =>
    (document.activeElement?.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .map((id) => document.getElementById(id)?.textContent ?? '')
      .join(' '),
  );
}

async function fail(page: Page, name: keyof VaultApi, code: FailureCode): Promise<void> {
  await page.evaluate(([call, failed]) => window.vault.failures.set(call, { code: failed }), [name, code] as const);
}

describe('a form that fails, by keyboard alone', () => {
  test.each([
    ['/sign-in', 'signIn', 'sign-in-failed', 'Password', 'That did not match.'],
    ['/sign-in', 'signIn', 'invalid-user-name', 'User name', 'This cannot be a user name.'],
    ['/create-account', 'beginSignUp', 'invalid-user-name', 'User name', 'This cannot be a user name.'],
    ['/create-account', 'beginSignUp', 'weak-password', 'Password', 'too easy to guess'],
    ['/recover', 'signIn', 'invalid-user-name', 'User name', 'This cannot be a user name.'],
    ['/recover', 'signIn', 'invalid-phrase', 'Recovery phrase', 'This has 5 words'],
    ['/unlock', 'unlock', 'sign-in-failed', 'Password', 'That password does not match.'],
  ] as const)('%s, %s: %s', async (path, call, code, field, said) => {
    const page = await client.openPage({ path, status: path === '/unlock' ? 'locked' : 'signed-out' });
    await fail(page, call, code);
    await page.getByRole('heading', { level: 1 }).waitFor();
    if (path !== '/unlock') {
      await page.getByLabel('User name').focus();
      await page.keyboard.type('somebody');
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('something that is long enough');
    if (path === '/recover') await page.getByRole('button', { name: 'Sign in' }).press('Enter');
    else await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(said).waitFor();
    await expect.poll(() => focused(page)).toBe(field);
    expect(await described(page)).toContain(said);
  });

  test.each([
    ['/sign-in', 'signIn', 'Password'],
    ['/recover', 'signIn', 'Recovery phrase'],
  ] as const)('%s: a failure of no field leaves the focus where it was', async (path, call, field) => {
    const page = await client.openPage({ path });
    await fail(page, call, 'relay-unreachable');
    await page.getByLabel('User name').fill('somebody');
    await page.getByLabel(field, { exact: true }).fill('something');
    await page.getByRole('button', { name: 'Sign in' }).press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await focused(page)).toBe('Sign in');
  });

  test('Continue before the words are confirmed says what is missing and goes there, and then goes on', async () => {
    const page = await client.openPage({ path: '/create-account' });
    await page.getByLabel('User name').fill('quiet-otter');
    await page.getByLabel('Password', { exact: true }).fill('a password of many words');
    await page.keyboard.press('Enter');
    const onward = page.getByRole('button', { name: 'Continue' });
    await onward.press('Enter');
    await page.getByRole('alert').getByText('Write the words down first').waitFor();
    expect(await focused(page)).toMatch(/^I have written down/);
    expect(await described(page)).toContain('Write the words down first');
    await page.keyboard.press('Space');
    expect(await page.getByRole('alert').count()).toBe(0);
    await onward.press('Enter');
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
  });

  test('a title of nothing but blanks is refused in words, and one with words is taken', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    await openPairs(page, 'Something');
    await page.getByRole('button', { name: 'Options of' }).first().press('Enter');
    await page.getByRole('menuitem', { name: 'Rename' }).press('Enter');
    const title = page.getByRole('textbox', { name: 'Title' });
    await title.fill('  ');
    await title.press('Enter');
    await page.getByRole('alert').getByText('A title needs something to read in it.').waitFor();
    expect(await focused(page)).toBe('Title');
    await title.fill('  ');
    await page.getByRole('button', { name: 'Rename' }).press('Enter');
    await page.getByRole('alert').getByText('A title needs something to read in it.').waitFor();
    await title.fill('Harbours');
    await title.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Harbours' }).waitFor();
  });

  test('a form sends the words that a password manager wrote without an event', async () => {
    const page = await client.openPage({ path: '/sign-in' });
    await page.getByLabel('User name').waitFor();
    await page.evaluate(() => {
      for (const [name, value] of [
        ['username', 'from-a-manager'],
        ['password', 'kept by a manager'],
      ] as const) {
        // By the setter of the element itself: React has put its own in front of it.
        Reflect.set(HTMLInputElement.prototype, 'value', value, document.querySelector(`input[name=${name}]`));
      }
    });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    const inputs = await page.evaluate(() =>
      window.vault.calls.filter(({ name }) => name === 'signIn').map(({ input }) => input),
    );
    expect(inputs).toEqual([{ userName: 'from-a-manager', password: 'kept by a manager' }]);
  });
});

describe('in the chat, by keyboard alone', () => {
  test('Stop, Retry, Send and a delete that is called off keep the focus', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const turn = await askInPage(page, 'A question');
    await page.getByRole('button', { name: 'Stop' }).press('Enter');
    await page.getByText('Stopped. What had come is kept.').waitFor();
    expect(await focused(page)).toBe('Send');
    await page.evaluate((id) => window.vault.endAnswer(id, 'cut-off'), turn);
    await page.getByRole('button', { name: 'Retry' }).press('Enter');
    await expect.poll(() => focused(page)).toBe('Message');
    await page.getByRole('button', { name: 'Options of' }).first().press('Enter');
    await page.getByRole('menuitem', { name: 'Delete' }).press('Enter');
    await page.getByRole('dialog').waitFor();
    await expect.poll(() => focused(page)).toBe('Cancel');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toMatch(/^Options of /);
  });

  test('Enter while an answer is written says why nothing is sent, and keeps the words', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const turn = await askInPage(page, 'A question');
    await streamInPage(page, turn, 'Half of it');
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('The next one');
    await box.press('Enter');
    await page.getByRole('alert').getByText('An answer is still being written.').waitFor();
    expect(await box.inputValue()).toBe('The next one');
    await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
    await page.getByText('An answer is still being written.').waitFor({ state: 'detached' });
    await box.press('Enter');
    await page.getByRole('article', { name: /^You/ }).filter({ hasText: 'The next one' }).waitFor();
  });

  test('a copied answer is announced', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    await openPairs(page, 'Something to copy');
    await page.getByRole('button', { name: 'Copy answer' }).press('Enter');
    await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    expect(await focused(page)).toBe('Copied');
  });
});

describe('a control that goes away with the focus', () => {
  test('the sidebar: what shows it and what hides it hand the focus to each other', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    await page.getByRole('button', { name: 'Hide sidebar' }).press('Enter');
    await expect.poll(() => focused(page)).toBe('Show sidebar');
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page)).toBe('Hide sidebar');
    await page.getByRole('textbox', { name: 'Message' }).press('Control+Shift+S');
    await page.getByRole('button', { name: 'Show sidebar' }).waitFor();
    expect(await focused(page)).toBe('Message');
  });

  test('the sidebar of a narrow screen gives it back when it closes', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked', width: 390 });
    await page.getByRole('button', { name: 'Show sidebar' }).press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('Show sidebar');
  });

  test('an alarm, a notice and what stands in a dialog: one goes on from beside it', async () => {
    const page = await client.openChat();
    await page.evaluate(() => window.vault.emit({ type: 'alarm', code: 'vault-tampered' }));
    await page.getByRole('button', { name: 'Dismiss' }).press('Enter');
    await expect.poll(() => focused(page)).toBe('Message');
    await page.evaluate(() =>
      window.vault.setEnclave({ kind: 'unreachable', failure: { code: 'enclave-unreachable' } }),
    );
    await page.getByRole('button', { name: /^Protection/ }).press('Enter');
    await page.getByRole('button', { name: 'Ask again' }).press('Enter');
    await page.evaluate((view) => window.vault.setEnclave(view), hardwareEnclave);
    await page.getByRole('button', { name: 'Ask again' }).waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate(() => document.activeElement?.role)).toBe('dialog');
  });

  test('a row that another device deletes leaves it in the list, and takes none that is elsewhere', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const ids = await page.evaluate(() => ['One', 'Two'].map((title) => window.vault.addConversation(title, [])));
    await page.getByRole('button', { name: 'Options of One' }).focus();
    await page.evaluate((id) => window.vault.deleteConversation({ conversationId: id! }), ids[0]);
    await expect.poll(() => focused(page)).toMatch(/^Conversations/);
    await page.getByRole('button', { name: 'Options of Two' }).focus();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await settle(page);
    await page.evaluate((id) => window.vault.deleteConversation({ conversationId: id! }), ids[1]);
    await page.getByRole('button', { name: 'Options of Two' }).waitFor({ state: 'detached' });
    await settle(page);
    expect(await focused(page)).toBe('body');
  });
});
