import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { maximumMessageLength } from '../../../../../crypto/protocol/contents/item-contents.ts';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';

const client = clientOfTests();

const calls = (page: Page, wanted: string) =>
  page.evaluate((name) => window.vault.calls.filter((call) => call.name === name).map(({ input }) => input), wanted);

describe('drafts', () => {
  test('kept shortly after typing, back after a change of conversation, gone once sent', async () => {
    const page = await client.openChat();
    const id = await page.evaluate(() => window.vault.addConversation('Other', [['q', 'a']]));
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('for the new chat');
    await page.waitForFunction(() => window.vault.drafts.get('new') === 'for the new chat');
    await box.fill('for the new chat, longer');
    await page.getByRole('link', { name: 'Other' }).click();
    await page.waitForFunction(() => window.vault.drafts.get('new') === 'for the new chat, longer');
    expect(await box.inputValue()).toBe('');
    await box.fill('for the other');
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.waitForFunction(
      (element) => (element as HTMLTextAreaElement).value === 'for the new chat, longer',
      await box.elementHandle(),
    );
    expect(await page.evaluate((key) => window.vault.drafts.get(key), id)).toBe('for the other');
    await box.press('Enter');
    await page.waitForFunction(() => window.vault.drafts.get('new') === '');
  });

  test('the draft of a conversation that another device deletes goes into a new chat, behind the words there', async () => {
    const page = await client.openChat();
    const id = await page.evaluate(() => window.vault.addConversation('Other', [['q', 'a']]));
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('for the new chat');
    await page.getByRole('link', { name: 'Other' }).click();
    await page.waitForURL(`**/chat/${id}`);
    await expect.poll(() => box.inputValue()).toBe('');
    await box.fill('for the other');
    await page.evaluate((conversationId) => window.vault.deleteConversation({ conversationId }), id);
    await page.getByRole('button', { name: 'Start another' }).click();
    await expect.poll(() => box.inputValue()).toBe('for the new chat\n\nfor the other');
    await page.waitForFunction(() => window.vault.drafts.get('new') === 'for the new chat\n\nfor the other');
  });

  test('a suggestion comes after what is in the box, and takes nothing away', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    const suggestion = page.getByRole('button', { name: 'Put it kindly' });
    await suggestion.click();
    expect(await box.inputValue()).toMatch(/^Rewrite this message/);
    await box.fill('Words of mine.');
    await suggestion.click();
    expect(await box.inputValue()).toMatch(/^Words of mine\.\n\nRewrite this message/);
  });

  test('one that the browser does not keep is said to be in the box alone, until it is kept', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    const alone = page.getByText('It stands in the box alone');
    for (const [code, why] of [
      ['message-too-long', 'too long to be kept'],
      ['browser-storage-full', 'no room left'],
    ] as const) {
      await page.evaluate((failed) => window.vault.failures.set('writeDraft', { code: failed }), code);
      await box.fill(`words that are not kept: ${code}`);
      await alone.waitFor();
      expect(await alone.textContent()).toContain(why);
      expect(await box.inputValue()).toContain('words that are not kept');
      await box.fill('words that are kept');
      await page.waitForFunction(() => window.vault.drafts.get('new') === 'words that are kept');
      await alone.waitFor({ state: 'detached' });
    }
  });

  test('read twice, since one left and came back before the vault had answered: in the box once', async () => {
    const page = await client.openChat();
    await page.evaluate(() => window.vault.addConversation('Other', [['q', 'a']]));
    const box = page.getByRole('textbox', { name: 'Message' });
    const newChat = page.getByRole('button', { name: 'New chat' });
    await page.getByRole('link', { name: 'Other' }).click();
    await page.waitForURL('**/chat/*');
    await page.evaluate(() => {
      window.vault.drafts.set('new', 'from before');
      const read = window.vault.readDraft.bind(window.vault);
      const held: (() => void)[] = [];
      window.vault.readDraft = async (input) => {
        if (input.conversationId !== null) return read(input);
        // Both are answered together, once both are asked.
        await new Promise<void>((answer) => {
          held.push(answer);
          if (held.length === 2) for (const each of held) each();
        });
        return read(input);
      };
    });
    await newChat.click();
    await page.waitForURL('**/chat');
    await page.getByRole('link', { name: 'Other' }).click();
    await page.waitForURL('**/chat/*');
    await newChat.click();
    await page.waitForFunction((element) => (element as HTMLTextAreaElement).value !== '', await box.elementHandle());
    // Whatever else was to come into the box is in it with what is typed now.
    await box.press('End');
    await box.pressSequentially('!');
    await page.waitForFunction(() => window.vault.drafts.get('new')?.endsWith('!'));
    expect(await box.inputValue()).toBe('from before!');
    expect(await page.evaluate(() => window.vault.drafts.get('new'))).toBe('from before!');
  });

  const giveBack = (page: Page, ...words: readonly (readonly [string, string])[]) =>
    page.evaluate(
      (given) =>
        window.vault.emit({ type: 'view', name: 'returned', value: given.map(([turnId, text]) => ({ turnId, text })) }),
      words,
    );
  const savedNew = async (page: Page) =>
    (await calls(page, 'writeDraft')).filter((input) => (input as { conversationId: unknown }).conversationId === null);

  test('words that are given back come after what is in the box of a new chat, and stay there', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('typed');
    await giveBack(page, ['t1', 'given back'], ['t2', 'and more']);
    await page.waitForFunction(() => window.vault.drafts.get('new') === 'typed\n\ngiven back\n\nand more');
    expect(await box.inputValue()).toBe('typed\n\ngiven back\n\nand more');
    const saved = { conversationId: null, text: 'typed\n\ngiven back\n\nand more', returned: ['t1', 't2'] };
    expect((await savedNew(page)).at(-1)).toEqual(saved);
    // The vault has let go of one; the next key press takes nothing away.
    await giveBack(page, ['t2', 'and more']);
    await box.press('End');
    await box.pressSequentially('!');
    await page.waitForFunction(() => window.vault.drafts.get('new')?.endsWith('!'));
    expect(await box.inputValue()).toBe('typed\n\ngiven back\n\nand more!');
  });

  test('words that are given back while another conversation is open wait for a new chat', async () => {
    const page = await client.openChat();
    const id = await page.evaluate(() => window.vault.addConversation('Other', [['q', 'a']]));
    await page.evaluate(() => window.vault.drafts.set('new', 'from before'));
    await page.getByRole('link', { name: 'Other' }).click();
    await page.waitForURL(`**/chat/${id}`);
    const box = page.getByRole('textbox', { name: 'Message' });
    await giveBack(page, ['t1', 'given back']);
    await box.fill('for the other');
    await page.waitForFunction((key) => window.vault.drafts.get(key) === 'for the other', id);
    expect(await savedNew(page)).toEqual([]);
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.waitForFunction(() => window.vault.drafts.get('new') === 'from before\n\ngiven back');
    expect(await box.inputValue()).toBe('from before\n\ngiven back');
  });

  test('words that are given back while a question is being sent are not sent and not cleared with it', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('a question');
    await page.evaluate(() => {
      const send = window.vault.send.bind(window.vault);
      window.vault.send = async (input) => {
        window.vault.emit({ type: 'view', name: 'returned', value: [{ turnId: 't1', text: 'given back' }] });
        while (window.vault.drafts.get('new') !== 'a question\n\ngiven back') await new Promise(requestAnimationFrame);
        return send(input);
      };
    });
    await box.press('Enter');
    await page.waitForFunction(() => window.vault.drafts.get('new') === 'given back');
    expect(await calls(page, 'send')).toEqual([{ conversationId: null, text: 'a question' }]);
  });

  test('words that the draft of another tab has already come with that draft, and overwrite nothing of it', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    const takeElsewhere = (turnId: string, draft: string) =>
      page.evaluate(
        ([id, text]) => {
          window.vault.takenElsewhere.add(id);
          window.vault.drafts.set('new', text);
        },
        [turnId, draft] as const,
      );
    const savedAs = (text: string) =>
      page.waitForFunction((expected) => window.vault.drafts.get('new') === expected, text);
    await takeElsewhere('t1', 'typed there\n\ngiven back');
    await giveBack(page, ['t1', 'given back']);
    await expect.poll(() => box.inputValue()).toBe('typed there\n\ngiven back');
    expect(await savedNew(page)).toEqual([{ conversationId: null, text: 'given back', returned: ['t1'] }]);

    // Words of this box alone come after it, and so do words that the other tab does not have.
    await box.fill('typed here');
    await savedAs('typed here');
    await takeElsewhere('t2', 'typed there\n\nmore');
    await giveBack(page, ['t2', 'more'], ['t3', 'and more']);
    await savedAs('typed there\n\nmore\n\ntyped here\n\nand more');
    await expect.poll(() => box.inputValue()).toBe('typed there\n\nmore\n\ntyped here\n\nand more');
    expect((await savedNew(page)).at(-1)).toMatchObject({ returned: ['t3'] });
  });

  test('a draft that does not fit into one message beside the rest waits until there is room', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('typed');
    await page.evaluate((length) => {
      const words = [
        { turnId: 't1', text: 'x'.repeat(length) },
        { turnId: 't2', text: 'short' },
      ];
      window.vault.emit({ type: 'view', name: 'returned', value: words });
    }, maximumMessageLength);
    await page.waitForFunction(() => window.vault.drafts.get('new') === 'typed\n\nshort');
    expect((await savedNew(page)).at(-1)).toMatchObject({ returned: ['t2'] });
    await box.fill('');
    await page.waitForFunction((length) => window.vault.drafts.get('new') === 'x'.repeat(length), maximumMessageLength);
    await expect.poll(async () => (await box.inputValue()).length).toBe(maximumMessageLength);
    expect((await savedNew(page)).at(-1)).toMatchObject({ returned: ['t2', 't1'] });
  });
});
