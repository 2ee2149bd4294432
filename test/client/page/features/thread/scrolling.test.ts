import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { askInPage, openPairs, settle, streamInPage } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

async function openChat(): Promise<Page> {
  return client.openChat({ reducedMotion: true });
}

const line = 'A line of the answer that takes some room on the screen.\n\n';
const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });
const scrollState = (page: Page) =>
  log(page).evaluate(({ scrollTop, scrollHeight, clientHeight }) => ({
    top: scrollTop,
    left: scrollHeight - clientHeight - scrollTop,
  }));
describe('scrolling', () => {
  test('a long conversation opens at its end, with few rows in the document', async () => {
    const page = await openChat();
    await openPairs(page, line.repeat(4), 500);
    await settle(page);
    await page.getByText('question 499', { exact: true }).waitFor();
    expect((await scrollState(page)).left).toBeLessThanOrEqual(4);
    const articles = page.getByRole('article');
    expect(await articles.count()).toBeLessThan(40);
    expect(await articles.last().getAttribute('aria-posinset')).toBe('1000');
    expect(await articles.last().getAttribute('aria-setsize')).toBe('1000');
  });

  test('a sent question goes to the top of the view, its answer grows below it, then the view goes along', async () => {
    const page = await openChat();
    await openPairs(page, line.repeat(8), 3);
    const turn = await askInPage(page, 'And now?');
    await settle(page);
    const box = await log(page).boundingBox();
    const question = await page.getByRole('article', { name: /^You/ }).last().boundingBox();
    expect(question!.y - box!.y).toBeLessThan(60);
    const before = await scrollState(page);
    await streamInPage(page, turn, line);
    await settle(page);
    expect(await scrollState(page)).toEqual(before);
    await streamInPage(page, turn, line.repeat(30));
    await settle(page);
    const after = await scrollState(page);
    expect(after.top).toBeGreaterThan(before.top);
    expect(after.left).toBeLessThanOrEqual(4);
    await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
    await settle(page);
    expect((await scrollState(page)).top).toBe(after.top);
  });

  test('the reader who scrolls up is left alone until the button is pressed', async () => {
    const page = await openChat();
    await openPairs(page, line.repeat(8), 3);
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, line.repeat(30));
    await settle(page);
    await log(page).hover();
    await page.mouse.wheel(0, -300);
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    await settle(page);
    const { top } = await scrollState(page);
    await streamInPage(page, turn, line.repeat(10));
    await settle(page);
    await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
    await settle(page);
    expect((await scrollState(page)).top).toBe(top);
    await page.getByRole('button', { name: 'Jump to latest' }).click();
    await settle(page);
    expect((await scrollState(page)).left).toBeLessThanOrEqual(4);
    expect(await page.getByRole('button', { name: 'Jump to latest' }).count()).toBe(0);
  });

  test('the reader who scrolls up by what tells no wheel, key or pointer is left alone: a scrollbar over the words, a search', async () => {
    const page = await openChat();
    await openPairs(page, line.repeat(8), 3);
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, line.repeat(30));
    await settle(page);
    const { top } = await scrollState(page);
    await log(page).evaluate((element) => element.scrollTo({ top: element.scrollTop - 400, behavior: 'instant' }));
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    await streamInPage(page, turn, line.repeat(10));
    await settle(page);
    expect((await scrollState(page)).top).toBe(top - 400);
    await page.getByRole('button', { name: 'Jump to latest' }).click();
    await settle(page);
    await streamInPage(page, turn, line.repeat(10));
    await settle(page);
    expect((await scrollState(page)).left).toBeLessThanOrEqual(4);
  });

  test('reaching the end by hand takes the following up again', async () => {
    const page = await openChat();
    await openPairs(page, line.repeat(8), 3);
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, line.repeat(30));
    await settle(page);
    await log(page).hover();
    await page.mouse.wheel(0, -300);
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    await page.mouse.wheel(0, 5000);
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor({ state: 'detached' });
    await streamInPage(page, turn, line.repeat(10));
    await settle(page);
    expect((await scrollState(page)).left).toBeLessThanOrEqual(4);
  });

  test('a layout change alone does not end the following', async () => {
    const page = await openChat();
    await openPairs(page, line.repeat(8), 3);
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, line.repeat(30));
    await settle(page);
    await page.setViewportSize({ width: 900, height: 500 });
    await settle(page);
    await streamInPage(page, turn, line.repeat(3));
    await settle(page);
    expect((await scrollState(page)).left).toBeLessThanOrEqual(4);
  });

  test('Alt and the arrows step from message to message; the focused one stays when it is scrolled away', async () => {
    const page = await openChat();
    await openPairs(page, line.repeat(4), 40);
    await settle(page);
    await page.getByRole('article').last().focus();
    await page.keyboard.press('Alt+ArrowUp');
    const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).dataset['message']);
    const one = await focused();
    expect(one).toMatch(/^question/);
    await log(page).evaluate((element) => element.scrollTo({ top: 0 }));
    await page.getByText('question 0', { exact: true }).waitFor();
    expect(await focused()).toBe(one);
    await page.keyboard.press('Alt+ArrowDown');
    expect(await focused()).toMatch(/^answer/);
  });
});
