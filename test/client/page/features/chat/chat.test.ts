import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { askInPage, showConversation } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

const calls = (page: Page, wanted: string) =>
  page.evaluate((name) => window.vault.calls.filter((call) => call.name === name).map(({ input }) => input), wanted);

describe('asking', () => {
  test('from the box to the finished answer', async () => {
    const page = await client.openChat();
    const turn = await askInPage(page, 'A question');
    expect(page.url()).toMatch(/\/chat\/[A-Za-z0-9_-]{22}$/);
    const answer = page.getByRole('article', { name: /^Assistant/ });
    expect(await answer.getAttribute('aria-busy')).toBe('true');
    await page.getByText('Connecting to the enclave').waitFor();
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('');
    expect(await page.getByRole('button', { name: 'Send' }).count()).toBe(0);
    await page.evaluate((id) => window.vault.streamText(id, 'The **first** words'), turn);
    await answer.getByText('first', { exact: true }).waitFor();
    await page.evaluate((id) => {
      window.vault.streamText(id, ', and the last.');
      window.vault.endAnswer(id, 'complete');
    }, turn);
    await page.waitForFunction(
      () => document.querySelector('[data-message^="answer-"]')?.getAttribute('aria-busy') === 'false',
    );
    expect(await answer.textContent()).toContain('The first words, and the last.');
    await page.getByRole('button', { name: 'Send' }).waitFor();
  });

  test('Stop stands in place of Send, and Escape does the same', async () => {
    const page = await client.openChat();
    const first = await askInPage(page, 'One');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped. What had come is kept.').waitFor();
    const second = await askInPage(page, 'Two');
    await page.getByRole('textbox', { name: 'Message' }).press('Escape');
    await page.getByRole('button', { name: 'Send' }).waitFor();
    expect(await calls(page, 'stop')).toEqual([{ turnId: first }, { turnId: second }]);
  });

  test('Shift+Enter is a new line, Enter of an input method chooses a word, Enter sends', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.pressSequentially('one');
    await box.press('Shift+Enter');
    await box.pressSequentially('two');
    expect(await box.inputValue()).toBe('one\ntwo');
    for (const kind of [{ isComposing: true }, { keyCode: 229 }]) {
      await box.evaluate((element, more) => {
        element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...more }));
      }, kind);
    }
    expect(await calls(page, 'send')).toEqual([]);
    await box.press('Enter');
    await page.getByRole('article', { name: /^You/ }).waitFor();
    expect(await calls(page, 'send')).toEqual([{ conversationId: null, text: 'one\ntwo' }]);
  });

  test('nothing but blanks is not sent; a refusal keeps the text', async () => {
    const page = await client.openChat();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('  \n ');
    await box.press('Enter');
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    await page.evaluate(() => window.vault.failures.set('send', { code: 'storage-unavailable' }));
    await box.fill('kept');
    await box.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await box.inputValue()).toBe('kept');
    expect(await calls(page, 'send')).toHaveLength(1);
  });
});

describe('endings', () => {
  test.each([
    ['cut-off', 'This answer was cut off. It is not complete.'],
    ['busy', 'The enclave is busy with other questions.'],
    ['error', 'The model stopped with an error.'],
    ['length', 'The answer reached the length that the model allows.'],
  ] as const)('%s is said, never shown as finished', async (outcome, text) => {
    const page = await client.openChat();
    const turn = await askInPage(page, 'A question');
    await page.evaluate(
      ([id, how]) => {
        window.vault.streamText(id, 'Half of');
        window.vault.endAnswer(id, how);
      },
      [turn, outcome] as const,
    );
    await page.getByText(text).waitFor();
    if (outcome === 'length') return;
    await page.getByRole('button', { name: 'Retry' }).click();
    expect(await calls(page, 'retry')).toMatchObject([{ turnId: turn }]);
  });

  test('complete says nothing more', async () => {
    const page = await client.openChat();
    const turn = await askInPage(page, 'A question');
    await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
    await page.getByRole('button', { name: 'Send' }).waitFor();
    expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
  });

  test('unsent and missing are said, with the reason', async () => {
    const page = await client.openChat();
    const turn = await askInPage(page, 'A question');
    await page.evaluate(
      (id) => window.vault.setAnswerState(id, { kind: 'unsent', failure: { code: 'relay:quota-exceeded' } }),
      turn,
    );
    await page.getByText('Your space at the relay is full. Your message is kept.').waitFor();
    await page.evaluate((id) => window.vault.setAnswerState(id, { kind: 'missing' }), turn);
    await page.getByText('Reply missing').waitFor();
    expect(await page.getByRole('article', { name: /^Assistant/ }).getAttribute('aria-busy')).toBe('false');
  });

  test('while the relay cannot be reached a waiting question says that it is kept', async () => {
    const page = await client.openChat();
    await askInPage(page, 'A question');
    await page.evaluate(() => window.vault.emit({ type: 'connection', status: 'relay-unreachable' }));
    await page.getByText('Relay unreachable. Your message is kept').waitFor();
    await page.evaluate(() => window.vault.emit({ type: 'connection', status: 'connected' }));
    await page.getByText('Connecting to the enclave').waitFor();
    expect(await page.getByText('Your message is kept').count()).toBe(0);
  });

  test('a model that loads shows how far it is', async () => {
    const page = await client.openChat();
    await page.evaluate(() => {
      const view = window.vault.enclave;
      if (view.kind !== 'verified') return;
      const next = { model: 'm', receivedBytes: 40, totalBytes: 100 };
      window.vault.setEnclave({ ...view, status: { state: 'loading', reason: 'model-loading', next } });
    });
    await askInPage(page, 'A question');
    await page.getByText('Model loading 40%').waitFor();
    expect(await page.getByRole('progressbar', { name: 'Model loading' }).getAttribute('aria-valuenow')).toBe('40');
  });
});

describe('theme', () => {
  test('chosen in the account menu, kept for the next page load', async () => {
    const page = await client.openChat();
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await paper();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    await page.waitForFunction(
      (before) => getComputedStyle(document.documentElement).backgroundColor !== before,
      light,
    );
    await page.reload();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    expect(await paper()).not.toBe(light);
  });
});

describe('shortcuts', () => {
  test('new chat, sidebar, message box', async () => {
    const page = await client.openChat();
    const id = await page.evaluate(() => window.vault.addConversation('Second', [['q', 'a']]));
    await showConversation(page, id);
    await page.keyboard.press('Control+Shift+KeyS');
    await page.getByRole('navigation', { name: 'Conversations' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Control+Shift+KeyS');
    await page.getByRole('navigation', { name: 'Conversations' }).waitFor();
    await page.getByRole('link', { name: 'Second' }).focus();
    await page.keyboard.press('Shift+Escape');
    const focused = () => page.evaluate(() => document.activeElement?.id);
    expect(await focused()).toBe('message');
    await page.keyboard.press('Control+Shift+KeyO');
    await page.waitForURL('**/chat');
    expect(await focused()).toBe('message');
  });
});

describe('phone', () => {
  test('the sidebar is a drawer that closes when something is chosen', async () => {
    const page = await client.openChat({ width: 390, height: 844, touch: true });
    await page.evaluate(() => window.vault.addConversation('Second', [['q', 'an answer']]));
    expect(await page.getByRole('navigation', { name: 'Conversations' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Show sidebar' }).click();
    await page.getByRole('link', { name: 'Second' }).click();
    await page.getByText('an answer').waitFor();
    await page.getByRole('navigation', { name: 'Conversations' }).waitFor({ state: 'detached' });
  });

  test('at 320 px nothing is wider than the screen', async () => {
    const page = await client.openChat({ width: 320, height: 640, touch: true });
    const id = await page.evaluate(() =>
      window.vault.addConversation('t', [
        ['W'.repeat(300), `| a | b |\n|--|--|\n| ${'w'.repeat(80)} | ${'w '.repeat(60)} |\n\n${'W'.repeat(300)}`],
      ]),
    );
    await showConversation(page, id);
    await page.getByRole('article', { name: /^Assistant/ }).waitFor();
    for (const path of [null, '/', '/sign-in', '/create-account']) {
      if (path !== null) {
        await page.evaluate(() => sessionStorage.setItem('scripted-status', 'signed-out'));
        await page.goto(`${client.origin}${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    }
  });
});
