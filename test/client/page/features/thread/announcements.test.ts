import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { developmentEnclave } from '../../../../parts/vault/scripted-client/scripted-contents.ts';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import {
  askInPage,
  openPairs,
  settle,
  showConversation,
} from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

const openChat = () => client.openPage({ path: '/chat', status: 'unlocked' });
const said = (page: Page, words: string) =>
  page.getByRole('status').filter({ hasText: words }).waitFor({ state: 'attached' });

describe('a failed answer', () => {
  test('calls out when it fails, and no more when its conversation is opened or scrolled', async () => {
    const page = await openChat();
    const id = await page.evaluate(() => {
      const conversation = window.vault.addConversation('Old', []);
      const failed = { kind: 'ended', outcome: 'error', code: 'x', endedEarly: false } as const;
      for (let turn = 0; turn < 12; turn++) window.vault.addTurn(conversation, `question ${turn}`, failed, '', true);
      return conversation;
    });
    await showConversation(page, id);
    await page.getByText('The model stopped with an error.').last().waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('log').hover();
    await expect
      .poll(async () => {
        await page.mouse.wheel(0, -2000);
        await settle(page);
        return page.getByText('question 0').count();
      })
      .toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
    const turn = await askInPage(page, 'One more');
    await page.evaluate((each) => window.vault.endAnswer(each, 'error', 'x'), turn);
    await page.getByRole('alert').filter({ hasText: 'The model stopped with an error.' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(1);
  });
});

describe('the way to the relay', () => {
  test.each(['offline', 'relay-unreachable'] as const)('its loss and its return are said: %s', async (status) => {
    const page = await openChat();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await page.evaluate((each) => window.vault.emit({ type: 'connection', status: each }), status);
    await said(page, 'What you write is kept here until it can be sent.');
    expect(await page.getByText('The connection is back.').count()).toBe(0);
    await page.evaluate(() => window.vault.emit({ type: 'connection', status: 'connected' }));
    await said(page, 'The connection is back.');
    expect(await page.getByText('What you write is kept here').count()).toBe(0);
  });

  test.each([
    ['offline', 'Your message is kept, and goes out when you are online again.'],
    ['relay-unreachable', 'Relay unreachable. Your message is kept'],
  ] as const)('a question that waits for it names the cause: %s', async (status, words) => {
    const page = await openChat();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await page.evaluate((each) => window.vault.emit({ type: 'connection', status: each }), status);
    await askInPage(page, 'A question');
    const alert = page.getByRole('article').getByRole('alert');
    await expect.poll(() => alert.textContent()).toContain(words);
  });

  test('that never broke is not said to be back', async () => {
    const page = await openChat();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await page.evaluate(() => window.vault.emit({ type: 'connection', status: 'connecting' }));
    await page.evaluate(() => window.vault.emit({ type: 'connection', status: 'connected' }));
    await settle(page);
    expect(await page.getByText('The connection is back.').count()).toBe(0);
  });
});

test('an answer is not said to go on while there is no way to the relay', async () => {
  const page = await openChat();
  await page.clock.install();
  const turn = await askInPage(page, 'A question');
  await page.evaluate((each) => window.vault.setAnswerState(each, { kind: 'streaming' }), turn);
  await said(page, 'The assistant is responding.');
  await page.evaluate(() => window.vault.emit({ type: 'connection', status: 'relay-unreachable' }));
  await said(page, 'No connection to the relay');
  await page.clock.fastForward(8_000);
  await settle(page);
  expect(await page.getByText(/responding/).count()).toBe(0);
  await page.evaluate(() => window.vault.emit({ type: 'connection', status: 'connected' }));
  await said(page, 'The assistant is responding.');
  await page.clock.fastForward(8_000);
  await said(page, 'Still responding');
});

describe('an enclave', () => {
  test('that cannot be reached any more is said, and so is that it can be again', async () => {
    const page = await openChat();
    await page.getByRole('button', { name: /^Protection: No/ }).waitFor();
    await page.evaluate(() =>
      window.vault.setEnclave({ kind: 'unreachable', failure: { code: 'enclave-unreachable' } }),
    );
    await said(page, 'The relay cannot reach the enclave.');
    await page.evaluate(() => window.vault.setEnclave({ kind: 'connecting' }));
    await page.evaluate((view) => window.vault.setEnclave(view), developmentEnclave);
    await said(page, 'The enclave can be reached again: No protection');
    expect(await page.getByText('The relay cannot reach the enclave.').count()).toBe(0);
  });

  test('is not spoken of where the relay itself is away', async () => {
    const page = await openChat();
    await page.getByRole('button', { name: /^Protection: No/ }).waitFor();
    await page.evaluate(() => window.vault.setEnclave({ kind: 'unreachable', failure: { code: 'relay-unreachable' } }));
    await page.getByRole('button', { name: /^Protection: (?!No protection)/ }).waitFor();
    expect(await page.locator('[data-announcer="protection"]').textContent()).toBe('');
  });
});

describe('a copy', () => {
  const refuseClipboard = () => {
    for (const name of ['write', 'writeText']) {
      Object.defineProperty(navigator.clipboard, name, { value: () => Promise.reject(new Error('refused')) });
    }
  };

  test('that the browser refuses is said', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked', prepare: refuseClipboard });
    await openPairs(page, 'Something to copy');
    await page.getByRole('button', { name: 'Copy answer' }).press('Enter');
    await said(page, 'Could not copy');
    expect(await page.evaluate(() => document.activeElement?.ariaLabel)).toBe('Could not copy');
  });

  test('a copy of the recovery words is announced', async () => {
    const page = await client.openPage({ path: '/create-account' });
    await page.getByLabel('User name').fill('somebody');
    await page.getByLabel('Password', { exact: true }).fill('four unrelated words suffice');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('button', { name: 'Copy' }).press('Enter');
    await said(page, 'Copied');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Copied');
  });
});

describe('a refusal', () => {
  test('a refusal of the same kind is announced at each press', async () => {
    const page = await openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('x'.repeat(200_001));
    const alert = page.getByRole('alert').filter({ hasText: 'too long by 1 character' });
    await box.press('Enter');
    await alert.evaluate((first) => (first.id = 'first'));
    await box.press('Enter');
    // Another element: one that stays as it was is not read again.
    await expect.poll(() => alert.evaluate((now) => now.id)).toBe('');
  });

  test('the refusal of a file goes when a person writes on', async () => {
    const page = await openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.evaluate((element) => {
      const files = new DataTransfer();
      files.items.add(new File(['words'], 'letter.txt', { type: 'text/plain' }));
      element.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: files }));
    });
    const alert = page.getByRole('alert').filter({ hasText: 'Sotto cannot take files yet.' });
    await alert.waitFor();
    await box.press('a');
    await expect.poll(() => alert.count()).toBe(0);
  });
});

describe('a dialog', () => {
  test('reads its question when it opens, and is modal', async () => {
    const page = await openChat();
    await openPairs(page, 'an answer');
    await page.getByRole('button', { name: 'Options of A title' }).press('Enter');
    await page.getByRole('menuitem', { name: 'Delete' }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const read = await dialog.evaluate((element) => ({
      isModal: element.ariaModal,
      words: document.getElementById(element.getAttribute('aria-describedby') ?? '')?.textContent,
    }));
    expect(read.isModal).toBe('true');
    expect(read.words).toContain('This cannot be undone.');
    expect(read.words).not.toContain('Cancel');
  });

  test('hides the conversation behind it, not what is announced meanwhile', async () => {
    const page = await openChat();
    await openPairs(page, 'an answer');
    const turn = await askInPage(page, 'Another question');
    await page.getByRole('button', { name: /^Protection/ }).press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await page.getByRole('log').count()).toBe(0);
    await page.evaluate((each) => window.vault.endAnswer(each, 'complete'), turn);
    // By role: what is hidden from a screen reader has none.
    await said(page, 'The answer is complete.');
    await page.keyboard.press('Escape');
    await page.getByRole('log').waitFor();
  });
});

test('a changed password is confirmed, and the confirmation has the focus', async () => {
  const page = await client.openPage({ path: '/new-password', status: 'unlocked' });
  await page.getByLabel('Current password').fill('the old words');
  await page.getByLabel('New password', { exact: true }).fill('four unrelated words suffice');
  await page.getByLabel('New password again').fill('four unrelated words suffice');
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: 'Your password is changed' });
  await heading.waitFor();
  await expect.poll(() => heading.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.getByRole('button', { name: 'To your chats' }).press('Enter');
  await page.getByRole('textbox', { name: 'Message' }).waitFor();
});
