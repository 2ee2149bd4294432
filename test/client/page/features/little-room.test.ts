import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { belowMinimum } from '../../../parts/vault/scripted-client/scripted-contents.ts';
import { clientOfTests } from '../../../parts/vault/scripted-client/client-of-tests.ts';
import { openPairs, settle } from '../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

/** A window of 1280 x 800 at 400 % zoom. */
const zoomed = { width: 320, height: 200 };
const phone = { width: 375, height: 667 };

async function openChat(size: { readonly width: number; readonly height: number }): Promise<Page> {
  return client.openChat({ reducedMotion: true, ...size });
}

/** Acts as a phone with large letters: lengths in rem double, the screen stays. */
async function doubleLetters(page: Page): Promise<void> {
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
  await settle(page);
}

/** The share of an element's height that nothing hides, once it has the focus. */
function shareInSight(element: Locator): Promise<number> {
  return element.evaluate((node) => {
    (node as HTMLElement).focus();
    const { left, right, top, height } = node.getBoundingClientRect();
    const rows = Array.from({ length: 20 }, (_, index) => top + ((index + 0.5) * height) / 20);
    const isSeen = (y: number) => node.contains(document.elementFromPoint((left + right) / 2, y));
    return rows.filter(isSeen).length / rows.length;
  });
}

/** Measures how far an element is beyond the left or right edge of another, in px. */
async function sticksOut(inner: Locator, outer: Locator): Promise<number> {
  const [small, large] = await Promise.all([inner.boundingBox(), outer.boundingBox()]);
  return Math.max(0, large!.x - small!.x, small!.x + small!.width - large!.x - large!.width);
}

const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
    return element.getAttribute('aria-label') ?? label ?? element.textContent ?? '';
  });

describe('at 400 % zoom', () => {
  test('each chat of the list comes wholly into sight, and the account below it', async () => {
    const page = await openChat(zoomed);
    await page.evaluate(() => {
      for (let index = 0; index < 30; index += 1) window.vault.addConversation(`Chat ${index}`, []);
    });
    await page.getByRole('button', { name: 'Show sidebar' }).click();
    const links = page.getByRole('navigation', { name: 'Conversations' }).getByRole('link');
    for (const link of [links.first(), links.nth(15), links.last()]) expect(await shareInSight(link)).toBe(1);
    expect(await shareInSight(page.getByRole('button', { name: 'Account' }))).toBe(1);
    expect(await shareInSight(page.getByRole('button', { name: 'New chat' }))).toBe(1);
  });

  test('a question opens at its first word, and its safe answer has the focus', async () => {
    const page = await openChat({ width: 320, height: 320 });
    await page.evaluate((view) => window.vault.setEnclave(view), belowMinimum);
    await page.getByRole('button', { name: 'Lower the minimum here…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Lower the minimum for this conversation?' });
    await expect.poll(() => focused(page)).toBe('Keep my minimum');
    const scrolled = () =>
      dialog.evaluate((each) => [...each.querySelectorAll('div')].map(({ scrollTop }) => scrollTop));
    await settle(page);
    expect(Math.max(...(await scrolled()))).toBe(0);
    await page.keyboard.press('Tab');
    await expect.poll(() => focused(page)).toBe('Lower it here');
    await expect.poll(async () => Math.max(...(await scrolled()))).toBeGreaterThan(0);
  });

  test('a wheel over the end of the messages goes on to the message box', async () => {
    const page = await openChat(zoomed);
    await page.getByRole('textbox', { name: 'Message' }).evaluate((box) => (box as HTMLElement).blur());
    await openPairs(page, 'An answer of a line.', 3);
    await settle(page);
    await page.locator('main').evaluate((main) => main.scrollTo(0, 0));
    await page.mouse.move(100, 100);
    await page.mouse.wheel(0, 2000);
    await settle(page);
    await page.mouse.wheel(0, 2000);
    await expect
      .poll(() => page.locator('main').evaluate((main) => main.scrollHeight - main.clientHeight - main.scrollTop))
      .toBeLessThanOrEqual(1);
  });

  test('the line on what was left out has the width of its message', async () => {
    const page = await openChat(zoomed);
    const id = await openPairs(page, 'An answer.');
    await page.evaluate((conversation) => {
      const ended = { kind: 'ended', outcome: 'complete', code: null, endedEarly: false } as const;
      window.vault.note(window.vault.addTurn(conversation, 'second', ended, 'An answer.'), { leftOut: 12 });
    }, id);
    const line = page.getByText('The 12 oldest messages were left out');
    await line.waitFor();
    expect((await line.boundingBox())!.width).toBeGreaterThan(200);
  });
});

describe('with letters of twice the size on a phone', () => {
  test('messages keep a place above the message box, and both can be reached', async () => {
    const page = await openChat(phone);
    await openPairs(page, 'An answer of a line.', 3);
    await doubleLetters(page);
    expect((await page.getByRole('log').boundingBox())!.height).toBeGreaterThan(150);
    expect(await shareInSight(page.getByRole('button', { name: 'Send' }))).toBe(1);
  });

  test('a dialog and the sidebar keep what closes them inside', async () => {
    const page = await openChat(phone);
    await doubleLetters(page);
    await page.getByRole('button', { name: /^Protection/ }).click();
    const dialog = page.getByRole('dialog');
    const close = dialog.getByRole('button', { name: 'Close' });
    await close.waitFor();
    await settle(page);
    expect(await sticksOut(close, dialog)).toBe(0);
    expect(await sticksOut(dialog, page.locator('html'))).toBe(0);
    expect(await sticksOut(dialog.getByText('No protection from').first(), dialog)).toBe(0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Show sidebar' }).click();
    const sidebar = page.getByRole('dialog', { name: 'Menu' });
    expect(await sticksOut(sidebar.getByRole('button', { name: 'Hide sidebar' }), sidebar)).toBe(0);
  });
});

test('the message box fits its words anew when a screen is turned', async () => {
  const page = await openChat({ width: 844, height: 600 });
  const box = page.getByRole('textbox', { name: 'Message' });
  await box.fill('some words that fill a line or two '.repeat(6));
  const hidden = () => box.evaluate((element) => element.scrollHeight - element.clientHeight);
  const wide = (await box.boundingBox())!.height;
  await page.setViewportSize({ width: 390, height: 844 });
  await settle(page);
  expect(await hidden()).toBe(0);
  await page.setViewportSize({ width: 844, height: 600 });
  await settle(page);
  expect((await box.boundingBox())!.height).toBe(wide);
});

test('the last column of who reads what keeps room for its sentences on a tablet', async () => {
  const page = await client.openPage({ width: 768, height: 1024 });
  const sentence = page.getByText('An account number, times,');
  expect((await sentence.boundingBox())!.width).toBeGreaterThan(280);
});

describe('in forced colours', () => {
  const outline = (page: Page) => page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);

  test('the focus shows in the message box and in a menu', async () => {
    const page = await openChat({ width: 1280, height: 800 });
    await page.emulateMedia({ forcedColors: 'active' });
    await page.getByRole('textbox', { name: 'Message' }).focus();
    expect(await outline(page)).toBe('solid');
    await page.getByRole('button', { name: 'Account' }).press('Enter');
    await page.getByRole('menuitem', { name: 'Lock' }).waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await outline(page)).toBe('solid');
  });
});

describe.each([1280, 390])('the options of a chat, by keyboard alone, %i px wide', (width) => {
  test.each([
    ['Rename', 'Title'],
    ['Delete', 'Cancel'],
  ])('%s: its dialog takes the focus and keeps it, and Escape gives it back', async (option, first) => {
    const page = await openChat({ width, height: 700 });
    await page.evaluate(() => window.vault.addConversation('A chat', [['a question', 'an answer']]));
    if (width < 768) await page.getByRole('button', { name: 'Show sidebar' }).press('Enter');
    await page.getByRole('button', { name: 'Options of A chat' }).press('Enter');
    await page.getByRole('menuitem', { name: option }).press('Enter');
    const heading = page.getByRole('heading', { level: 2, name: `${option} conversation` });
    await heading.waitFor();
    await page.getByRole('menuitem').first().waitFor({ state: 'detached' });
    await settle(page);
    expect(await focused(page)).toBe(first);
    await page.keyboard.press('Escape');
    await heading.waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('Options of A chat');
  });
});
