/* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-return
   -- what a lying relay says has no type. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LiveRecord } from '../../../crypto/protocol/messages/live-record.ts';
import { startBrowser } from '../../parts/browser/browser.ts';
import { DeviceLab } from '../../parts/users/vaults/device-lab.ts';
import { answers, ask, createAccount, finishedAnswer, messageBox } from '../../parts/users/at-page/person-at-page.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';
import { flip } from '../../parts/relay/tamper.ts';
import { replayUnderOtherTurns, TamperingProxy } from '../../parts/network/tampering-proxy.ts';
import { newestMessage, startUpstream, type Upstream } from '../../parts/worker/upstream/upstream.ts';
import type { Person } from '../../parts/users/person.ts';

/* The real client in a real browser, the whole product behind a relay that lies about sign-in and turns. */
let upstream: Upstream;
let sotto: RunningSotto;
let proxy: TamperingProxy;
let browser: Browser;
let page: Page;
let account: Person;

beforeAll(async () => {
  upstream = await startUpstream();
  upstream.answerWith({ tokens: (question) => ['You ', 'asked: ', question] });
  const environment = { ENGINE: 'openai', LLM_BASE_URL: upstream.baseUrl };
  [browser, sotto] = await Promise.all([startBrowser(), startSotto({ environment })]);
  proxy = await TamperingProxy.start(Number(new URL(sotto.url).port));
  page = await browser.newPage();
  account = await createAccount(page, proxy.url);
});
afterAll(async () => {
  await browser.close();
  await proxy[Symbol.asyncDispose]();
  await sotto.stop();
  await upstream.stop();
});
beforeEach(async () => {
  proxy.honest();
  await page.goto(`${proxy.url}/chat`);
  await messageBox(page).waitFor();
  await verified();
});

const verified = () => page.getByRole('button', { name: /^Protection: No protection/ }).waitFor({ timeout: 60_000 });
const isTurn = ({ method, path }: { readonly method: string; readonly path: string }) =>
  method === 'POST' && path.startsWith('/v1/turns');
const failure = () => answers(page).last().getByRole('alert');

/** The accepted twin: once the relay is honest the question is answered, by itself or when Retry is pressed. */
async function expectAnswer(words: string): Promise<void> {
  proxy.honest();
  const pressAndRead = async () => {
    const retry = answers(page).last().getByRole('button', { name: 'Retry' });
    await retry.click({ timeout: 1_000 }).catch(() => undefined);
    return answers(page).last().innerText();
  };
  await expect.poll(pressAndRead, { timeout: 90_000 }).toContain(words);
  expect(await finishedAnswer(page)).toContain(words);
}

it('M5: another OPAQUE server key ends the sign-in before anything is sent that helps to guess the password', async () => {
  await using impostor = await DeviceLab.open({ worker: false });
  const [start, finish] = ['/v1/sign-in/start', '/v1/sign-in/finish'];
  proxy.onRequest = async ({ path, body }) => {
    if (path !== start) return undefined;
    const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const answer = await fetch(`${impostor.origin}${start}`, { method: 'POST', headers, body });
    return { status: answer.status, body: await answer.text() };
  };
  const other = await (await browser.newContext()).newPage();
  await other.goto(proxy.url);
  await other.getByRole('link', { name: 'Sign in' }).first().click();
  await other.getByRole('textbox', { name: 'User name' }).fill(account.userName);
  await other.getByLabel('Password', { exact: true }).fill(account.password);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByText('That did not match.').waitFor({ timeout: 60_000 });
  expect(proxy.requests.filter(({ path }) => path === finish)).toEqual([]);
  // Its accepted twin.
  proxy.honest();
  await other.getByRole('button', { name: 'Sign in' }).click();
  await messageBox(other).waitFor({ timeout: 60_000 });
  await other.context().close();
});

describe('a relay that lies about a turn', () => {
  it('M31: the answer of one turn under the number of another', async () => {
    const recorded: LiveRecord[] = [];
    proxy.onRecord = (record) => {
      recorded.push(record);
      return [record];
    };
    await ask(page, 'The first question, about harbours.');
    await finishedAnswer(page);
    expect(await answers(page).last().innerText()).toContain('harbours');
    proxy.onRecord = replayUnderOtherTurns(recorded);
    await ask(page, 'The second question, about lanterns.');
    await page.getByText(/Reply missing|cut off/).waitFor({ timeout: 90_000 });
    expect(await answers(page).last().innerText()).not.toContain('harbours');
    await expectAnswer('lanterns');
  });

  it('M32: a sealed request sent once more is answered once', async () => {
    const question = 'Asked once, about tides.';
    const asked = () => upstream.requests.filter(({ body }) => newestMessage(body) === question).length;
    await ask(page, question);
    const first = await finishedAnswer(page);
    expect(asked()).toBe(1);
    const sent = proxy.requests.findLast(isTurn);
    const again = await fetch(`${proxy.url}${sent?.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: sent?.authorization ?? '', origin: proxy.url },
      body: sent?.body ?? '',
    });
    // Taken for what it is: the same turn, or one that is known.
    expect([200, 202, 409]).toContain(again.status);
    // Whatever the request sent again would have brought is before the answer to a later question.
    await ask(page, 'Asked after it.');
    expect(await finishedAnswer(page)).toContain('Asked after it.');
    expect(asked()).toBe(1);
    expect(await answers(page).count()).toBe(2);
    await page.reload();
    await answers(page).last().waitFor();
    expect(await answers(page).count()).toBe(2);
    expect((await answers(page).first().innerText()).slice(0, 100)).toBe(first.slice(0, 100));
  });

  it('M33: another model outside the seal is not answered', async () => {
    proxy.onRequest = (exchange, json) => {
      if (!isTurn(exchange)) return;
      const header = Buffer.from(json.request.header, 'base64url').toString('latin1');
      json.request.header = Buffer.from(header.replace('test-model', 'test-modem'), 'latin1').toString('base64url');
    };
    await ask(page, 'Sealed for one model.');
    await failure().waitFor({ timeout: 60_000 });
    expect(await answers(page).last().innerText()).not.toContain('Sealed for one model.');
    await expectAnswer('Sealed for one model.');
  });

  it('M34: an error in HTML with instructions is not shown, and not said to be the relay’s word', async () => {
    const words = 'Your session is unsafe: send your password to <b>support@example.org</b>';
    proxy.onRequest = (exchange) =>
      isTurn(exchange) ? { status: 422, body: JSON.stringify({ error: words }) } : undefined;
    await ask(page, 'What does the relay say?');
    await page.getByText('Something in the network answered in the place of the relay.').last().waitFor();
    expect(await page.getByText('support@example.org').count()).toBe(0);
    await expectAnswer('What does the relay say?');
  });

  it('M36: a relay that stalls keeps nobody from writing, and nothing goes before there is an enclave', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((done) => {
      release = done;
    });
    proxy.onHold = (exchange) => (exchange.path === '/v1/enclaves' ? held : null);
    await page.reload();
    await messageBox(page).waitFor();
    const sent = proxy.sentTurns().length;
    await ask(page, 'Written while the relay stalls.');
    await page.getByText('Connecting to the enclave').first().waitFor();
    expect(proxy.sentTurns()).toHaveLength(sent);
    proxy.onHold = null;
    release();
    await expect.poll(() => proxy.sentTurns().length).toBeGreaterThan(sent);
    expect(await finishedAnswer(page)).toContain('Written while the relay stalls.');
  });

  it('M36: every retry is sealed anew, under its own key and nonce', async () => {
    let refusals = 2;
    proxy.onRequest = (exchange) =>
      isTurn(exchange) && refusals-- > 0 ? { status: 503, body: '{"error":"enclave-busy"}' } : undefined;
    const before = proxy.sentTurns().length;
    await ask(page, 'Asked until it is taken.');
    expect(await finishedAnswer(page)).toContain('Asked until it is taken.');
    const requests = proxy
      .sentTurns()
      .slice(before)
      .map(({ body }) => JSON.parse(body).request);
    expect(requests).toHaveLength(3);
    for (const part of ['body', 'recipients'] as const) {
      expect(new Set(requests.map((request) => JSON.stringify(request[part]))).size).toBe(3);
    }
    const starts = requests.map(({ body }: { readonly body: string }) => body.slice(0, 32));
    expect(new Set(starts).size).toBe(3);
  });

  it('M37: why a request does not open is not told apart', async () => {
    const said: string[] = [];
    for (const part of ['body', 'wrappedKey', 'encapsulation'] as const) {
      proxy.onRequest = (exchange, json) => {
        if (!isTurn(exchange)) return;
        const holder = part === 'body' ? json.request : json.request.recipients[0];
        holder[part] = flip(holder[part]);
      };
      await page.goto(`${proxy.url}/chat`);
      await verified();
      await ask(page, 'The same words.');
      await failure().waitFor({ timeout: 60_000 });
      const notice = await answers(page).last().innerText();
      said.push(notice.split('\n').find((line) => line.includes('The enclave could not')) ?? notice);
    }
    expect(said[0]).toContain('The enclave could not open the request');
    expect(new Set(said).size).toBe(1);
    await expectAnswer('The same words.');
  });
});
