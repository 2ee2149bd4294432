import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import { ask, createAccount, finishedAnswer, messageBox } from '../../parts/users/at-page/person-at-page.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';
import { inventPerson } from '../../parts/users/person.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let sotto: RunningSotto;

beforeAll(async () => {
  [browser, sotto] = await Promise.all([startBrowser(), startSotto()]);
});
afterAll(async () => {
  await browser.close();
  await sotto.stop();
});

/** Violations of WCAG 2.2 A and AA as lines that say where. */
async function violations(page: Page, where: string): Promise<string[]> {
  // Motion is over before contrast is measured.
  await page.waitForTimeout(400);
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: AxeViolation[] }> } };
    type AxeViolation = { id: string; nodes: { html: string; failureSummary: string }[] };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const result = await axe.run({ runOnly: { type: 'tag', values: tags } });
    return result.violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
    );
  });
  return found.map((line) => `${where}: ${line}`);
}

async function newPage(theme: 'light' | 'dark', viewport: { width: number; height: number }) {
  // Playwright puts axe into the page's own world, which Trusted Types would refuse; what is measured stays the same.
  const context: BrowserContext = await browser.newContext({
    colorScheme: theme,
    viewport,
    bypassCSP: true,
    reducedMotion: 'reduce',
  });
  return { context, page: await context.newPage() };
}

describe.each(['light', 'dark'] as const)('axe finds nothing, %s theme', (theme) => {
  it.each([
    ['desktop', { width: 1280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const)('every page, %s', async (_name, viewport) => {
    const { context, page } = await newPage(theme, viewport);
    const found: string[] = [];
    const account = inventPerson();
    for (const path of ['/', '/create-account', '/sign-in', '/recover']) {
      await page.goto(`${sotto.url}${path}`);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      found.push(...(await violations(page, path)));
    }
    await page.goto(`${sotto.url}/create-account`);
    await page.getByRole('textbox', { name: 'User name' }).fill(account.userName);
    await page.getByLabel('Password', { exact: true }).fill(account.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByTestId('recovery-phrase').waitFor();
    found.push(...(await violations(page, 'recovery phrase')));
    for (const checkbox of await page.getByRole('checkbox').all()) await checkbox.check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await messageBox(page).waitFor();
    found.push(...(await violations(page, 'empty chat')));
    await ask(page, 'Show me a list and a code block.');
    await page.locator('article[aria-busy="true"]').waitFor();
    found.push(...(await violations(page, 'streaming')));
    await finishedAnswer(page);
    found.push(...(await violations(page, 'chat')));
    await page.getByRole('button', { name: /^Protection/ }).click();
    found.push(...(await violations(page, 'shield')));
    await page.getByRole('button', { name: 'What the relay sees' }).click();
    await page.getByRole('region', { name: 'What the relay sees' }).waitFor();
    found.push(...(await violations(page, 'relay view')));
    await page.keyboard.press('Escape');
    await page.goto(`${sotto.url}/chat`);
    await messageBox(page).waitFor();
    if (viewport.width < 600) {
      await page
        .getByRole('button', { name: /conversations|menu|sidebar/i })
        .first()
        .click();
    }
    await page.getByRole('button', { name: 'Account' }).click();
    found.push(...(await violations(page, 'account menu')));
    await page.getByRole('menuitem', { name: 'Lock' }).click();
    await page.getByRole('button', { name: 'Unlock' }).waitFor();
    found.push(...(await violations(page, 'unlock')));
    await context.close();
    expect(found).toEqual([]);
  });
});

describe('the keyboard alone', () => {
  it('signs up, asks and reads', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(sotto.url);
    await tabTo(page, /Create account/);
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'User name' }).waitFor();
    const account = inventPerson();
    await tabTo(page, /User name/);
    await page.keyboard.type(account.userName);
    await page.keyboard.press('Tab');
    await page.keyboard.type(account.password);
    await page.keyboard.press('Enter');
    await page.getByTestId('recovery-phrase').waitFor();
    await tabTo(page, /^I have written/);
    await page.keyboard.press('Space');
    expect(await page.getByRole('checkbox').isChecked()).toBe(true);
    await tabTo(page, /^Continue/);
    await page.keyboard.press('Enter');
    await messageBox(page).waitFor();
    await expect.poll(() => messageBox(page).evaluate((box) => box === document.activeElement)).toBe(true);
    await page.keyboard.type('Typed with the keyboard alone.');
    await page.keyboard.press('Enter');
    expect((await finishedAnswer(page)).length).toBeGreaterThan(20);
    await expect.poll(() => messageBox(page).evaluate((box) => box === document.activeElement)).toBe(true);
    await context.close();
  });

  it('nothing scrolls sideways at 320 pixels', async () => {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
    const page = await context.newPage();
    for (const path of ['/', '/create-account', '/sign-in', '/recover']) {
      await page.goto(`${sotto.url}${path}`);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(320);
    }
    await createAccount(page, sotto.url);
    await ask(page, 'Show me a list and a code block.');
    await finishedAnswer(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await context.close();
  });
});

/** Presses Tab until the focused element bears the name. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement === document.body ? null : document.activeElement;
      // The page as a whole holds every name.
      if (element === document.body) return '';
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
      return element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? '';
    });
    if (name.test(focused.trim())) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reached ${name}`);
}
