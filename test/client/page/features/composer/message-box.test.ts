import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { hardwareEnclave } from '../../../../parts/vault/scripted-client/scripted-contents.ts';
import { openPairs, settle } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

describe('the message box: says what cannot be sent, and loses nothing of it', () => {
  test('a text that is too long stays whole in the box', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('x'.repeat(200_321));
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('alert').getByText('This message is too long by 321 characters.').waitFor();
    expect((await box.inputValue()).length).toBe(200_321);
    expect(await page.evaluate(() => window.vault.calls.filter(({ name }) => name === 'send').length)).toBe(0);
    await box.fill('x'.repeat(200_000));
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('article', { name: /^You/ }).waitFor();
  });

  test('a long text has one direction before it is pasted, or Chromium would stand still; a short one that of each paragraph', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.waitFor();
    await page.evaluate(() => {
      // Just before the browser puts it in.
      addEventListener('beforeinput', ({ target }) => {
        document.body.dataset['seen'] = (target as HTMLElement).dir;
      });
    });
    for (const [line, lines, dir] of [
      ['a short one\n', 3, 'auto'],
      ['1. lines\n', 15_000, 'ltr'],
      ['1. كلمة\n', 15_000, 'rtl'],
      ['a short one\n', 3, 'auto'],
    ] as const) {
      await box.fill('');
      await page.evaluate((text) => navigator.clipboard.writeText(text), line.repeat(lines));
      await box.press('ControlOrMeta+v');
      expect(await page.evaluate(() => document.body.dataset['seen'])).toBe(dir);
      await expect.poll(() => box.inputValue()).toHaveLength(line.length * lines);
      expect(await box.getAttribute('dir')).toBe(dir);
    }
  });

  test('a question that nobody could see is not sent', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('\u200B\u2060\u3164 \u00AD\uFEFF');
    await box.press('Enter');
    await page.getByRole('alert').getByText('There is nothing to read in this message.').waitFor();
    expect(await page.evaluate(() => window.vault.calls.filter(({ name }) => name === 'send').length)).toBe(0);
  });

  test('files are refused in words, and a dropped one does not take the page away', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('typed before');
    for (const [type, target] of [
      ['drop', 'body'],
      ['paste', '#message'],
    ] as const) {
      const isPrevented = await page.evaluate(
        ([name, selector]) => {
          const files = new DataTransfer();
          files.items.add(new File(['words'], 'letter.txt', { type: 'text/plain' }));
          const event =
            name === 'drop'
              ? new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: files })
              : new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: files });
          document.querySelector(selector)?.dispatchEvent(event);
          return event.defaultPrevented;
        },
        [type, target] as const,
      );
      expect(isPrevented, type).toBe(true);
      await page.getByRole('alert').getByText('Sotto cannot take files yet.').waitFor();
      await box.press('End');
      await page.keyboard.type('.');
    }
    expect(await box.inputValue()).toBe('typed before..');
  });
});

test('the message box: the ring of its focus is whole below a conversation as it is below none', async () => {
  const page = await client.openChat({ reducedMotion: true });
  const box = page.getByRole('textbox', { name: 'Message' });
  const ringAbove = async () => {
    await box.focus();
    await settle(page);
    const frame = (await box.locator('..').boundingBox())!;
    return page.screenshot({ clip: { x: frame.x + 100, y: frame.y - 1, width: 200, height: 1 } });
  };
  // Its engine needs no line between the thread and the box.
  await page.evaluate((view) => window.vault.setEnclave(view), hardwareEnclave);
  const alone = await ringAbove();
  await openPairs(page, 'An answer of a line.', 3);
  expect((await ringAbove()).equals(alone)).toBe(true);
  await box.blur();
  await settle(page);
  const frame = (await box.locator('..').boundingBox())!;
  const blurred = await page.screenshot({ clip: { x: frame.x + 100, y: frame.y - 1, width: 200, height: 1 } });
  expect(blurred.equals(alone)).toBe(false);
});
