import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { misplacedText } from '../../../../parts/browser/measure-columns.ts';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { settle, showConversation } from '../../../../parts/vault/scripted-client/scripted-page.ts';
import { wideAnswer, wideQuestions, wideThings } from '../../../../parts/worker/writing/wide-answers.ts';

const client = clientOfTests();

const widths = [320, 390, 600, 768, 1280] as const;
type Pair = readonly [question: string, answer: string];

async function openPairs(page: Page, pairs: readonly Pair[]): Promise<void> {
  const id = await page.evaluate((all) => window.vault.addConversation('Wide things', all), pairs);
  await showConversation(page, id);
  await page.getByRole('article').last().waitFor();
  await settle(page);
}

async function openAtWidth(width: number, pairs: readonly Pair[]): Promise<Page> {
  // So tall that every row is rendered.
  const page = await client.openChat({ width, height: 4000, reducedMotion: true });
  await openPairs(page, pairs);
  return page;
}

describe('the words of a message stay in their column', () => {
  test.each(Object.entries(wideThings))('beside %s, at every width', async (name, thing) => {
    const page = await openAtWidth(widths[0], [[name, wideAnswer(thing)]]);
    for (const width of widths) {
      await page.setViewportSize({ width, height: 4000 });
      await settle(page);
      expect({ width, misplaced: await misplacedText(page) }).toEqual({ width, misplaced: [] });
    }
  });

  test.each(Object.entries(wideQuestions))('in a question with %s, at every width', async (_name, question) => {
    const page = await openAtWidth(widths[0], [[question, 'An answer.']]);
    for (const width of widths) {
      await page.setViewportSize({ width, height: 4000 });
      await settle(page);
      expect({ width, misplaced: await misplacedText(page) }).toEqual({ width, misplaced: [] });
    }
  });

  test('the measure itself finds a paragraph that is pushed out', async () => {
    const page = await openAtWidth(390, [['a question', 'A paragraph of some words that fill a line or two.']]);
    expect(await misplacedText(page)).toEqual([]);
    await page.locator('.prose').evaluate((prose) => {
      (prose as HTMLElement).style.width = '1000px';
    });
    expect(await misplacedText(page)).not.toEqual([]);
  });

  test('a wide block scrolls inside itself by the keyboard alone, and nothing else moves', async () => {
    const page = await openAtWidth(390, [['a question', wideAnswer(wideThings['a table of many columns'] ?? '')]]);
    const region = page.getByRole('figure', { name: 'Table' });
    await region.focus();
    for (let press = 0; press < 5; press += 1) await page.keyboard.press('ArrowRight');
    await expect.poll(() => region.evaluate((element) => element.scrollLeft)).toBeGreaterThan(50);
    expect(await page.getByRole('log').evaluate((log) => log.scrollLeft)).toBe(0);
    expect(await page.evaluate(() => document.scrollingElement?.scrollLeft)).toBe(0);
  });
});

describe('the last message is visible above the message box', () => {
  test.each([
    ['at 400 % zoom', 320, 256],
    ['on a phone', 320, 568],
    ['on a phone with its keyboard open', 320, 308],
    ['on a phone that lies on its side', 568, 320],
    ['on a desktop', 1280, 800],
  ])('%s (%i × %i)', async (_name, width, height) => {
    const page = await client.openChat({ width, height, reducedMotion: true });
    await openPairs(page, [['A question', 'First words.\n\nThe last words of all.']]);
    await settle(page);
    const seen = await page.evaluate(() => {
      const paragraph = [...document.querySelectorAll('.prose p')].at(-1)!.getBoundingClientRect();
      const log = document.querySelector('[role="log"]')!.getBoundingClientRect();
      const box = document.querySelector('textarea')!.getBoundingClientRect();
      const x = paragraph.left + 4;
      const y = (paragraph.top + paragraph.bottom) / 2;
      return {
        isInLog: paragraph.top >= log.top && paragraph.bottom <= log.bottom,
        isOnTop: document.elementFromPoint(x, y)?.closest('.prose') !== null,
        isBoxVisible: box.top >= log.bottom - 1 && box.bottom <= innerHeight,
      };
    });
    expect(seen).toEqual({ isInLog: true, isOnTop: true, isBoxVisible: true });
  });
});

test('the buttons of a message stand in line with its words', async () => {
  for (const touch of [false, true]) {
    const page = await client.openChat({ width: 390, touch, reducedMotion: true });
    await openPairs(page, [['A question', 'An answer.']]);
    const gaps = await page.evaluate(() => {
      const box = (selector: string) => document.querySelector(selector)!.getBoundingClientRect();
      return {
        answer: box('[aria-label="Copy answer"] svg').left - box('.prose p').left,
        question: box('[aria-label="Copy question"] svg').right - box('[aria-label^="You"] > div').right,
      };
    });
    expect(Math.abs(gaps.answer)).toBeLessThanOrEqual(2);
    expect(Math.abs(gaps.question)).toBeLessThanOrEqual(2);
  }
});

describe('on paper', () => {
  test('the whole conversation stands below itself, without the page around it', async () => {
    const page = await client.openChat({ reducedMotion: true });
    const pairs = Array.from({ length: 60 }, (_, index) => [`Question ${index}`, `Answer ${index}.`] as const);
    await openPairs(page, pairs);
    expect(await page.getByRole('article').count()).toBeLessThan(60);
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    const printed = await page.evaluate(() => {
      const tops = [...document.querySelectorAll('article')].map((each) => each.getBoundingClientRect().top);
      const log = document.querySelector('[role="log"]')!;
      return {
        count: tops.length,
        isInOrder: tops.every((top, index) => index === 0 || top > (tops[index - 1] ?? 0)),
        isCut: log.scrollHeight > log.clientHeight + 1,
        seesBox: document.querySelector('textarea')!.getClientRects().length > 0,
      };
    });
    expect(printed).toEqual({ count: 120, isInOrder: true, isCut: false, seesBox: false });
    await page.emulateMedia({ media: 'screen' });
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    await expect.poll(() => page.getByRole('article').count()).toBeLessThan(60);
  });

  test('nothing to press is on paper, and the place of a picture is', async () => {
    const page = await client.openChat({ height: 500, reducedMotion: true });
    const picture = '![A map](https://example.org/a.png)';
    await openPairs(page, [
      ['A question', `${'A line.\n\n'.repeat(40)}\`\`\`\ncode\n\`\`\``],
      ['Another', `${picture}\n\n${'A line.\n\n'.repeat(40)}`],
    ]);
    await page.getByRole('log').hover();
    await page.mouse.wheel(0, -900);
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    const shown = () => page.getByRole('main').getByRole('button').allInnerTexts();
    expect((await shown()).length).toBeGreaterThan(4);
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await shown()).toEqual([expect.stringContaining('https://example.org/a.png')]);
  });

  test('a line of code and the words of a table go on in the next line, where nobody can scroll', async () => {
    const page = await openAtWidth(768, [
      ['Code, please', wideAnswer(wideThings['a long line of code'] ?? '')],
      ['A table, please', wideAnswer(wideThings['a table of long words'] ?? '')],
    ]);
    const cut = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('pre, .wide-table')].map((each) => each.scrollWidth > each.clientWidth + 1),
      );
    expect(await cut()).toEqual([true, true]);
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await cut()).toEqual([false, false]);
  });

  test('a table of more columns than paper has room for goes on in the next line, each cell below its name', async () => {
    const page = await openAtWidth(700, [['A table, please', wideAnswer(wideThings['a table of many columns'] ?? '')]]);
    const table = () =>
      page.locator('.wide-table').evaluate((figure) => {
        const [names, cells] = [...figure.querySelectorAll('tr')].map((row) =>
          [...row.children].map((cell) => Math.round(cell.getBoundingClientRect().left)),
        );
        return { isCut: figure.scrollWidth > figure.clientWidth + 1, isAligned: String(names) === String(cells) };
      });
    expect(await table()).toEqual({ isCut: true, isAligned: true });
    await page.emulateMedia({ media: 'print' });
    expect(await table()).toEqual({ isCut: false, isAligned: true });
  });

  test('an answer is no grid, which Firefox would move to the next page as a whole', async () => {
    const page = await openAtWidth(768, [['A question', 'An answer.']]);
    const displays = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('article[aria-label^="Assistant"], article:has(.prose) > :has(.prose)')].map(
          (each) => getComputedStyle(each).display,
        ),
      );
    expect(await displays()).toEqual(['grid', 'grid']);
    await page.emulateMedia({ media: 'print' });
    expect(await displays()).toEqual(['block', 'block']);
  });
});
