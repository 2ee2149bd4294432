import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { showConversation } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

const calls = (page: Page, wanted: string) =>
  page.evaluate((name) => window.vault.calls.filter((call) => call.name === name).map(({ input }) => input), wanted);

/** True if the first character of an element's words is inside of the element. */
const showsItsBeginning = (page: Page, name: string) =>
  page.getByRole('heading', { level: 1, name }).evaluate((heading) => {
    const walker = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    range.setStart(walker.nextNode()!, 0);
    range.setEnd(walker.currentNode, 1);
    const [letter, box] = [range.getBoundingClientRect(), heading.getBoundingClientRect()];
    return letter.left >= box.left && letter.right <= box.right;
  });

describe('conversations', () => {
  test.each(['A title of many words that no phone has room for', 'عنوان من كلمات كثيرة لا تتسع لها شاشة هاتف'])(
    'a long title is cut at its end: %s',
    async (title) => {
      const page = await client.openChat({ width: 320 });
      await showConversation(page, await page.evaluate((name) => window.vault.addConversation(name, []), title));
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
      expect(await showsItsBeginning(page, title)).toBe(true);
    },
  );

  test('each is a link with a menu beside it; rename by Enter', async () => {
    const page = await client.openChat();
    await page.evaluate(() => {
      window.vault.addConversation('Second', [['q', 'a']]);
      window.vault.addConversation('Third', [['q', 'a']]);
    });
    const list = page.getByRole('navigation', { name: 'Conversations' });
    expect(await list.getByRole('link').count()).toBe(2);
    await list.getByRole('listitem').filter({ hasText: 'Second' }).getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    const title = page.getByRole('textbox', { name: /title|name/i });
    await page.waitForFunction(() => document.activeElement instanceof HTMLInputElement);
    expect(await title.evaluate((field) => field === document.activeElement)).toBe(true);
    await title.fill('Another name');
    await title.press('Enter');
    await list.getByRole('link', { name: 'Another name' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('delete asks first; deleting the open one leads to a new chat', async () => {
    const page = await client.openChat();
    const id = await page.evaluate(() => window.vault.addConversation('Second', [['q', 'a']]));
    await showConversation(page, id);
    const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Second' }) });
    await row.getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    expect(await calls(page, 'deleteConversation')).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.waitForURL('**/chat');
    expect(await calls(page, 'deleteConversation')).toEqual([{ conversationId: id }]);
    expect(await page.getByRole('link', { name: 'Second' }).count()).toBe(0);
  });

  test('deleting another one keeps the place in the list', async () => {
    const page = await client.openChat();
    await page.evaluate(() => window.vault.addConversation('Second', [['q', 'a']]));
    await page.getByRole('listitem').filter({ hasText: 'Second' }).getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Conversations');
  });

  test('an address of no conversation of mine says so', async () => {
    const page = await client.openChat({ path: '/chat/AAAAAAAAAAAAAAAAAAAAAA' });
    await page.getByText('This conversation is not in your vault').waitFor();
    await page.getByRole('button', { name: 'Start another' }).click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    expect(page.url()).toBe(`${client.origin}/chat`);
  });

  test('signing out with something unsent asks first', async () => {
    const page = await client.openChat();
    const id = await page.evaluate(() => window.vault.addConversation('Second', [['q', 'a']]));
    await page.evaluate((each) => window.vault.changeSummary(each, { stored: false }), id);
    await page.getByText('Not sent yet').waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('dialog', { name: /unsent messages/ }).waitFor();
    expect(await calls(page, 'signOut')).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
  });
});

test('a session that ends by itself is said on the way out, a sign-out is not', async () => {
  const page = await client.openChat();
  await page.evaluate(() => window.vault.endSession());
  // Called out: the focus is in the first field, below it.
  await page.getByRole('alert').filter({ hasText: 'Your session has ended' }).waitFor();
  await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
  await page.getByLabel('Password').fill('four unrelated words');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(await page.getByText('Your session has ended').count()).toBe(0);
});
