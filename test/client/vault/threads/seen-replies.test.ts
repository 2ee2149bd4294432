import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ItemContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { BrowserProfile, Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { cryptoReady, signIn } from '../../../parts/users/with-keys/node-account.ts';
import { NodeDevice } from '../../../parts/users/with-keys/node-device.ts';
import { NodeRelay } from '../../../parts/users/with-keys/node-relay.ts';
import { newId } from '../../../parts/vault/paper-vault.ts';
import { reply, replyNote } from '../../../parts/vault/planned-batches.ts';
import { answerInstead, changeRecords, pathOf } from '../../../parts/relay/tamper.ts';
import type { UpstreamScript } from '../../../parts/worker/upstream/upstream.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';
import type { Person } from '../../../parts/users/person.ts';

/* Why an answer ended as it did, once its transcript is gone: real vault, relay, worker and engine. */

let lab: DeviceLab;
beforeAll(async () => {
  await cryptoReady();
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());
beforeEach(() => {
  lab.upstream.answerWith({});
});

const patient = { timeout: 90_000, interval: 100 };

/** The account beside all browsers, as another build that writes what it wants. */
async function otherBuild({ userName, password }: Person): Promise<NodeDevice> {
  const relay = new NodeRelay(lab.origin);
  return new NodeDevice(relay, await signIn(relay, userName, password));
}

/** Lists what the relay holds, opened. */
async function storedTypes(person: Person): Promise<string[]> {
  const contents = await (await otherBuild(person)).pull();
  return contents.map(({ type }) => type).toSorted();
}

async function ask(tab: VaultTab, text: string, conversationId?: string) {
  const asked = await tab.ask(text, conversationId);
  return { ...asked, answer: await tab.ended(asked.turnId) };
}

/** Until reply and note are stored, and no transcript is left. */
async function untilCompact(person: Person, replies: number): Promise<void> {
  const count = async () => (await storedTypes(person)).filter((type) => type.startsWith('reply'));
  const expected = Array.from({ length: 2 * replies }, (_, n) => (n < replies ? 'reply' : 'reply-note'));
  await expect.poll(count, patient).toEqual(expected);
}

async function show(tab: VaultTab, conversationId: string): Promise<VaultTab> {
  await tab.until(() => tab.conversations.some(({ id }) => id === conversationId));
  await tab.vault.openConversation({ conversationId });
  return tab;
}

/** Everything up to END and no more: the words are whole by then. */
const cutBeforeFinal = changeRecords((record) => {
  if (record.kind === 'closed' || (record.kind === 'frame' && record.number > 24)) return [];
  const isLast = record.kind === 'frame' && record.number === 24;
  return isLast ? [record, { ...record, kind: 'closed', number: 25, body: Uint8Array.of(2) }] : [record];
});

const hasAskedForFrames = ({ requests }: BrowserProfile) => requests.some(({ path }) => /\/frames/.test(path));

const endings: Readonly<Record<string, { script: UpstreamScript; code: string | null; leftOut?: number }>> = {
  'a key that is refused': { script: { failWith: 401 }, code: 'key-refused' },
  'an allowance that is spent': { script: { failWith: 402 }, code: 'quota-spent' },
  'a question that is too long': { script: { contextCharacters: 10 }, code: 'context-too-long' },
  'an answer without words': { script: { tokens: [] }, code: 'no-answer' },
  'an answer that broke off': { script: { tokens: ['Half of '], ending: 'cut' }, code: 'answer-cut' },
  'a beginning that was left out': { script: { contextCharacters: 1_000 }, code: null, leftOut: 2 },
};

describe('an answer that was made compact still says', () => {
  it.each(Object.entries(endings))(
    '%s: after a reload, in a second tab and on a second device',
    async (_, { script, code, leftOut = 0 }) => {
      const { person, profile, tab } = await lab.openChat();
      const other = await profile.openTab();
      const first = await ask(tab, `First? ${'x'.repeat(2_000)}`);
      lab.upstream.answerWith(script);
      const { conversationId, turnId, answer } = await ask(tab, 'A question of some length?', first.conversationId);
      expect(answer).toMatchObject({ leftOut, state: { kind: 'ended', code } });
      await untilCompact(person, 2);
      profile.closeTab(tab);
      const device = await lab.signIn(person);
      const shown = [await show(other, conversationId), await show(device.tab, conversationId)];
      profile.closeTab(other);
      shown.push(await show(await profile.openTab(), conversationId));
      for (const each of shown) {
        const { state, text, ...again } = await each.ended(turnId);
        expect([state, text, again.leftOut]).toEqual([answer.state, answer.text, leftOut]);
      }
      expect(hasAskedForFrames(device.profile)).toBe(false);
    },
  );

  it('that the relay ended it early; one that came to its end notes nothing', async () => {
    for (const endedEarly of [true, false]) {
      lab.upstream.answerWith({});
      const profile = lab.profile();
      if (endedEarly) profile.intercept = cutBeforeFinal;
      const { person, tab } = await lab.openChat(profile);
      const { conversationId, turnId } = await ask(tab, 'Whole?');
      await untilCompact(person, 1);
      const device = await lab.signIn(person);
      const { state, text } = await (await show(device.tab, conversationId)).ended(turnId);
      expect([state, text]).toEqual([
        { kind: 'ended', outcome: 'complete', code: null, endedEarly },
        'In a low voice.',
      ]);
      const contents = await (await otherBuild(person)).pull();
      const note = contents.find(({ type }) => type === 'reply-note');
      expect(note).toMatchObject({ conversationId, turnId, codes: endedEarly ? ['ended-early'] : [], leftOut: 0 });
    }
  });
});

describe('two devices that make an answer compact at the same moment', () => {
  it('store one reply with one note', async () => {
    lab.upstream.answerWith({ failWith: 401 });
    const { person, profile, tab } = await lab.openChat();
    const second = await lab.signIn(person);
    const arrived = new Set<BrowserProfile>();
    const both = Promise.withResolvers<void>();
    const hold =
      (from: BrowserProfile): Interceptor =>
      async (request, next) => {
        if (request.method === 'POST' && pathOf(request) === '/v1/items') {
          arrived.add(from);
          if (arrived.size === 2) both.resolve();
          await both.promise;
        }
        return next(request);
      };
    for (const each of [profile, second.profile]) each.intercept = hold(each);
    const { conversationId, turnId } = await ask(tab, 'Refused twice?');
    await both.promise;
    await untilCompact(person, 1);
    for (const each of [tab, await show(second.tab, conversationId)]) {
      await each.until(() => each.answer(turnId).state.kind === 'ended');
      expect(each.answer(turnId).state).toMatchObject({ outcome: 'error', code: 'key-refused' });
      // A conflict is over once the device wrote nothing more.
      await expect.poll(async () => (await each.vault.relayView({ conversationId })).rows.length, patient).toBe(6);
    }
    await untilCompact(person, 1);
  });
});

describe('notes and builds of another age', () => {
  /** A conversation with one failed answer, as another build stores it. */
  async function store(device: NodeDevice, codes: readonly string[] | null) {
    const [conversation, message, answer, note] = [randomBytes(16), randomBytes(16), randomBytes(16), randomBytes(16)];
    const place = { conversationId: toBase64Url(conversation), turnId: newId() };
    const parentId = toBase64Url(message);
    const contents: { id: typeof message; content: ItemContent }[] = [
      {
        id: conversation,
        content: {
          type: 'conversation',
          format: 1,
          createdAtMs: 1,
          title: { value: 'A title', setAtMs: 1 },
          cacheSalt: toBase64Url(randomBytes(32)),
        },
      },
      {
        id: message,
        content: {
          type: 'message',
          format: 1,
          ...place,
          parentId: null,
          createdAtMs: 1,
          text: 'Failed?',
          turnKey: toBase64Url(randomBytes(32)),
          replyItemId: toBase64Url(answer),
        },
      },
      { id: answer, content: { ...reply({ ...place, parentId }), outcome: 'error' } },
      ...(codes === null ? [] : [{ id: note, content: replyNote(place, ...codes) }]),
    ];
    await device.relay.expect(200, 'POST', '/v1/items', device.batch(contents));
    return { ...place, contents };
  }

  it.each([
    [['a-later-code'], null],
    [['a-later-code', 'request-too-large', 'model-refused'], 'request-too-large'],
    [['ended-early'], null],
    [[], null],
    [null, null],
  ])('codes %j are read as %j', async (codes, code) => {
    const { person, tab } = await lab.signUp();
    const { conversationId, turnId } = await store(await otherBuild(person), codes);
    await show(tab, conversationId);
    const { state } = await tab.ended(turnId);
    const endedEarly = codes?.includes('ended-early') === true;
    expect(state).toEqual({ kind: 'ended', outcome: 'error', code, endedEarly });
    expect(tab.alarms).toEqual([]);
  });

  it('the tab that saw why an answer failed still says so where an older build made it compact', async () => {
    lab.upstream.answerWith({ failWith: 401 });
    const { person, profile, tab } = await lab.openChat();
    // It makes nothing compact itself.
    profile.intercept = answerInstead(/^\/v1\/items$/, () => new Response('{"error":"not-ready"}', { status: 503 }));
    const { conversationId, turnId, answer } = await ask(tab, 'Refused?');
    const older = await otherBuild(person);
    await older.pull();
    const asked = [...older.stored].find(([, { content }]) => content.type === 'message');
    if (asked?.[1].content.type !== 'message') throw new Error('There is no question.');
    const [parentId, { content }] = [asked[0], asked[1]];
    const compact = { ...reply({ conversationId, parentId, turnId }), outcome: 'error' as const };
    const batch = older.batch([
      { id: fromBase64Url(content.type === 'message' ? content.replyItemId : ''), content: compact },
    ]);
    await older.relay.expect(200, 'POST', '/v1/items', { ...batch, finishTurns: [turnId] });
    profile.intercept = null;
    await expect.poll(async () => (await tab.vault.relayView({ conversationId })).rows.length, patient).toBe(5);
    await show(tab, conversationId);
    expect(tab.answer(turnId).state).toEqual(answer.state);
    expect((await storedTypes(person)).filter((type) => type.startsWith('reply'))).toEqual(['reply']);
  });

  it('a note that an older build left behind a deleted conversation is buried', async () => {
    const { person, profile } = await lab.signUp();
    const older = await otherBuild(person);
    profile.setOnline(false);
    const { contents } = await store(older, ['model-failed']);
    const kept = await store(older, ['model-failed']);
    const known = contents.filter(({ content }) => content.type !== 'reply-note');
    const batch = older.batchOf(known.map(({ id }) => ({ id, version: 2, bytes: null })));
    await older.relay.expect(200, 'POST', '/v1/items', batch);
    expect((await storedTypes(person)).filter((type) => type === 'reply-note')).toHaveLength(2);
    profile.setOnline(true);
    const count = async () => (await storedTypes(person)).filter((type) => type === 'reply-note').length;
    await expect.poll(count, patient).toBe(1);
    const left = await (await otherBuild(person)).pull();
    expect(left.find(({ type }) => type === 'reply-note')).toMatchObject({ turnId: kept.turnId });
  });

  it('a deletion takes the notes with it', async () => {
    const { person, tab } = await lab.signUp();
    const { conversationId } = await store(await otherBuild(person), ['model-failed']);
    await tab.until(() => tab.conversations.length === 1);
    await tab.vault.deleteConversation({ conversationId });
    await expect.poll(() => storedTypes(person), patient).toEqual([]);
  });
});

describe('a question that no enclave took', () => {
  it.each([
    ['by the relay', '{"error":"too-large"}', 'message-too-long'],
    ['on the way', '<h1>Request Entity Too Large</h1>', 'too-large-on-the-way'],
  ])('keeps why it was refused %s, in a second tab and after a reload', async (_, body, code) => {
    const { profile, tab } = await lab.openChat();
    const other = await profile.openTab();
    profile.intercept = answerInstead(/^\/v1\/turns$/, () => new Response(body, { status: 413 }));
    const { conversationId, turnId, answer } = await ask(tab, 'Too long?');
    expect(answer.state).toEqual({ kind: 'unsent', failure: { code } });
    profile.closeTab(tab);
    await show(other, conversationId);
    expect((await other.ended(turnId)).state).toEqual(answer.state);
    profile.closeTab(other);
    const reloaded = await show(await profile.openTab(), conversationId);
    expect((await reloaded.ended(turnId)).state).toEqual(answer.state);
    expect(profile.sentTurns).toHaveLength(1);
  });
});
