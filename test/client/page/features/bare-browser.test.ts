import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { askInPage, openPairs, ScriptedClient } from '../../../parts/vault/scripted-client/scripted-page.ts';

let client: ScriptedClient;
beforeAll(async () => {
  client = await ScriptedClient.start();
});
// Fails a test in which the page threw anything.
afterEach(() => client.endTest());
afterAll(() => client.stop());

const lacksStorageManager = () => Object.defineProperty(Navigator.prototype, 'storage', { value: undefined });
const lacksPersist = () => Object.defineProperty(StorageManager.prototype, 'persist', { value: undefined });
const refusesPersist = () =>
  Object.defineProperty(StorageManager.prototype, 'persist', { value: () => Promise.reject(new TypeError('no')) });
const lacksClipboard = () => Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined });
const lacksFormattedCopies = () => Object.defineProperty(Clipboard.prototype, 'write', { value: undefined });

describe('asking, in a browser that', () => {
  test.each([
    ['keeps storage when asked', () => undefined],
    ['has no storage manager', lacksStorageManager],
    ['cannot be asked to keep storage', lacksPersist],
    ['refuses to keep storage', refusesPersist],
  ])('%s: the question is in the conversation, and the box is empty', async (_browser, prepare) => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked', prepare });
    await askInPage(page, 'A question that must not be lost');
    expect(page.url()).toMatch(/\/chat\/[A-Za-z0-9_-]{22}$/);
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('');
  });
});

describe('copying', () => {
  test('an answer, without a clipboard: the button says that it could not', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked', prepare: lacksClipboard });
    await openPairs(page, 'Some words');
    await page.getByRole('button', { name: 'Copy answer' }).click();
    await page.getByRole('button', { name: 'Could not copy' }).waitFor();
    expect(await page.getByRole('button', { name: 'Copied' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Copy answer' }).waitFor();
  });

  test('an answer, where only plain text can be copied: its Markdown', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked', prepare: lacksFormattedCopies });
    await openPairs(page, 'Some **bold** words');
    await page.getByRole('button', { name: 'Copy answer' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('Some **bold** words');
  });

  test('the recovery phrase, without a clipboard: says what to do instead', async () => {
    const page = await client.openPage({ path: '/create-account', prepare: lacksClipboard });
    await page.getByRole('textbox', { name: 'User name' }).fill('quiet-otter');
    await page.getByLabel('Password').fill('several quiet unrelated lanterns');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('alert').getByText('Write them down, or download them.').waitFor();
    expect(await page.getByRole('button', { name: 'Copied' }).count()).toBe(0);
  });
});
