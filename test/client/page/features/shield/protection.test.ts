import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import {
  belowMinimum,
  developmentEnclave,
  hardwareEnclave,
} from '../../../../parts/vault/scripted-client/scripted-contents.ts';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { showConversation } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

async function openConversation(width = 1280): Promise<Page> {
  const page = await client.openChat({ width, reducedMotion: true });
  const id = await page.evaluate(() => window.vault.addConversation('A title', [['a question', 'an answer']]));
  await showConversation(page, id);
  await page.getByText('an answer').waitFor();
  return page;
}

const callsOf = (page: Page, name: string) =>
  page.evaluate((each) => window.vault.calls.filter((call) => call.name === each).map(({ input }) => input), name);

describe('a refused enclave', () => {
  test('nothing is sent, the words stay in the box, and the page says what failed and what one can do', async () => {
    const page = await openConversation();
    await page.evaluate((view) => window.vault.setEnclave(view), belowMinimum);
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('Words that stay.');
    await page.evaluate(() => window.vault.failures.set('send', { code: 'evidence-refused' }));
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('alert').filter({ hasText: 'Nothing was sent. Your text is still here.' }).waitFor();
    expect(await box.inputValue()).toBe('Words that stay.');
    await page.getByText('this enclave offers less protection than you ask for').first().waitFor();
    await page.getByRole('button', { name: 'See the checks' }).click();
    const dialog = page.getByRole('dialog', { name: 'What protects this conversation' });
    expect(await dialog.getByRole('listitem').last().textContent()).toContain('Your minimum (failed)');
    await page.keyboard.press('Escape');
    const before = (await callsOf(page, 'openConversation')).length;
    await page.getByRole('button', { name: 'Ask again' }).click();
    expect(await callsOf(page, 'openConversation')).toHaveLength(before + 1);
  });

  test('the minimum is lowered by an act of its own that says what it means, and by nothing else', async () => {
    const page = await openConversation();
    await page.evaluate((view) => window.vault.setEnclave(view), belowMinimum);
    await page.getByRole('button', { name: /^Lower the minimum/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Lower the minimum for this conversation?' });
    expect(await dialog.textContent()).toContain('No protection from whoever runs this machine.');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await callsOf(page, 'setConversationMinimum')).toEqual([]);
    await page.getByRole('button', { name: /^Lower the minimum/ }).click();
    await dialog.getByRole('button', { name: 'Lower it here' }).click();
    expect(await callsOf(page, 'setConversationMinimum')).toEqual([
      { conversationId: expect.any(String), level: 'any' },
    ]);
  });

  test('one that is refused for what it is cannot be waved through', async () => {
    const page = await openConversation();
    const refused = { ...belowMinimum, code: 'signature', withoutMinimum: null } as typeof belowMinimum;
    await page.evaluate((view) => window.vault.setEnclave(view), refused);
    await page.getByText('a signature is wrong').first().waitFor();
    expect(await page.getByRole('button', { name: /^Lower the minimum/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'See the checks' }).click();
    expect(await page.getByRole('button', { name: /^Lower the minimum/ }).count()).toBe(0);
  });
});

describe('the shield’s details', () => {
  test('choose what to accept with the keyboard', async () => {
    const page = await openConversation();
    await page.getByRole('button', { name: /^Protection/ }).click();
    const group = page.getByRole('group', { name: 'Accept, in all your conversations' });
    await group.getByRole('radio').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await callsOf(page, 'setMinimum')).toEqual([{ level: 'stated' }, { level: 'hardware' }]);
    expect(await group.getByRole('radio', { name: 'Hardware that proves what runs' }).isChecked()).toBe(true);
  });

  test('show measurement, fingerprints and a link to the release that asks before it leads out', async () => {
    const page = await openConversation();
    await page.evaluate((view) => window.vault.setEnclave(view), hardwareEnclave);
    await page.getByRole('button', { name: /^Protection/ }).click();
    const dialog = page.getByRole('dialog', { name: 'What protects this conversation' });
    const contents = (await dialog.textContent()) ?? '';
    if (hardwareEnclave.kind !== 'verified') throw new Error('refused');
    for (const text of [
      hardwareEnclave.measurement,
      hardwareEnclave.keyFingerprint,
      hardwareEnclave.identityFingerprint,
      'words are sealed to both',
    ]) {
      expect(contents).toContain(text);
    }
    await dialog.getByRole('link', { name: '1.4.0' }).click();
    const question = page.getByRole('dialog', { name: 'Leave Sotto?' });
    expect(await question.textContent()).toContain('compiled into your client');
    expect(await question.textContent()).toContain('https://releases.example/sotto/1.4.0');
  });
});

describe('the verification document', () => {
  test('opens from an answer, and its export is a file with the very document', async () => {
    const page = await openConversation();
    await page.getByRole('button', { name: 'Verification document' }).click();
    const dialog = page.getByRole('dialog', { name: 'Verification document' });
    expect(await callsOf(page, 'readVerification')).toEqual([{ turnId: expect.stringMatching(/^turn-/) }]);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Export' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^sotto-verification-2026-11-22T15-04-12-000Z\.json$/);
    expect(await readFile(await download.path(), 'utf8')).toBe('{"format":1}');
    await dialog.getByText('Handed to your browser’s downloads').waitFor();
  });

  test('opens from the shield', async () => {
    const page = await openConversation();
    await page.getByRole('button', { name: /^Protection/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Verification document' }).click();
    await page.getByRole('heading', { name: 'The checks' }).waitFor();
    expect(await callsOf(page, 'readVerification')).toEqual([{ turnId: null }]);
  });
});

describe('the engine', () => {
  test('which one answers, why, what is on its way, and that another answers now', async () => {
    const page = await openConversation();
    const line = page.getByText('Rehearsal engine: no model is loaded yet; downloading Qwen3.5-0.8B-GGUF… 40%');
    await line.waitFor();
    expect(Number(await page.getByRole('progressbar', { name: 'Model download' }).getAttribute('aria-valuenow'))).toBe(
      40,
    );
    await page.evaluate((view) => {
      if (view.kind !== 'verified' || view.status.next === null) throw new Error('nothing is on its way');
      const next = { ...view.status.next, receivedBytes: view.status.next.totalBytes ?? 0 };
      window.vault.setEnclave({ ...view, status: { ...view.status, reason: 'model-loading', next } });
    }, developmentEnclave);
    await page.getByText('Rehearsal engine: the model is being loaded; loading Qwen3.5-0.8B-GGUF… 100%').waitFor();

    await page.evaluate((view) => {
      if (view.kind !== 'verified') throw new Error('refused');
      window.vault.setEnclave({
        ...view,
        engine: 'gguf',
        model: 'unsloth/Qwen3.5-0.8B-GGUF',
        status: { state: 'ready', reason: 'model-file-here', next: null },
      });
    }, developmentEnclave);
    await page
      .locator('[data-announcer="protection"]')
      .filter({ hasText: 'Another enclave answers now: model Qwen3.5-0.8B-GGUF instead of rehearsal.' })
      .waitFor({ state: 'attached' });
    expect(await page.getByText('Rehearsal engine').count()).toBe(0);
    await page.getByRole('button', { name: /^Protection/ }).click();
    expect(await page.getByRole('dialog').textContent()).toContain('Model on this machine');
  });

  test('a rehearsal that stays says why', async () => {
    const page = await openConversation();
    await page.evaluate((view) => {
      if (view.kind !== 'verified') throw new Error('refused');
      window.vault.setEnclave({ ...view, status: { state: 'ready', reason: 'download-failed', next: null } });
    }, developmentEnclave);
    await page.getByText('Rehearsal engine: the model could not be downloaded', { exact: true }).waitFor();
    expect(await page.getByRole('progressbar').count()).toBe(0);
  });
});

describe('changes of the protection', () => {
  test('between turns is a line between the messages, and one word to a screen reader', async () => {
    const page = await openConversation();
    const announcer = page.locator('[data-announcer="protection"]');
    expect(await announcer.textContent()).toBe('');
    await page.evaluate((view) => window.vault.setEnclave(view), hardwareEnclave);
    await announcer.filter({ hasText: 'Another enclave answers now: AMD hardware' }).waitFor({ state: 'attached' });
    const said = await announcer.textContent();
    // A renewal of the same is no news.
    await page.evaluate(
      (view) => window.vault.setEnclave({ ...view, verifiedAtMs: Date.now() } as typeof view),
      hardwareEnclave,
    );
    expect(await announcer.textContent()).toBe(said);
    await page.evaluate(() => {
      const { conversationId } = window.vault.calls.findLast(({ name }) => name === 'openConversation')!.input as {
        conversationId: string;
      };
      const ended = { kind: 'ended', outcome: 'complete', code: null, endedEarly: false } as const;
      const turn = window.vault.addTurn(conversationId, 'second', ended, 'second answer');
      window.vault.addNotes(turn, 'before', [
        {
          kind: 'enclave-changed',
          before: { kind: 'development', level: 'any', model: 'm', measurement: null, release: null },
          after: { kind: 'tdx', level: 'hardware', model: 'm', measurement: 'aa', release: '1.0' },
        },
      ]);
      window.vault.addNotes(turn, 'after', [{ kind: 'minimum-set', level: 'any', atMs: Date.now(), isLower: true }]);
    });
    await page.getByRole('note').filter({ hasText: 'Intel hardware instead of no evidence' }).waitFor();
    await page.getByRole('note').filter({ hasText: 'You lowered the minimum for this conversation' }).waitFor();
  });

  test('a container that boots is said calmly, with the time that it has taken', async () => {
    const page = await openConversation();
    await page.evaluate(() => window.vault.setEnclave({ kind: 'starting', sinceMs: Date.now() - 67_000 }));
    await page.getByText(/The enclave is starting \(1:0\d\)/).waitFor();
    expect(await page.getByRole('button', { name: 'Protection: The enclave is starting' }).count()).toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
  });
});

test.each(['details', 'document', 'refused', 'lower'])('%s: nothing is wider than 320 px', async (surface) => {
  const page = await openConversation(320);
  const view = surface === 'refused' || surface === 'lower' ? belowMinimum : hardwareEnclave;
  await page.evaluate((each) => {
    window.vault.enclave = each;
    window.vault.setEnclave(each);
  }, view);
  if (surface === 'details') await page.getByRole('button', { name: /^Protection/ }).click();
  if (surface === 'document') await page.getByRole('button', { name: 'Verification document' }).click();
  if (surface === 'lower') await page.getByRole('button', { name: /^Lower the minimum/ }).click();
  if (surface === 'refused') await page.getByRole('button', { name: 'See the checks' }).waitFor();
  else await page.getByRole('dialog').waitFor();
  const overflowing = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[role="dialog"], [role="dialog"] *, form, form *')]
      .filter(
        (element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.matches('.sr-only, .sr-only *'),
      )
      .map((element) => element.outerHTML.slice(0, 100)),
  );
  expect(overflowing).toEqual([]);
});
