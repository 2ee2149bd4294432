import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { replyErrorText } from '../../../client/page/texts/of-values/reply-error-texts.ts';
import { startBrowser } from '../../parts/browser/browser.ts';
import {
  answers,
  ask,
  conversationLinks,
  createAccount,
  finishedAnswer,
  signIn,
} from '../../parts/users/at-page/person-at-page.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';
import { waitForStoredAnswers } from '../../parts/storage/stored-answers.ts';
import { startUpstream, type Upstream, type UpstreamScript } from '../../parts/worker/upstream/upstream.ts';

let browser: Browser;
let upstream: Upstream;
let sotto: RunningSotto;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
  const environment = { ENGINE: 'openai', LLM_BASE_URL: upstream.baseUrl };
  [browser, sotto] = await Promise.all([startBrowser(), startSotto({ environment })]);
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});
afterAll(async () => {
  await browser.close();
  await sotto.stop();
  await upstream.stop();
});

async function newDevice(): Promise<BrowserContext> {
  const context = await browser.newContext();
  contexts.push(context);
  return context;
}

/** The last answer says this and nothing else, with as many buttons to ask again. */
async function saysWhy(page: Page, code: string, retries: number): Promise<void> {
  const { sentence, wayOut } = replyErrorText(code);
  const answer = answers(page).last();
  await answer.getByText(`${sentence} Your question is kept. ${wayOut}`).waitFor();
  expect(await answer.getByRole('button', { name: 'Retry' }).count()).toBe(retries);
}

describe('the reason of an answer that failed', () => {
  it.each<[string, UpstreamScript, number]>([
    ['context-too-long', { contextCharacters: 10 }, 0],
    ['key-refused', { failWith: 401 }, 1],
  ])('%s: outlasts its transcript, a reload, another tab and another device', async (code, script, retries) => {
    upstream.answerWith(script);
    const context = await newDevice();
    const page = await context.newPage();
    const account = await createAccount(page, sotto.url);
    await ask(page, 'A question of more than ten characters.');
    await saysWhy(page, code, retries);
    await waitForStoredAnswers(sotto);
    await page.reload();
    await saysWhy(page, code, retries);
    const second = await context.newPage();
    await second.goto(page.url());
    await saysWhy(second, code, retries);
    const other = await (await newDevice()).newPage();
    await signIn(other, sotto.url, account);
    await conversationLinks(other).first().click();
    await saysWhy(other, code, retries);
    upstream.answerWith({});
    if (retries === 0) return;
    await answers(other).last().getByRole('button', { name: 'Retry' }).click();
    expect(await finishedAnswer(other)).toContain('In a low voice.');
  });
});
