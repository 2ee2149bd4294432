import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { fromBase64Url, toBase64Url, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { allOf, answerInstead, changeRecords, jsonResponse, pathOf } from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const words = Array.from({ length: 8 }, (_, n) => `word${n} `);
const whole = words.join('');
beforeEach(() => {
  lab.upstream.answerWith({ tokens: words, delayMs: 150 });
});

async function askThrough(intercept: Interceptor, text = 'Tell me.') {
  const profile = lab.profile();
  profile.intercept = intercept;
  const { tab, person } = await lab.signUp(profile);
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'verified' && tab.connection === 'connected');
  const { turnId, conversationId } = await tab.ask(text);
  return { profile, tab, person, turnId, conversationId };
}

const isFrame = (record: LiveRecord) => record.kind === 'frame';
/** Text that was shown at any time: never anything but a beginning of the answer. */
function shownTexts(tab: VaultTab, turnId: string): string[] {
  const shown: string[] = [];
  let text = '';
  for (const event of tab.events) {
    if (event.type === 'delta' && event.messageId === tab.answer(turnId).id) text += event.text;
    if (event.type === 'message' && event.message.id === tab.answer(turnId).id) ({ text } = event.message);
    shown.push(text);
  }
  return shown;
}

describe('a transcript', () => {
  it('that comes as it was sent is shown whole', async () => {
    const { tab, turnId } = await askThrough((request, next) => next(request));
    expect(await tab.ended(turnId)).toMatchObject({ text: whole, state: { outcome: 'complete', endedEarly: false } });
  });

  it('M27 that is cut before its end is shown as cut off, never as finished; honest again, it is whole', async () => {
    const lying = changeRecords((record) => {
      if (record.kind === 'closed' || (isFrame(record) && record.number > 6)) return [];
      // The relay says that the enclave is out of reach.
      return isFrame(record) && record.number === 6
        ? [record, { ...record, kind: 'closed', number: 7, body: Uint8Array.of(3) }]
        : [record];
    });
    const { profile, tab, turnId, conversationId } = await askThrough(lying);
    const cut = await tab.ended(turnId);
    expect(cut.state).toMatchObject({ kind: 'ended', outcome: 'cut-off' });
    expect(whole.startsWith(cut.text) && cut.text !== whole).toBe(true);
    profile.intercept = null;
    tab.abandon();
    const reloaded = await profile.openTab();
    await reloaded.vault.openConversation({ conversationId });
    await reloaded.until(() => reloaded.answer(turnId).text === whole);
  });

  it('M27 that is cut between END and FINAL is complete, and says that the relay ended early', async () => {
    const { tab, turnId } = await askThrough(
      changeRecords((record) => {
        if (record.kind === 'closed' || (isFrame(record) && record.number > 24)) return [];
        return isFrame(record) && record.number === 24
          ? [record, { ...record, kind: 'closed', number: 25, body: Uint8Array.of(2) }]
          : [record];
      }),
    );
    await tab.until(() => {
      const { state } = tab.answer(turnId);
      return state.kind === 'ended' && state.endedEarly;
    });
    expect(tab.answer(turnId)).toMatchObject({ text: whole, state: { outcome: 'complete', endedEarly: true } });
  });

  it('M28 with a frame missing on the way is fetched; missing everywhere, it is cut off there', async () => {
    const missingLive = await askThrough(
      changeRecords((record, from) => (from === 'live' && isFrame(record) && record.number === 5 ? [] : [record])),
    );
    expect((await missingLive.tab.ended(missingLive.turnId)).text).toBe(whole);
    const missing = await askThrough(
      changeRecords((record) => (isFrame(record) && record.number === 5 ? [] : [record])),
    );
    const answer = await missing.tab.ended(missing.turnId);
    expect(answer.state).toMatchObject({ kind: 'ended', outcome: 'cut-off' });
    expect(whole.startsWith(answer.text)).toBe(true);
  });

  it('M28 with every frame doubled, and pairs changed over, is read once and in order', async () => {
    let held: LiveRecord | null = null;
    const { tab, turnId } = await askThrough(
      changeRecords((record, from) => {
        if (!isFrame(record) || from === 'fetch') return [record];
        if (record.number % 2 === 0) {
          held = record;
          return [];
        }
        const earlier = held;
        held = null;
        return earlier === null ? [record, record] : [record, earlier, earlier, record];
      }),
    );
    expect((await tab.ended(turnId)).text).toBe(whole);
    expect(shownTexts(tab, turnId).filter((text) => !whole.startsWith(text))).toEqual([]);
  });

  it('M29 with rubbish before a real frame is read from the real one', async () => {
    const rubbish = (record: LiveRecord) => ({ ...record, body: new Uint8Array(record.body).fill(7) });
    const { tab, turnId } = await askThrough(
      changeRecords((record) => (isFrame(record) ? [rubbish(record), record] : [record])),
    );
    expect((await tab.ended(turnId)).text).toBe(whole);
  });

  it('M29 with rubbish in place of a frame everywhere is cut off there', async () => {
    const { tab, turnId } = await askThrough(
      changeRecords((record) =>
        isFrame(record) && record.number === 5 ? [{ ...record, body: new Uint8Array(272).fill(7) }] : [record],
      ),
    );
    const answer = await tab.ended(turnId);
    expect(answer.state).toMatchObject({ kind: 'ended', outcome: 'cut-off' });
    expect(whole.startsWith(answer.text)).toBe(true);
  });

  it('M30 with frames behind FINAL says nothing more', async () => {
    let last: LiveRecord | null = null;
    const { tab, turnId } = await askThrough(
      changeRecords((record) => {
        if (isFrame(record)) last = record;
        if (record.kind !== 'closed' || last === null) return [record];
        const { number, body } = last;
        return [1, 2, 3]
          .map((n) => ({ ...record, kind: 'frame' as const, number: number + n, body }))
          .concat([record as never]);
      }),
    );
    await tab.ended(turnId);
    await tab.until(() => tab.events.at(-1)?.type !== undefined);
    expect(tab.answer(turnId)).toMatchObject({ text: whole, state: { outcome: 'complete', endedEarly: false } });
  });

  it('M31 of another turn under this one’s id is not its answer', async () => {
    const stolen: LiveRecord[] = [];
    const first = await askThrough(
      changeRecords((record) => {
        if (record.kind === 'header' || isFrame(record)) stolen.push(record);
        return [record];
      }),
      'The other question.',
    );
    await first.tab.ended(first.turnId);
    lab.upstream.answerWith({ tokens: ['My own answer.'] });
    let served = false;
    const { tab, turnId } = await askThrough(
      changeRecords((record, from) => {
        if (record.kind !== 'header' || from !== 'live' || served) return [record];
        served = true;
        return [...stolen.map((theirs) => ({ ...theirs, turnId: record.turnId })), record];
      }),
    );
    expect((await tab.ended(turnId)).text).toBe('My own answer.');
    expect(served).toBe(true);
    expect(shownTexts(tab, turnId).filter((text) => text.includes('word'))).toEqual([]);
  });

  it.each([
    ['before its own', true, 'My own answer.'],
    ['in place of its own', false, ''],
  ])(
    'M31 with the header of one turn and the frames of another %s opens none of them',
    async (_name, isOwnSent, text) => {
      const stolen = new Map<number, LiveRecord>();
      let isSecond = false;
      let swapped = 0;
      const swap = changeRecords((record) => {
        if (!isFrame(record)) return [record];
        if (!isSecond) stolen.set(record.number, record);
        const theirs = isSecond ? stolen.get(record.number) : undefined;
        if (theirs === undefined) return [record];
        swapped += 1;
        return [{ ...record, body: theirs.body }, ...(isOwnSent ? [record] : [])];
      });
      const { profile, tab, turnId: first, conversationId } = await askThrough(swap, 'The other question.');
      expect((await tab.ended(first)).text).toBe(whole);
      isSecond = true;
      lab.upstream.answerWith({ tokens: ['My ', 'own ', 'answer.'] });
      const { turnId } = await tab.ask('My own question.', conversationId);
      const answer = await tab.ended(turnId);
      expect(answer).toMatchObject({ text, state: { outcome: isOwnSent ? 'complete' : 'cut-off' } });
      expect(swapped).toBeGreaterThan(0);
      expect(shownTexts(tab, turnId).filter((shown) => shown.includes('word'))).toEqual([]);
      profile.intercept = null;
      tab.abandon();
      const reloaded = await profile.openTab();
      await reloaded.vault.openConversation({ conversationId });
      await reloaded.until(() => reloaded.answer(turnId).text === 'My own answer.');
    },
  );

  it('M25 with lying lengths ends the stream, not the tab', async () => {
    let opened = 0;
    const lying: Interceptor = async (request, next) => {
      if (pathOf(request) !== '/v1/live' || (opened += 1) > 1) return next(request);
      return new Response(Uint8Array.of(255, 255, 255, 255, 1, 2, 3), {
        headers: { 'content-type': 'application/octet-stream' },
      });
    };
    const { tab, turnId } = await askThrough(lying);
    expect((await tab.ended(turnId)).text).toBe(whole);
    expect(opened).toBeGreaterThan(1);
  });
});

describe('M34 an error in clear', () => {
  it('with HTML and instructions is shown as a code and nothing of it', async () => {
    const evil = '<img src=x onerror=alert(1)> Please sign in again at evil.example with your phrase';
    const cases: [Response, string][] = [
      [new Response(evil, { status: 422, headers: { 'content-type': 'text/html' } }), 'foreign-answer'],
      [jsonResponse({ error: evil }, 422), 'foreign-answer'],
      [jsonResponse({ error: 'of-later-times', message: evil }, 422), 'malformed-answer'],
      [jsonResponse({ error: 'request-refused', message: evil }, 422), 'relay:request-refused'],
      [jsonResponse({ error: 'quota-exceeded', detail: { text: evil } }, 507), 'quota-exceeded'],
    ];
    for (const [response, code] of cases) {
      const { tab, turnId } = await askThrough(
        answerInstead(/^\/v1\/turns$/, (request) =>
          request.method === 'POST' ? response.clone() : jsonResponse({ format: 1, turns: [], more: false }),
        ),
      );
      await tab.until(() => tab.stateOf(turnId) === 'unsent');
      expect(tab.answer(turnId).state).toMatchObject({ kind: 'unsent', failure: { code } });
      expect(JSON.stringify(tab.events)).not.toContain('evil');
    }
  });

  it('that a proxy could have made is a relay that is away: nothing of it is shown, and the question goes on', async () => {
    const evil = '<img src=x onerror=alert(1)> Please sign in again at evil.example with your phrase';
    let refused = 0;
    const { tab, turnId } = await askThrough(async (request, next) => {
      if (request.method !== 'POST' || pathOf(request) !== '/v1/turns' || refused === 2) return next(request);
      refused += 1;
      return new Response(evil, { status: 500, headers: { 'content-type': 'text/html' } });
    });
    await tab.ended(turnId);
    expect(refused).toBe(2);
    expect(JSON.stringify(tab.events)).not.toContain('evil');
  });
});

describe('M35 plaintext', () => {
  it('the plaintext of a question is in no request, in no spelling, whatever the relay answers', async () => {
    const text = 'An unmistakable sentence about the harbour';
    const flaky = allOf(
      changeRecords((record) => (isFrame(record) && record.number === 4 ? [] : [record])),
      async (request, next) => {
        const response = await next(request);
        return pathOf(request) === '/v1/turns' && Math.random() < 0.5
          ? jsonResponse({ error: 'internal-error' }, 500)
          : response;
      },
    );
    const { profile, tab, turnId } = await askThrough(flaky, text);
    await tab.ended(turnId);
    const bytes = Buffer.from(text);
    const spellings = [text, bytes.toString('hex'), ...[0, 1, 2].map((shift) => base64Core(bytes, shift))];
    const found = profile.requests.flatMap(({ body, path }) =>
      spellings.filter((spelling) => `${path} ${body}`.includes(spelling)),
    );
    expect(found).toEqual([]);
    // The finder finds what is there: the turn's own id, in a body.
    expect(profile.requests.some(({ body }) => body.includes(turnId))).toBe(true);
    expect(toHex(fromBase64Url(turnId))).toHaveLength(32);
  });
});

/** The part of a text's base64url that does not depend on what stands around it. */
function base64Core(bytes: Buffer, shift: number): string {
  return toBase64Url(new Uint8Array([...new Uint8Array(shift), ...bytes])).slice(4, -4);
}
