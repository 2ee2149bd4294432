import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../parts/browser/browser.ts';
import { ask, createAccount, finishedAnswer } from '../parts/users/at-page/person-at-page.ts';
import { startSotto } from '../parts/relay/running-sotto.ts';
import { startUpstream } from '../parts/worker/upstream/upstream.ts';

/*
 * `npm run screenshots [folder]`: the pictures of the README, taken of the whole product as `npm start` runs it. The words of the
 * answers are scripted, since the pictures should look the same each time; everything else is real.
 */
const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '../../docs/screenshots'));

const question = 'My doctor said “atypical”. What should I ask her on Monday?';
const answer = `“Atypical” means that some cells look unusual. It is **not** a diagnosis, and it often turns out to be harmless. Three questions make the talk on Monday useful:

1. **What exactly was seen?** Ask for the written report; you have a right to a copy.
2. **What happens next, and how soon?** Waiting, another sample, or an operation are all common.
3. **What would change your mind?** It shows how sure she is.

| Word in the report | What it usually means |
|---|---|
| benign | harmless |
| atypical | unusual, to be watched |

Write her answers down, or take someone with you who does.`;
const earlier = ['Letter from the tax office', 'Quiet places in March', 'How to tell my team that I am leaving'];

type Look = { readonly theme: 'light' | 'dark'; readonly width: number; readonly height: number };
const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

/** Motion and fonts have come to rest. */
async function shoot(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(join(folder, `${name}.png`));
}

async function openPage(browser: Browser, { theme, width, height }: Look): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    deviceScaleFactor: 2,
    hasTouch: width < 500,
    isMobile: width < 500,
    reducedMotion: 'reduce',
  });
  return context.newPage();
}

async function takePictures(
  browser: Browser,
  url: string,
  theme: 'light' | 'dark',
  size: typeof desktop,
): Promise<void> {
  const name = `${theme}-${size === desktop ? 'desktop' : 'phone'}`;
  const page = await openPage(browser, { theme, ...size });
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await shoot(page, `home-${name}`);
  await createAccount(page, url);
  for (const title of size === desktop ? earlier : []) {
    await ask(page, title);
    await finishedAnswer(page);
    await page.getByRole('button', { name: 'New chat' }).click();
  }
  await shoot(page, `new-chat-${name}`);
  await ask(page, question);
  await finishedAnswer(page);
  await shoot(page, `chat-${name}`);
  await page.getByRole('button', { name: /^Protection/ }).click();
  await page.getByText('What your browser checked').waitFor();
  await shoot(page, `shield-${name}`);
  await page.getByRole('button', { name: 'What the relay sees' }).click();
  await page.getByRole('region', { name: 'What the relay sees' }).getByRole('listitem').first().waitFor();
  await shoot(page, `relay-${name}`);
  await page.context().close();
}

await mkdir(folder, { recursive: true });
const upstream = await startUpstream(['Qwen3.5-9B']);
upstream.answerWith({ tokens: answer.match(/[^]{1,9}/g) ?? [] });
const [browser, sotto] = await Promise.all([
  startBrowser(),
  startSotto({ environment: { ENGINE: 'openai', LLM_BASE_URL: upstream.baseUrl } }),
]);
try {
  for (const theme of ['light', 'dark'] as const) {
    for (const size of [desktop, phone]) await takePictures(browser, sotto.url, theme, size);
  }
} finally {
  await browser.close();
  await sotto.stop();
  await upstream.stop();
}
