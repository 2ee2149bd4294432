import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { belowMinimum, hardwareEnclave } from '../../../parts/vault/scripted-client/scripted-contents.ts';
import { clientOfTests } from '../../../parts/vault/scripted-client/client-of-tests.ts';
import { showConversation } from '../../../parts/vault/scripted-client/scripted-page.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const client = clientOfTests();

/** Every violation as a line; the debugger's own evaluation is outside of the page's policy. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}

/** Motion would be measured half way. */
async function openPage(
  theme: 'light' | 'dark',
  path: string,
  status: 'signed-out' | 'locked' | 'unlocked',
  width = 1280,
) {
  const page = await client.openPage({ path, status, theme, width, reducedMotion: true, touch: width < 500 });
  await page.locator('h1').waitFor({ state: 'attached' });
  return page;
}

const everyKind = `# Title

Words with **weight**, a [link](https://example.org/), \`code\` and ~~old~~.

| a | b |
|---|---|
| 1 | 2 |

\`\`\`ts
// comment
export const total = compute('text', 42);
\`\`\`

- [x] done
- [ ] open

> quoted

![picture](https://example.org/a.png)`;

describe.each(['light', 'dark'] as const)('axe finds nothing, %s', (theme) => {
  test.each(['/', '/create-account', '/sign-in', '/recover', '/nowhere'])('%s', async (path) => {
    expect(await violations(await openPage(theme, path, 'signed-out'))).toEqual([]);
  });

  test('recovery phrase, refusals', async () => {
    const page = await openPage(theme, '/create-account', 'signed-out');
    await page.evaluate(() => window.vault.failures.set('beginSignUp', { code: 'invalid-user-name' }));
    await page.getByRole('textbox', { name: 'User name' }).fill('x');
    await page.getByLabel('Password').fill('four unrelated words suffice');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('A user name has').waitFor();
    await page.getByText('Strength:').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByTestId('recovery-phrase').waitFor();
    await page.getByRole('checkbox').check();
    expect(await violations(page)).toEqual([]);
  });

  test('unlock, new password', async () => {
    expect(await violations(await openPage(theme, '/unlock', 'locked'))).toEqual([]);
    const page = await openPage(theme, '/new-password', 'unlocked');
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Current password').fill('the old words');
    await page.getByLabel('New password', { exact: true }).fill('four unrelated words suffice');
    await page.getByLabel('New password again').fill('others');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('alert').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Use your recovery phrase instead' }).click();
    expect(await violations(page)).toEqual([]);
  });

  test.each([1280, 390])('chat in all its states, %i px wide', async (width) => {
    const page = await openPage(theme, '/chat', 'unlocked', width);
    await page.getByRole('button', { name: /^Protection: No/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    const id = await page.evaluate((text) => {
      const conversation = window.vault.addConversation('A title', [['a question', text]]);
      window.vault.addConversation('Another', [['q', 'a']], 86_400_000 * 3);
      window.vault.changeSummary(conversation, { answering: true, stored: false });
      return conversation;
    }, everyKind);
    await showConversation(page, id);
    await page.locator('.hljs-keyword').first().waitFor();
    await page.evaluate((each) => {
      window.vault.addTurn(each, 'cut', { kind: 'ended', outcome: 'cut-off', code: null, endedEarly: false }, 'half');
      window.vault.addTurn(each, 'failed', { kind: 'ended', outcome: 'error', code: 'x', endedEarly: false });
      window.vault.streamText(window.vault.addTurn(each, 'now', { kind: 'streaming' }), 'words', 'thoughts');
      window.vault.emit({ type: 'connection', status: 'offline' });
      window.vault.emit({ type: 'alarm', code: 'vault-tampered' });
    }, id);
    await page.getByText('This answer was cut off').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    if (width < 500) await page.getByRole('button', { name: 'Show sidebar' }).click();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Lock' }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('shield and relay view', async () => {
    const page = await openPage(theme, '/chat', 'unlocked');
    const id = await page.evaluate(() => window.vault.addConversation('A title', [['a question', 'an answer']]));
    await showConversation(page, id);
    await page.getByRole('button', { name: /^Protection: No/ }).click();
    await page.getByText('What your browser checked').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'What the relay sees' }).click();
    await page.getByRole('region', { name: 'What the relay sees' }).getByRole('listitem').first().waitFor();
    expect(await violations(page)).toEqual([]);
  });
});

describe.each(['light', 'dark'] as const)('axe finds nothing in what protects, %s', (theme) => {
  test.each([1280, 320])('%i px wide', async (width) => {
    const page = await openPage(theme, '/chat', 'unlocked', width);
    const id = await page.evaluate((view) => {
      window.vault.enclave = view;
      const conversation = window.vault.addConversation('A title', [['a question', 'an answer']]);
      const ended = { kind: 'ended', outcome: 'complete', code: null, endedEarly: false } as const;
      const turn = window.vault.addTurn(conversation, 'second', ended, 'second answer');
      window.vault.addNotes(turn, 'after', [{ kind: 'minimum-set', level: 'any', atMs: 0, isLower: true }]);
      return conversation;
    }, hardwareEnclave);
    await showConversation(page, id);
    await page.getByRole('note').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: /^Protection/ }).click();
    await page.getByText('Who answers').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Verification document' }).click();
    await page.getByRole('heading', { name: 'The checks' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.evaluate((view) => window.vault.setEnclave(view), belowMinimum);
    await page.getByRole('button', { name: 'See the checks' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: /^Lower the minimum/ }).click();
    await page.getByRole('button', { name: 'Lower it here' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.evaluate(() => window.vault.setEnclave({ kind: 'starting', sinceMs: Date.now() }));
    await page.getByText(/The enclave is starting \(/).waitFor();
    expect(await violations(page)).toEqual([]);
  });
});

test('the check itself finds a fault that is planted', async () => {
  const page = await openPage('light', '/', 'signed-out');
  await page.locator('h1').evaluate((heading) => {
    (heading as HTMLElement).style.color = 'rgb(220, 215, 205)';
  });
  expect((await violations(page)).join()).toContain('color-contrast');
});

describe('a screen reader', () => {
  test('hears that an answer comes and that it is complete, and none of its words by itself', async () => {
    const page = await openPage('light', '/chat', 'unlocked');
    const id = await page.evaluate(() => window.vault.addConversation('A title', [['q', 'a']]));
    await showConversation(page, id);
    const turn = await page.evaluate((each) => window.vault.addTurn(each, 'now', { kind: 'streaming' }), id);
    const status = page.locator('output.sr-only:not([data-announcer])');
    await status.filter({ hasText: 'The assistant is responding.' }).waitFor({ state: 'attached' });
    await page.evaluate((each) => window.vault.streamText(each, 'secret words'), turn);
    await page.getByText('secret words').waitFor();
    const live = await page
      .locator('output, [aria-live]:not([aria-live="off"]), [role="status"], [role="alert"]')
      .allTextContents();
    expect(live.join()).not.toContain('secret words');
    await page.evaluate((each) => window.vault.endAnswer(each, 'complete'), turn);
    await status.filter({ hasText: 'The answer is complete.' }).waitFor({ state: 'attached' });
  });

  test('is told nothing about an old conversation that is only opened', async () => {
    const page = await openPage('light', '/chat', 'unlocked');
    const id = await page.evaluate(() => window.vault.addConversation('A title', [['q', 'a']]));
    await showConversation(page, id);
    await page.getByRole('article').first().waitFor();
    expect(await page.locator('output.sr-only:not([data-announcer])').textContent()).toBe('');
  });
});

test('targets are at least 24 px, for a finger 44', async () => {
  for (const [width, least] of [
    [1280, 24],
    [390, 44],
  ] as const) {
    const page = await openPage('light', '/chat', 'unlocked', width);
    const id = await page.evaluate(
      (text) => window.vault.addConversation('A title', [['a question', text]]),
      everyKind,
    );
    await showConversation(page, id);
    await page.locator('pre').waitFor();
    const small = await page.evaluate((minimum) => {
      const inText = (element: Element) => element.closest('.prose p') !== null;
      return [...document.querySelectorAll('button, a, summary, textarea')]
        .filter((element) => !inText(element) && element.getClientRects().length > 0 && !element.matches('.sr-only'))
        .filter((element) => {
          const { width: w, height: h } = element.getBoundingClientRect();
          return w < minimum || h < minimum;
        })
        .map(
          (element) =>
            `${element.outerHTML.slice(0, 120)} ${element.getBoundingClientRect().width}x${element.getBoundingClientRect().height}`,
        );
    }, least);
    expect(small).toEqual([]);
  }
});

test('alarms are taken away at 400 % zoom too, by mouse and by keyboard', async () => {
  const page = await client.openChat({ width: 320, height: 200 });
  await page.evaluate(() => {
    window.vault.emit({ type: 'alarm', code: 'vault-tampered' });
    window.vault.emit({ type: 'alarm', code: 'vault-rolled-back' });
  });
  const dismiss = page.getByRole('button', { name: 'Dismiss' });
  await dismiss.last().click();
  expect(await dismiss.count()).toBe(1);
  await dismiss.focus();
  const box = await dismiss.boundingBox();
  expect((box?.y ?? 200) + (box?.height ?? 0)).toBeLessThanOrEqual(200);
  await page.keyboard.press('Enter');
  await dismiss.waitFor({ state: 'detached' });
});
