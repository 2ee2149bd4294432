import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { hostileAnswers } from '../../../../parts/worker/writing/hostile-answers.ts';
import { misplacedText } from '../../../../parts/browser/measure-columns.ts';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import {
  askInPage,
  openPairs,
  settle,
  showConversation,
  streamInPage,
} from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

async function openChat(width = 1280): Promise<Page> {
  return client.openChat({ reducedMotion: true, width });
}

async function openAnswer(page: Page, answer: string): Promise<void> {
  const id = await page.evaluate(
    (text) =>
      window.vault.addConversation('Hostile', [
        ['First?', text],
        ['Last?', 'The last words.'],
      ]),
    answer,
  );
  await showConversation(page, id);
  await page.getByText('The last words.').waitFor();
}

/** Waits until no piece is left to mount. */
async function wholeAnswer(page: Page, lastWords: string): Promise<void> {
  await page.locator('.prose').filter({ hasText: lastWords }).first().waitFor({ state: 'attached' });
}

describe('a conversation with a hostile answer', () => {
  test('each is shown with the answer that follows, in their column', async () => {
    const page = await openChat(320);
    const failed: string[] = [];
    for (const [name, make] of Object.entries(hostileAnswers)) {
      await openAnswer(page, make(6 * 1024));
      await settle(page);
      const misplaced = await misplacedText(page);
      if (misplaced.length > 0) failed.push(`${name}: ${JSON.stringify(misplaced[0])}`);
      if (!(await page.getByRole('textbox', { name: 'Message' }).isVisible())) failed.push(`${name}: no message box`);
    }
    expect(failed).toEqual([]);
  }, 600_000);

  test.each(['Thai and Khmer without spaces', 'code in Arabic and Chinese', 'link definitions'] as const)(
    '%s: few pieces are mounted in a task, and all of them come',
    async (name) => {
      const page = await openChat();
      const text = hostileAnswers[name]?.(16 * 1024) ?? '';
      await page.evaluate(() => {
        const seen = { length: 0, most: 0 };
        Object.assign(window, { seen });
        // Called once behind each task that changed something.
        new MutationObserver(() => {
          const length = Math.max(
            0,
            ...[...document.querySelectorAll('.prose')].map((prose) => prose.textContent.length),
          );
          seen.most = Math.max(seen.most, length - seen.length);
          seen.length = length;
        }).observe(document.body, { childList: true, subtree: true });
      });
      await openAnswer(page, text);
      const look = () => page.evaluate(() => (window as unknown as { seen: { length: number; most: number } }).seen);
      await expect.poll(async () => (await look()).length, { timeout: 60_000 }).toBeGreaterThan(15_000);
      expect((await look()).most).toBeLessThan(5_000);
    },
  );

  test('a list of 1,000 signs and one that is nested 300 deep are streamed to their end', async () => {
    const deep = Array.from({ length: 300 }, (_, level) => `${' '.repeat(2 * level)}- level ${level}`).join('\n');
    const page = await openChat();
    await openPairs(page, 'An answer.');
    for (const [text, words] of [
      [`${'- '.repeat(1000)}end of signs`, 'end of signs'],
      [deep, 'level 299'],
    ] as const) {
      const turn = await askInPage(page, `What about ${words}?`);
      for (let at = 0; at < text.length; at += 5000) await streamInPage(page, turn, text.slice(at, at + 5000));
      await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
      await wholeAnswer(page, words);
    }
    expect(await misplacedText(page)).toEqual([]);
  });

  test('10,000 items, 400 rows and 100 kB without a line end come whole', async () => {
    const page = await openChat();
    for (const [text, words] of [
      [`${'- item\n'.repeat(10_000)}- the end`, 'the end'],
      [`| a | b |\n|---|---|\n${'| one | two |\n'.repeat(400)}| three | the end |`, 'the end'],
      [`| a |\n|---|\n${'| one |\n'.repeat(5000)}| the end |`, 'the end'],
      [`${'x'.repeat(100_000)} the end`, 'the end'],
    ] as const) {
      await openAnswer(page, text);
      await wholeAnswer(page, words);
      expect(await page.getByText('The last words.').count()).toBe(1);
    }
  }, 120_000);

  test('numbers of a list go on over its pieces', async () => {
    const page = await openChat();
    await openPairs(page, `${Array.from({ length: 300 }, () => '1. an item of some words\n').join('')}1. the last one`);
    await wholeAnswer(page, 'the last one');
    const numbers = await page
      .locator('.prose ol')
      .evaluateAll((lists) => lists.map((list) => [(list as HTMLOListElement).start, list.children.length] as const));
    expect(numbers.length).toBeGreaterThan(1);
    let next = 1;
    for (const [start, length] of numbers) {
      expect(start).toBe(next);
      next += length;
    }
    expect(next).toBe(302);
  });

  test('a long table in pieces is one table with one head', async () => {
    const page = await openChat();
    const rows = Array.from({ length: 120 }, (_, index) => `| row ${index} | \`a || b\` |`).join('\n');
    await openPairs(page, `| name | code |\n|---|---|\n${rows}\n\nthe end`);
    await wholeAnswer(page, 'the end');
    expect(await page.locator('.prose table').count()).toBe(1);
    expect(await page.locator('.prose thead').count()).toBe(1);
    expect(await page.locator('.prose tbody tr').count()).toBe(120);
    expect(await page.locator('.prose tbody code').first().textContent()).toBe('a || b');
  });
});

/** Lines of code on which a sign stands left of the one before it. */
function misorderedCode(page: Page): Promise<string[]> {
  return page.locator('.prose code').evaluateAll((codes) =>
    codes.flatMap((code) => {
      const wrong: string[] = [];
      const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
      let last = new DOMRect();
      for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
        for (let at = 0; at < (text.textContent?.length ?? 0); at += 1) {
          const range = new Range();
          range.setStart(text, at);
          range.setEnd(text, at + 1);
          const box = range.getBoundingClientRect();
          if (box.width === 0) continue;
          if (Math.abs(box.top - last.top) < box.height / 2 && box.left < last.left) wrong.push(code.textContent ?? '');
          last = box;
        }
      }
      return [...new Set(wrong)];
    }),
  );
}

describe('code in an answer', () => {
  const [override, isolate, leftToRight, end, rightMark] = ['\u202E', '\u2067', '\u2066', '\u2069', '\u200F'];
  const lines = {
    'an override': `if (level != "user${override} ${leftToRight}// admin${end} ${leftToRight}") {`,
    isolates: `${isolate}${leftToRight}first()${end} ; ${leftToRight}second()${end}${end}`,
    'a mark alone': `let left = ${rightMark}5 - 3;`,
  };

  test.each(Object.entries(lines))(
    'stands in the order in which it runs and is copied, with %s in it',
    async (_, line) => {
      const page = await openChat();
      const plain = line.replaceAll(/[\u200F\u202E\u2066-\u2069]/g, '');
      await openPairs(
        page,
        `\`\`\`js${override}x\n${line}\n\`\`\`\n\n- \`\`\`js\n  ${line}\n  \`\`\`\n- \`${line}\`\n- \`two || pipes\``,
      );
      await settle(page);
      expect(await misorderedCode(page)).toEqual([]);
      expect(await page.locator('.prose code').allTextContents()).toEqual([
        `${plain}\n`,
        `${plain}\n`,
        plain,
        'two || pipes',
      ]);
      expect(await page.locator('.prose figcaption span').first().textContent()).toBe('jsx');
      await page.getByRole('button', { name: 'Copy code' }).first().click();
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(plain);
    },
  );

  test('keeps letters of scripts that are written from right to left', async () => {
    const page = await openChat();
    await openPairs(page, '```js\nconst greeting = "\u05E9\u05DC\u05D5\u05DD";\n```');
    expect(await page.locator('.prose code').textContent()).toContain('"\u05E9\u05DC\u05D5\u05DD"');
  });
});

/** Elements with this tag cannot be made until `mendPage`. */
async function breakTag(page: Page, tag: string): Promise<void> {
  await page.evaluate((brokenTag) => {
    const create = document.createElement.bind(document);
    const broken = (name: string, options?: ElementCreationOptions) => {
      if (name === brokenTag && Reflect.get(window, 'isBroken') === true) throw new Error('Not today.');
      return create(name, options);
    };
    Object.assign(document, { createElement: broken });
    Object.assign(window, { isBroken: true });
    // React says what it caught; here it is expected.
    Object.assign(console, { error: () => undefined });
  }, tag);
}

async function mendPage(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(window, { isBroken: false }));
}

describe('where something of an answer fails to render', () => {
  test('a block: its words stand as they are, all others are formatted, and growth tries again', async () => {
    const page = await openChat();
    await openPairs(page, 'Before.');
    await breakTag(page, 'blockquote');
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, 'Some **bold** words.\n\n> quoted');
    await page.getByText('> quoted').waitFor();
    expect(await page.locator('.prose strong').count()).toBe(1);
    expect(await page.getByText('Before.').isVisible()).toBe(true);
    await mendPage(page);
    await streamInPage(page, turn, ' words');
    await page.locator('.prose blockquote').filter({ hasText: 'quoted words' }).waitFor();
  });

  test('code: its words stand as they are, all others are formatted, and growth tries again', async () => {
    const page = await openChat();
    await openPairs(page, 'Before.');
    await breakTag(page, 'figcaption');
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, 'Some **bold** words.\n\n```\nlet a = 1;\n');
    await page.getByText('let a = 1;').waitFor();
    expect(await page.locator('.prose strong').count()).toBe(1);
    expect(await page.locator('.prose pre').count()).toBe(0);
    await mendPage(page);
    await streamInPage(page, turn, 'let b = 2;\n');
    await page.locator('.prose pre').filter({ hasText: 'let b = 2;' }).waitFor();
  });

  test('a row far down in a long table: its words stand as they are, and all rows around it', async () => {
    const page = await openChat();
    await openPairs(page, 'Some **bold** words.');
    await breakTag(page, 'del');
    const turn = await askInPage(page, 'And now?');
    const rows = Array.from({ length: 400 }, (_, row) => `| row ${row} | ${row === 300 ? '~~gone~~' : 'here'} |\n`);
    await streamInPage(page, turn, `| a | b |\n|---|---|\n${rows.join('')}`);
    await page.getByText('~~gone~~').waitFor();
    await page.getByText('row 399').waitFor();
    expect(
      await page
        .locator('.prose td')
        .filter({ hasText: /^row 10$/ })
        .count(),
    ).toBe(1);
  });

  test('a fault outside of the blocks: this answer stands unformatted, others are formatted, and growth tries again', async () => {
    const page = await openChat();
    await openPairs(page, 'Some **bold** words.');
    await breakTag(page, 'summary');
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, '<details><summary>More</summary>\n\nfolded *words*\n');
    await page.getByText('folded *words*').waitFor();
    expect(await page.locator('.prose strong').count()).toBe(1);
    expect(await page.getByRole('textbox', { name: 'Message' }).isVisible()).toBe(true);
    await mendPage(page);
    await streamInPage(page, turn, '\nand others\n');
    await page.locator('.prose summary').filter({ hasText: 'More' }).waitFor();
  });
});
