import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { askInPage, openPairs, settle, streamInPage } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

async function openChat(reducedMotion = true): Promise<Page> {
  return client.openChat({ reducedMotion });
}

describe('contents of an answer', () => {
  const hostile = [
    'A [link](https://evil.example/?words=secret), ![picture](https://evil.example/pixel.png), [home](/chat), [x](javascript:alert(1)),',
    '<img src="https://evil.example/a.png" onerror="alert(1)"> <script>alert(1)</script> <style>@import "https://evil.example"</style>',
    '[ref] and ![ref]',
    '',
    '[ref]: https://evil.example/ref',
    '',
  ].join('\n');

  test('nothing in it is fetched, HTML stays text', async () => {
    const page = await openChat();
    await openPairs(page, hostile);
    const answer = page.getByRole('article', { name: /^Assistant/ });
    expect(await answer.textContent()).toContain('<script>alert(1)</script>');
    expect(await answer.locator('img, script, style, iframe, link').count()).toBe(0);
    // Addresses in the text become links too; all of them ask first (the next test).
    expect(
      await answer.getByRole('link').evaluateAll((links) => links.map((each) => each.getAttribute('href'))),
    ).toEqual(['https://evil.example/?words=secret', 'https://evil.example/', 'https://evil.example/ref']);
    await answer.getByText('https://evil.example/pixel.png').waitFor();
  });

  test('points beside tasks keep their marks', async () => {
    const page = await openChat();
    await openPairs(page, '- a point\n- [ ] a task\n\nand\n\n- [x] only tasks');
    const mark = (text: string) =>
      page
        .getByRole('listitem')
        .filter({ hasText: text })
        .evaluate((item) => getComputedStyle(item).listStyleType);
    expect([await mark('a point'), await mark('a task'), await mark('only tasks')]).toEqual(['disc', 'none', 'none']);
  });

  test('a link and a picture open only after their whole address was shown', async () => {
    const page = await openChat();
    await openPairs(page, hostile);
    for (const [press, address] of [
      [page.getByRole('link', { name: 'link' }), 'https://evil.example/?words=secret'],
      [page.getByRole('button', { name: /^picture/ }), 'https://evil.example/pixel.png'],
    ] as const) {
      await press.click();
      const question = page.getByRole('dialog', { name: 'Leave Sotto?' });
      expect(await question.textContent()).toContain(address);
      const onward = question.getByRole('link', { name: 'Open' });
      expect(await onward.getAttribute('href')).toBe(address);
      expect(await onward.getAttribute('rel')).toBe('noopener noreferrer');
      await question.getByRole('button', { name: 'Stay' }).click();
      await question.waitFor({ state: 'detached' });
    }
    await page.getByRole('link', { name: 'link' }).click({ button: 'middle' });
    await page.getByRole('dialog', { name: 'Leave Sotto?' }).waitFor();
    expect(page.context().pages()).toHaveLength(1);
  });

  test('the same requests for a chat with every kind of contents as for an empty one', async () => {
    const requested = async (contents: string) => {
      const page = await openChat();
      const urls: string[] = [];
      page.on('request', (request) => urls.push(request.url()));
      await page.waitForLoadState('networkidle');
      await openPairs(page, contents);
      await page.waitForLoadState('networkidle');
      await settle(page);
      return urls;
    };
    const everything = `${hostile}\n\n\`\`\`ts\nconst a = 1;\n\`\`\`\n\n| a |\n|---|\n| $x$ |\n\n- [ ] task\n\n~~old~~`;
    expect(await requested(everything)).toEqual([]);
    expect(await requested('plain')).toEqual([]);
  });
});

describe('Markdown', () => {
  test('code is highlighted once its block closes, and copied as it was written', async () => {
    const page = await openChat();
    await openPairs(page, 'before');
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, 'Code:\n\n```ts\nconst answer = 42;\n');
    const code = page.locator('pre').last();
    await code.waitFor();
    expect(await code.locator('.hljs-keyword').count()).toBe(0);
    await streamInPage(page, turn, '```\n\nDone.');
    await code.locator('.hljs-keyword').waitFor();
    await page.getByRole('button', { name: 'Copy code' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('const answer = 42;');
  });

  test('a frame leaves the finished blocks, and all other messages, untouched', async () => {
    const page = await openChat();
    await openPairs(page, 'An *earlier* answer.');
    const turn = await askInPage(page, 'And now?');
    await streamInPage(page, turn, 'First block.\n\nSecond block.\n\nThird');
    await page.getByText('Third').waitFor();
    await page.evaluate(() => {
      const touched: string[] = [];
      // React gives an element a new object of properties each time that it renders it, changed or not.
      const paragraphs = [...document.querySelectorAll('.prose p')];
      const key = Object.keys(paragraphs[0]!).find((name) => name.startsWith('__reactProps'))!;
      const before = paragraphs.map((each) => Reflect.get(each, key) as object);
      const renderedAgain = () =>
        paragraphs.filter((each, index) => Reflect.get(each, key) !== before[index]).map((each) => each.textContent);
      Object.assign(window, { touched, renderedAgain });
      const observer = new MutationObserver((records) => {
        for (const { target } of records) {
          const element = target instanceof Element ? target : target.parentElement;
          const block = element?.closest('.prose-block');
          if (block) touched.push(block.textContent);
        }
      });
      observer.observe(document.querySelector('[role="log"]')!, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
    await streamInPage(page, turn, ' block grows.');
    await page.getByText('Third block grows.').waitFor();
    const seen = await page.evaluate(() => {
      const { touched, renderedAgain } = window as unknown as { touched: string[]; renderedAgain: () => string[] };
      return { touched: [...new Set(touched)], renderedAgain: renderedAgain() };
    });
    expect(seen).toEqual({ touched: ['Third block grows.'], renderedAgain: ['Third block grows.'] });
  });

  test('copying an answer gives its Markdown and clean HTML', async () => {
    const page = await openChat();
    await openPairs(page, 'Some **bold** words,\n\n- a [link](https://example.org/)\n\n`code`');
    await page.getByRole('button', { name: 'Copy answer' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const copied = await page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const read = async (type: string) => (await item!.getType(type)).text();
      return { plain: await read('text/plain'), html: await read('text/html') };
    });
    expect(copied.plain).toContain('Some **bold** words');
    expect(copied.html).toContain('<strong>bold</strong>');
    expect(copied.html).not.toMatch(/class=|<button/);
  });

  test('reasoning stands closed above the answer', async () => {
    const page = await openChat();
    await openPairs(page, 'before');
    const turn = await askInPage(page, 'And now?');
    await page.evaluate((id) => window.vault.streamText(id, '', 'let me see'), turn);
    await page.getByText('Thinking').waitFor();
    expect(await page.getByText('let me see').isVisible()).toBe(false);
    await streamInPage(page, turn, 'Now.');
    await page.getByText('Thoughts before the answer').click();
    expect(await page.getByText('let me see').isVisible()).toBe(true);
  });
});

describe('reveal', () => {
  test('the words of a frame appear over the next tick, and all of them before the answer counts as finished', async () => {
    const page = await openChat(false);
    await openPairs(page, 'before');
    const turn = await askInPage(page, 'And now?');
    const lengths = await page.evaluate(async (id) => {
      const seen: number[] = [];
      window.vault.streamText(id, 'x'.repeat(250));
      window.vault.endAnswer(id, 'complete');
      const article = document.querySelector(`[data-message="answer-${id}"]`)!;
      while (article.getAttribute('aria-busy') === 'true') {
        await new Promise(requestAnimationFrame);
        seen.push(/x*/.exec(article.textContent)![0].length);
      }
      return seen;
    }, turn);
    expect(lengths.at(-1)).toBe(250);
    expect(new Set(lengths).size).toBeGreaterThan(2);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  test('before its first word an answer says that it comes, up to the frame that shows it', async () => {
    const page = await openChat(false);
    const turn = await askInPage(page, 'a question');
    await page.evaluate((each) => window.vault.setAnswerState(each, { kind: 'streaming' }), turn);
    await page.getByText('Answering').waitFor();
    await page.evaluate(() => {
      const row = [...document.querySelectorAll<HTMLElement>('[data-message^="answer-"]')].at(-1)!;
      row.dataset['blank'] = '0';
      const look = () => {
        if (row.innerText.trim() === '') row.dataset['blank'] = String(Number(row.dataset['blank']) + 1);
      };
      new MutationObserver(look).observe(row, { childList: true, subtree: true, characterData: true });
    });
    await streamInPage(page, turn, 'The first words of an answer.');
    await page.getByText('The first words of an answer.').waitFor();
    const row = page.locator('[data-message^="answer-"]').last();
    expect(await row.getAttribute('data-blank')).toBe('0');
    expect(await page.getByText('Answering').count()).toBe(0);
  });

  test('with reduced motion all at once', async () => {
    const page = await openChat(true);
    await openPairs(page, 'before');
    const turn = await askInPage(page, 'And now?');
    const length = await page.evaluate(async (id) => {
      window.vault.streamText(id, 'x'.repeat(250));
      await new Promise(requestAnimationFrame);
      return /x*/.exec(document.querySelector(`[data-message="answer-${id}"]`)!.textContent)![0].length;
    }, turn);
    expect(length).toBe(250);
  });
});
