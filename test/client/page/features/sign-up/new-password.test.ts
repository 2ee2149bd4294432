import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';

const client = clientOfTests();

const password = 'four unrelated words suffice';

describe('new password', () => {
  const changes = (page: Page) =>
    page.evaluate(() => window.vault.calls.filter(({ name }) => name === 'changePassword').map(({ input }) => input));
  const isFocused = (field: Locator) => field.evaluate((element) => element === document.activeElement);
  const fieldsOf = (page: Page) => ({
    current: page.getByLabel('Current password'),
    first: page.getByLabel('New password', { exact: true }),
    again: page.getByLabel('New password again'),
    set: page.getByRole('button', { name: 'Set password' }),
  });

  async function openFilled(again = password) {
    const page = await client.openPage({ path: '/new-password', status: 'unlocked' });
    const fields = fieldsOf(page);
    await fields.current.fill('the old words');
    await fields.first.fill(password);
    await fields.again.fill(again);
    return { page, ...fields };
  }

  test('asks for the current one and twice for the new one, as password managers know them', async () => {
    const { page, current, first, again, set } = await openFilled();
    const kinds = [current, first, again].map((field) => field.getAttribute('autocomplete'));
    expect(await Promise.all(kinds)).toEqual(['current-password', 'new-password', 'new-password']);
    await set.click();
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor();
    expect(await changes(page)).toEqual([
      { newPassword: password, proof: { by: 'password', password: 'the old words' } },
    ]);
  });

  test('that was typed twice in two ways goes nowhere: the field says so and has the focus', async () => {
    const { page, current, again, set } = await openFilled('four unrelated words suffise');
    await set.click();
    expect(await page.getByRole('alert').textContent()).toBe('This is not the same as the new password above.');
    expect([await isFocused(again), await again.getAttribute('aria-invalid')]).toEqual([true, 'true']);
    const description = await again.getAttribute('aria-describedby');
    expect(description).toBe(await page.getByRole('alert').getAttribute('id'));
    expect([await changes(page), await current.inputValue()]).toEqual([[], 'the old words']);
    await again.fill(password);
    expect(await page.getByRole('alert').count()).toBe(0);
    await set.click();
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor();
  });

  test('with a wrong current one: its field says so in one sentence, and nothing that was typed is lost', async () => {
    const { page, current, first, again, set } = await openFilled();
    await page.evaluate(() => window.vault.failures.set('changePassword', { code: 'wrong-password' }));
    await set.click();
    expect(await page.getByRole('alert').textContent()).toBe(
      'This is not your current password. Check it, then try again.',
    );
    expect([await isFocused(current), await current.getAttribute('aria-invalid')]).toEqual([true, 'true']);
    const values = [current, first, again].map((field) => field.inputValue());
    expect(await Promise.all(values)).toEqual(['the old words', password, password]);
    await current.press('Enter');
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor();
  });

  test('by the recovery phrase, where the current one is forgotten', async () => {
    const { page, first, set } = await openFilled();
    await page.getByRole('button', { name: 'Use your recovery phrase instead' }).click();
    const phrase = page.getByRole('textbox', { name: 'Recovery phrase' });
    expect(await isFocused(phrase)).toBe(true);
    await phrase.fill('1. abandon\n2. ability');
    await page.getByText('2 of 24 words').waitFor();
    await page.evaluate(() => window.vault.failures.set('changePassword', { code: 'invalid-phrase' }));
    await set.click();
    await page.getByRole('alert').waitFor();
    expect([await isFocused(phrase), await first.inputValue()]).toEqual([true, password]);
    await set.click();
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor();
    expect((await changes(page)).at(-1)).toEqual({
      newPassword: password,
      proof: { by: 'phrase', words: 'abandon ability' },
    });
  });

  test('after a recovery asks for nothing old; once that is some time ago, for the phrase again', async () => {
    const page = await client.openPage({ path: '/recover' });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByRole('textbox', { name: 'Recovery phrase' }).fill('abandon ability');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const { current, first, again, set } = fieldsOf(page);
    await first.fill(password);
    await again.fill(password);
    expect(await current.count()).toBe(0);
    await page.evaluate(() => window.vault.failures.set('changePassword', { code: 'proof-needed' }));
    await set.click();
    const phrase = page.getByRole('textbox', { name: 'Recovery phrase' });
    await phrase.waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('Type it once more.');
    expect([await isFocused(phrase), await first.inputValue()]).toEqual([true, password]);
    await phrase.fill('abandon ability');
    await set.click();
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor();
    expect(await changes(page)).toEqual([
      { newPassword: password, proof: { by: 'recent-phrase' } },
      { newPassword: password, proof: { by: 'phrase', words: 'abandon ability' } },
    ]);
  });
});
