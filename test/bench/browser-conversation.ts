import type { Page } from 'playwright-core';
import type { ItemContent } from '../../crypto/protocol/contents/item-contents.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { startBrowser } from '../parts/browser/browser.ts';
import { cryptoReady, signUp } from '../parts/users/with-keys/node-account.ts';
import { NodeDevice } from '../parts/users/with-keys/node-device.ts';
import { NodeRelay } from '../parts/users/with-keys/node-relay.ts';
import { answers, conversationLinks, messageBox } from '../parts/users/at-page/person-at-page.ts';
import { startSotto } from '../parts/relay/running-sotto.ts';
import { type Figure, percentile } from './figure.ts';
import { type Person, inventPerson } from '../parts/users/person.ts';

const messages = 1_000;
const rounds = 5;
const title = 'A thousand messages';
const lastWords = 'These are the last words of all.';

/** A real Chromium: from the click on "Sign in" to the chat, and from the click on a conversation to its newest message. */
export async function benchBrowserConversation(): Promise<Figure[]> {
  await cryptoReady();
  const sotto = await startSotto();
  const browser = await startBrowser();
  try {
    const account = inventPerson();
    const relay = new NodeRelay(sotto.url);
    const device = new NodeDevice(relay, await signUp(relay, account.userName, account.password));
    const items = conversationItems();
    for (let start = 0; start < items.length; start += 400) {
      await relay.expect(200, 'POST', '/v1/items', device.batch(items.slice(start, start + 400)));
    }
    const [signInTimes, openTimes]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      // A device of its own each time: nothing is cached.
      const context = await browser.newContext();
      const page = await context.newPage();
      signInTimes.push(await timeSignIn(page, sotto.url, account));
      openTimes.push(await timeOpening(page));
      await context.close();
    }
    return [
      {
        measure: 'sign-in, browser p50',
        value: percentile(signInTimes, 0.5),
        unit: 'ms',
        note: 'click to message box, new device',
      },
      {
        measure: 'conversation opens p50',
        value: percentile(openTimes, 0.5),
        unit: 'ms',
        note: `${messages} messages, to the newest`,
      },
      { measure: 'conversation opens, slowest', value: Math.max(...openTimes), unit: 'ms', note: `${rounds} times` },
    ];
  } finally {
    await browser.close();
    await sotto.stop();
  }
}

async function timeSignIn(page: Page, url: string, account: Person): Promise<number> {
  await page.goto(url);
  await page.getByRole('link', { name: 'Sign in' }).first().click();
  await page.getByRole('textbox', { name: 'User name' }).fill(account.userName);
  await page.getByLabel('Password', { exact: true }).fill(account.password);
  const startedAt = performance.now();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await messageBox(page).waitFor();
  return performance.now() - startedAt;
}

async function timeOpening(page: Page): Promise<number> {
  const link = conversationLinks(page).filter({ hasText: title }).first();
  await link.waitFor();
  const startedAt = performance.now();
  await link.click();
  await answers(page).filter({ hasText: lastWords }).waitFor();
  return performance.now() - startedAt;
}

function conversationItems(): { readonly id: Bytes; readonly content: ItemContent }[] {
  const conversationItemId = randomBytes(16);
  const conversationId = toBase64Url(conversationItemId);
  const createdAtMs = Date.now() - messages * 60_000;
  const items: { id: Bytes; content: ItemContent }[] = [
    {
      id: conversationItemId,
      content: {
        type: 'conversation',
        format: 1,
        createdAtMs,
        title: { value: title, setAtMs: createdAtMs },
        cacheSalt: toBase64Url(randomBytes(32)),
      },
    },
  ];
  let parentId: string | null = null;
  for (let index = 0; index < messages / 2; index++) {
    const [questionId, replyId, turnId] = [randomBytes(16), randomBytes(16), toBase64Url(randomBytes(16))];
    const askedAtMs = createdAtMs + index * 120_000;
    const isLast = index === messages / 2 - 1;
    const question: ItemContent = {
      type: 'message',
      format: 1,
      conversationId,
      parentId,
      createdAtMs: askedAtMs,
      text: `Question ${index}: what should one know about **number ${index}**?`,
      turnId,
      turnKey: toBase64Url(randomBytes(32)),
      replyItemId: toBase64Url(replyId),
    };
    const reply: ItemContent = {
      type: 'reply',
      format: 1,
      conversationId,
      parentId: toBase64Url(questionId),
      turnId,
      createdAtMs: askedAtMs + 60_000,
      text: isLast
        ? lastWords
        : `Much can be said.\n\n- ${'It is a number among others. '.repeat(12)}\n- \`n = ${index}\``,
      reasoning: '',
      outcome: 'complete',
      transcriptHash: toBase64Url(randomBytes(32)),
      model: 'bench-model',
      engine: 'rehearsal',
      protection: 'No protection from whoever runs this machine.',
      usage: null,
    };
    items.push({ id: questionId, content: question }, { id: replyId, content: reply });
    parentId = toBase64Url(replyId);
  }
  return items;
}
