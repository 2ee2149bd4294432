import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';

const client = clientOfTests();

const password = 'four unrelated words suffice';

describe('home', () => {
  test('one way in for new people and one for known ones; the vault is not loaded for it', async () => {
    const page = await client.openPage();
    await page.getByRole('link', { name: 'Create account' }).waitFor();
    expect(await page.getByRole('link', { name: 'Sign in' }).count()).toBe(1);
    expect(await page.evaluate(() => window.vault.calls.length)).toBe(0);
    expect(await page.title()).toBe('Sotto, a private AI chat');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('textbox', { name: 'User name' }).waitFor();
    expect(page.url()).toBe(`${client.origin}/sign-in`);
  });

  test('the home page: a person with a session goes on to the chat', async () => {
    const page = await client.openChat();
    await page.goto(client.origin);
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    expect(page.url()).toBe(`${client.origin}/chat`);
  });
});

describe('sign-up', () => {
  test('name and password, then the phrase, then the chat', async () => {
    const page = await client.openPage({ path: '/create-account' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByLabel('Password').fill(password);
    await page.getByText('Strength: strong').waitFor();
    await page.getByRole('button', { name: 'Create account' }).click();
    const phrase = page.getByTestId('recovery-phrase');
    expect(((await phrase.textContent()) ?? '').trim().split(/\s+/)).toHaveLength(24);
    expect(await phrase.locator('> *').count()).toBe(24);
    const onward = page.getByRole('button', { name: 'Continue' });
    await onward.click();
    await page.getByRole('alert').getByText('Write the words down first').waitFor();
    expect(await page.evaluate(() => window.vault.calls.map(({ name }) => name))).not.toContain('finishSignUp');
    await page.getByRole('checkbox').check();
    await onward.click();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    expect(await page.evaluate(() => window.vault.calls.find(({ name }) => name === 'beginSignUp')?.input)).toEqual({
      userName: 'quiet-otter',
      password,
    });
  });

  test('a weak password is called weak, a taken name leads back to the form', async () => {
    const page = await client.openPage({ path: '/create-account' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByLabel('Password').fill('password1');
    await page.getByText('Strength: very weak').waitFor();
    await page.evaluate(() => window.vault.failures.set('finishSignUp', { code: 'name-taken' }));
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    const name = page.getByRole('textbox', { name: 'User name' });
    await name.waitFor();
    expect(await name.inputValue()).toBe('quiet-otter');
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    await page.getByText('This user name is taken').waitFor();
  });

  test('a complaint about a field goes when its words change, and stays while others do', async () => {
    const page = await client.openPage({ path: '/create-account' });
    const name = page.getByRole('textbox', { name: 'User name' });
    const password = page.getByLabel('Password');
    const alert = page.getByRole('alert');
    await name.fill('quiet-otter');
    await password.fill('password1');
    await page.evaluate(() => window.vault.failures.set('beginSignUp', { code: 'weak-password' }));
    await page.getByRole('button', { name: 'Create account' }).click();
    await alert.waitFor();
    await name.fill('quiet-badger');
    expect(await alert.textContent()).toContain('too easy to guess');
    await password.fill('four unrelated words suffice');
    await page.getByText('Strength: strong').waitFor();
    expect([await alert.count(), await password.getAttribute('aria-invalid')]).toEqual([0, null]);
    await page.evaluate(() => window.vault.failures.set('beginSignUp', { code: 'invalid-user-name' }));
    await page.getByRole('button', { name: 'Create account' }).click();
    await alert.waitFor();
    await name.fill('quiet-heron');
    expect([await alert.count(), await name.getAttribute('aria-invalid')]).toEqual([0, null]);
  });

  test('left in the middle: what was drawn is forgotten', async () => {
    const page = await client.openPage({ path: '/create-account' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByTestId('recovery-phrase').waitFor();
    const cancelled = () => page.evaluate(() => window.vault.calls.some(({ name }) => name === 'cancelSignUp'));
    expect(await cancelled()).toBe(false);
    await page.getByRole('link', { name: 'Sotto' }).click();
    await page.getByRole('link', { name: 'Create account' }).waitFor();
    expect(await cancelled()).toBe(true);
  });

  test('the phrase can be copied and downloaded', async () => {
    const page = await client.openPage({ path: '/create-account' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.split(' ')).toHaveLength(24);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('sotto-recovery-phrase.txt');
    expect((await readFile(await file.path(), 'utf8')).split('\n')).toContain(copied);
  });
});

describe('sign-in', () => {
  test('a refusal is an alert and loses nothing of what was typed; then it works', async () => {
    const page = await client.openPage({ path: '/sign-in' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByLabel('Password').fill('wrong');
    await page.evaluate(() => window.vault.failures.set('signIn', { code: 'too-many-attempts', retryAfterMs: 30_000 }));
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.getByRole('alert').textContent()).toBe('Too many attempts. Try again in 30 seconds.');
    expect(await page.getByRole('textbox', { name: 'User name' }).inputValue()).toBe('quiet-otter');
    await page.getByLabel('Password').press('Enter');
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
  });

  test('by recovery phrase: numbers of a list are left out, then a new password, which can be skipped', async () => {
    const page = await client.openPage({ path: '/sign-in' });
    await page.getByRole('link', { name: /recovery phrase/i }).click();
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByRole('textbox', { name: 'Recovery phrase' }).fill('1. abandon\n2. ability\n 3) able');
    await page.getByText('3 of 24 words').waitFor();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('New password', { exact: true }).waitFor();
    expect(await page.evaluate(() => window.vault.calls.find(({ name }) => name === 'signIn')?.input)).toEqual({
      by: 'phrase',
      userName: 'quiet-otter',
      words: 'abandon ability able',
    });
    await page.getByRole('button', { name: 'Skip' }).click();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
  });

  test('by recovery phrase: the word that is wrong is named and selected, and goes nowhere else', async () => {
    const page = await client.openPage({ path: '/recover' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    const phrase = page.getByRole('textbox', { name: 'Recovery phrase' });
    await phrase.fill(
      Array.from({ length: 24 }, (_, index) => `${index + 1}. ${index === 4 ? 'abl' : 'zoo'}`).join('\n'),
    );
    await page.evaluate(() => window.vault.failures.set('signIn', { code: 'invalid-phrase', unknownWords: [5] }));
    await page.getByRole('button', { name: 'Sign in' }).press('Enter');
    expect(await page.getByRole('alert').textContent()).toContain('Word 5, “abl”, is in no recovery phrase.');
    const selected = await phrase.evaluate((field) => {
      const { value, selectionStart, selectionEnd } = field as HTMLTextAreaElement;
      return value.slice(selectionStart, selectionEnd);
    });
    expect(selected).toBe('abl');
    // Typing replaces it; the sentence goes on naming what was sent.
    await page.keyboard.type('able');
    expect(await phrase.inputValue()).toContain('5. able');
    expect(await page.getByRole('alert').textContent()).toContain('“abl”');
    expect(page.url()).not.toContain('abl');
    expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain('zoo');
  });

  test('the page that was asked for comes after it, but not for the next person', async () => {
    const page = await client.openPage({ path: '/chat/AAAAAAAAAAAAAAAAAAAAAA' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/chat/AAAAAAAAAAAAAAAAAAAAAA');
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('textbox', { name: 'User name' }).fill('other-otter');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    expect(page.url()).toBe(`${client.origin}/chat`);
  });
});

describe('lock', () => {
  test('leads to unlock, and the password back to the same page', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const id = await page.evaluate(() => window.vault.addConversation('A title', [['a question', 'an answer']]));
    await page.getByRole('link', { name: 'A title' }).click();
    await page.getByText('an answer').waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Lock' }).click();
    await page.getByRole('button', { name: 'Unlock' }).waitFor();
    expect(await page.content()).not.toContain('an answer');
    await page.evaluate(() => window.vault.failures.set('unlock', { code: 'sign-in-failed' }));
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Unlock' }).click();
    expect(await page.getByRole('alert').textContent()).toBe('That password does not match.');
    await page.getByRole('button', { name: 'Unlock' }).click();
    await page.waitForURL(`**/chat/${id}`);
    await page.getByText('an answer').waitFor();
  });

  test('by keyboard alone, and the focus is in the password then and in the message box after it', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '');
    await expect.poll(focused).toBe('message');
    const account = page.getByRole('button', { name: 'Account' });
    for (let press = 0; press < 30; press += 1) {
      if (await account.evaluate((button) => button === document.activeElement)) break;
      await page.keyboard.press('Shift+Tab');
    }
    await page.keyboard.press('Enter');
    const lock = page.getByRole('menuitem', { name: 'Lock' });
    await lock.waitFor();
    for (let press = 0; press < 10; press += 1) {
      if (await lock.evaluate((item) => item === document.activeElement)) break;
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('Enter');
    const field = page.getByLabel('Password', { exact: true });
    await field.waitFor();
    await expect.poll(() => field.evaluate((input) => input === document.activeElement)).toBe(true);
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('message');
    expect(
      await page.evaluate(() => window.vault.calls.flatMap(({ name }) => (name === 'lock' ? [name] : []))),
    ).toEqual(['lock']);
  });

  test('nothing of the account is in clear in browser storage', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    await page.getByRole('textbox', { name: 'Message' }).fill('a secret');
    const kept = await page.evaluate(() => JSON.stringify(Object.entries(localStorage)));
    expect(JSON.parse(kept)).toEqual([['sotto.session', '1']]);
  });
});
