import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { showConversation } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

async function openConversation(width = 1280): Promise<Page> {
  const page = await client.openChat({ width });
  const id = await page.evaluate(() => window.vault.addConversation('A title', [['a question', 'an answer']]));
  await showConversation(page, id);
  await page.getByText('an answer').waitFor();
  return page;
}

describe('the shield', () => {
  test('says in one sentence what protects, and opens to what was checked', async () => {
    const page = await openConversation();
    const shield = page.getByRole('button', { name: /^Protection/ });
    expect(await shield.getAttribute('aria-label')).toBe('Protection: No protection from whoever runs this machine.');
    await shield.click();
    const details = page.getByRole('dialog', { name: 'What protects this conversation' });
    const contents = await details.textContent();
    for (const text of [
      'Signature (enforced)',
      'Hardware (not offered)',
      '7f3a 91c2',
      'c4d1 6e02',
      'development',
      'rehearsal',
    ]) {
      expect(contents).toContain(text);
    }
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^Protection/);
  });

  test('a refused enclave is said, with the step that failed', async () => {
    const page = await openConversation();
    await page.evaluate(() =>
      window.vault.setEnclave({
        kind: 'refused',
        code: 'nonce',
        withoutMinimum: null,
        steps: [{ check: 'freshness', result: 'failed', detail: 'other-question', values: {} }],
      }),
    );
    await page
      .getByRole('button', {
        name: 'Protection: Nothing is sent: the evidence answers another question: it may be an old one.',
      })
      .click();
    const steps = await page.getByRole('dialog').getByRole('listitem').allTextContents();
    const asked = () =>
      page.evaluate(() => window.vault.calls.filter(({ name }) => name === 'openConversation').length);
    const before = await asked();
    await page.getByRole('button', { name: 'Ask again' }).click();
    expect(await asked()).toBe(before + 1);
    expect(steps).toEqual(['Freshness (failed)It does not answer this question: it may be an old one.']);
  });

  test('without a conversation there is nothing to show of the relay yet', async () => {
    const page = await client.openPage({ path: '/chat', status: 'unlocked' });
    await page.getByRole('button', { name: /^Protection/ }).click();
    expect(await page.getByRole('button', { name: 'What the relay sees' }).isDisabled()).toBe(true);
  });
});

describe.each([1280, 390])('“What the relay sees”, %i px wide', (width) => {
  test('the words beside the bytes, all of them on demand', async () => {
    const page = await openConversation(width);
    await page.getByRole('button', { name: /^Protection/ }).click();
    await page.getByRole('button', { name: 'What the relay sees' }).click();
    const region = page.getByRole('region', { name: 'What the relay sees' });
    const rows = region.getByRole('listitem');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(2);
    const first = await rows.first().innerText();
    expect(first).toContain('a question');
    expect(first).toMatch(/(?:[0-9a-f]{2} ){20}/);
    expect(first).toMatch(/Stored\s+Nov 2[123], 2026, /);
    expect(first).not.toContain('Version');
    await rows.first().getByText('3 more columns').click();
    expect(await rows.first().innerText()).toContain('Version');
    expect(await region.innerText()).toContain('Hash of the user name');
    await rows.first().getByRole('button', { name: 'Show all bytes' }).click();
    await rows.first().getByRole('button', { name: 'Show more' }).waitFor();
    const more = async () => (await rows.first().innerText()).match(/\b[0-9a-f]{2}\b/g)!.length;
    expect(await more()).toBeGreaterThanOrEqual(8192);
    await rows.first().getByRole('button', { name: 'Show more' }).click();
    await rows.first().getByRole('button', { name: 'Show more' }).click();
    expect(await more()).toBeGreaterThanOrEqual(20_000);
    expect(await rows.first().getByRole('button').count()).toBe(0);
    expect(await region.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
  });
});

test('the relay view is asked for again when an answer is stored', async () => {
  const page = await openConversation();
  const turn = await page.evaluate(() => {
    const id = window.vault.calls.findLast(({ name }) => name === 'openConversation')!.input as {
      conversationId: string;
    };
    return window.vault.addTurn(id.conversationId, 'another', { kind: 'streaming' });
  });
  await page.getByRole('button', { name: /^Protection/ }).click();
  await page.getByRole('button', { name: 'What the relay sees' }).click();
  const asked = () => page.evaluate(() => window.vault.calls.filter(({ name }) => name === 'relayView').length);
  await page.getByRole('region', { name: 'What the relay sees' }).getByRole('listitem').first().waitFor();
  const before = await asked();
  await page.evaluate((id) => window.vault.streamText(id, 'words'), turn);
  await page.evaluate(() => new Promise(requestAnimationFrame));
  expect(await asked()).toBe(before);
  await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
  await page.waitForFunction(
    (count) => window.vault.calls.filter(({ name }) => name === 'relayView').length > count,
    before,
  );
});
