import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import {
  answers,
  ask,
  createAccount,
  finishedAnswer,
  watchForFaults,
} from '../../parts/users/at-page/person-at-page.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';
import { startUpstream, type Upstream } from '../../parts/worker/upstream/upstream.ts';

let browser: Browser;
let upstream: Upstream;
let sotto: RunningSotto;
let context: BrowserContext;
let page: Page;
let faults: string[];

beforeAll(async () => {
  upstream = await startUpstream();
  const environment = { ENGINE: 'openai', LLM_BASE_URL: upstream.baseUrl };
  [browser, sotto] = await Promise.all([startBrowser(), startSotto({ environment })]);
});
afterEach(() => context.close());
afterAll(async () => {
  await browser.close();
  await sotto.stop();
  await upstream.stop();
});

async function answerTo(markdown: string): Promise<void> {
  upstream.answerWith({ tokens: markdown.match(/[^]{1,7}/g) ?? [] });
  context = await browser.newContext();
  page = await context.newPage();
  faults = watchForFaults(context, sotto.url);
  await createAccount(page, sotto.url);
  await ask(page, 'Answer with this.');
  await finishedAnswer(page);
}

describe('contents of an answer', () => {
  it('M39: hostile Markdown: nothing is fetched, run or styled', async () => {
    await answerTo(
      [
        '# A heading',
        '![tracking pixel](http://127.0.0.1:9/pixel.png?secret=1)',
        '<img src="http://127.0.0.1:9/html.png" onerror="alert(1)">',
        '<script>globalThis.owned = true</script><style>body{background:url(http://127.0.0.1:9/style)}</style>',
        '[a link](javascript:globalThis.owned=true) [data](data:text/html,<script>1</script>) [fair](https://example.org/path?x=1)',
        '[![badge](http://127.0.0.1:9/badge.svg)](http://127.0.0.1:9/there)',
        '<iframe src="http://127.0.0.1:9/frame"></iframe><link rel="stylesheet" href="http://127.0.0.1:9/link.css">',
        '<svg><image href="http://127.0.0.1:9/svg"/></svg><base href="http://127.0.0.1:9/">',
        '| a | b |\n|---|---|\n| 1 | <form action="http://127.0.0.1:9/form"><button>x</button></form> |',
        'The end.',
      ].join('\n\n'),
    );
    const answer = answers(page).last();
    expect(await answer.getByRole('heading', { name: 'A heading' }).count()).toBe(1);
    expect(await answer.innerText()).toContain('The end.');
    expect(await answer.locator('img, script, style, iframe, form, link, base, object, embed').count()).toBe(0);
    expect(await page.evaluate(() => 'owned' in globalThis)).toBe(false);
    const links = await answer
      .getByRole('link')
      .evaluateAll((all) => all.map((link) => [link.textContent, link.getAttribute('href')]));
    expect(links).toEqual([
      // Tags that are shown as text hold an address like any other text: it is a link, which asks before it opens.
      ['http://127.0.0.1:9/style)}', 'http://127.0.0.1:9/style)%7D'],
      ['fair', 'https://example.org/path?x=1'],
      ['badge', 'http://127.0.0.1:9/there'],
    ]);
    expect(faults).toEqual([]);
  });

  it('a link shows its whole address before it opens', async () => {
    await answerTo('See [the docs](https://example.org/deep/path?query=1).\n\nThat is all there is to say about it.');
    const opened: string[] = [];
    context.on('page', (other) => opened.push(other.url()));
    await answers(page).last().getByText('the docs').click();
    await page.getByText('https://example.org/deep/path?query=1').first().waitFor();
    expect(opened).toEqual([]);
    expect(page.url()).toContain(sotto.url);
  });

  it('no request depends on what an answer says', async () => {
    const contents = [
      'Plain words only, and nothing else at all in this answer.',
      '# Heading\n\n```ts\nconst a = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] a task\n\n> quoted\n\n$x^2$',
      '![picture](https://example.org/a.png) https://example.org/auto <https://example.org> [x]: https://example.org/y',
    ];
    const asked: string[][] = [];
    for (const content of contents) {
      upstream.answerWith({ tokens: [content] });
      context = await browser.newContext();
      page = await context.newPage();
      await createAccount(page, sotto.url);
      const paths: string[] = [];
      await page.waitForTimeout(1_500); // All that is fetched after an unlock, whatever the content.
      context.on('request', (request) => paths.push(`${request.method()} ${shape(new URL(request.url()).pathname)}`));
      await ask(page, 'Answer with this.');
      await finishedAnswer(page);
      await page.waitForTimeout(10_000); // The compact answer is written some seconds later.
      asked.push([...new Set(paths)].toSorted());
      if (content !== contents.at(-1)) await context.close();
    }
    expect(asked[0]).toContain('POST /v1/turns');
    expect(asked[1]).toEqual(asked[0]);
    expect(asked[2]).toEqual(asked[0]);
  });
});

/** A path without its ids. */
function shape(path: string): string {
  return path.replaceAll(/[A-Za-z0-9_-]{22}/g, ':id');
}
