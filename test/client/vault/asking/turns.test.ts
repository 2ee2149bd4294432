import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { failureText } from '../../../../client/page/texts/of-values/failure-texts.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());
beforeEach(() => {
  lab.upstream.answerWith({});
});

const answerText = 'In a low voice.';

describe('a conversation', () => {
  it('gives the enclave the questions and answers that lead to a question', async () => {
    const { tab } = await lab.openChat();
    const first = await tab.ask('First?');
    await tab.ended(first.turnId);
    const second = await tab.ask('Second?', first.conversationId);
    await tab.ended(second.turnId);
    expect(lab.upstream.requests.at(-1)?.body.messages).toEqual([
      { role: 'user', content: 'First?' },
      { role: 'assistant', content: answerText },
      { role: 'user', content: 'Second?' },
    ]);
    expect(tab.texts(first.conversationId)).toEqual(['First?', answerText, 'Second?', answerText]);
  });

  it('grows by the frame: deltas add up to what is stored', async () => {
    lab.speakSlowly(6);
    const { tab } = await lab.openChat();
    const { turnId } = await tab.ask('Slowly, please.');
    const answer = await tab.ended(turnId);
    const deltas = tab.events.filter((event) => event.type === 'delta');
    expect(deltas.length).toBeGreaterThan(3);
    expect(answer.text).toBe('word0 word1 word2 word3 word4 word5 ');
    const kinds = tab.events.flatMap((event) =>
      event.type === 'message' && event.message.turnId === turnId && event.message.role === 'assistant'
        ? event.message.state.kind
        : [],
    );
    expect(kinds.at(-1)).toBe('ended');
    expect(kinds).toContain('streaming');
  });

  it('is renamed on one device and carries its name on the other, also when it was renamed before it was stored', async () => {
    const { person, profile, tab } = await lab.openChat();
    profile.setOnline(false);
    const { conversationId, turnId } = await tab.ask(
      'A question with a long first line that is cut somewhere in the middle of it',
    );
    expect(tab.titles()[0]?.endsWith('…')).toBe(true);
    await tab.vault.renameConversation({ conversationId, title: '  A   name ' });
    await tab.until(() => tab.titles()[0] === 'A name');
    profile.setOnline(true);
    await tab.ended(turnId);
    const { tab: other } = await lab.signIn(person);
    await other.until(() => other.titles()[0] === 'A name');
    await other.vault.renameConversation({ conversationId, title: 'Another name' });
    await tab.until(() => tab.titles()[0] === 'Another name');
  });

  it('is deleted on all devices, with its answer still streaming', async () => {
    lab.speakSlowly(30);
    const { person, tab } = await lab.openChat();
    const { tab: other } = await lab.signIn(person);
    const { conversationId, turnId } = await tab.ask('To be deleted.');
    await other.until(() => other.conversations.length === 1);
    await tab.until(() => tab.stateOf(turnId) === 'streaming');
    await tab.vault.deleteConversation({ conversationId });
    await Promise.all([
      tab.until(() => tab.conversations.length === 0),
      other.until(() => other.conversations.length === 0),
    ]);
    await tab.until(() => lab.upstream.requests.at(-1)?.isAborted === true);
    expect([tab.alarms, other.alarms]).toEqual([[], []]);
  });
});

describe('a relay that is away', () => {
  it('does not lose a message, a reload does not either, and it is sent when the relay is back', async () => {
    const { profile, tab } = await lab.openChat();
    profile.intercept = () => Promise.reject(new TypeError('Failed to fetch'));
    const { conversationId, turnId } = await tab.ask('Kept?');
    await tab.until(() => tab.stateOf(turnId) === 'connecting' || tab.stateOf(turnId) === 'sealing');
    expect(tab.question(turnId).stored).toBe(false);
    expect(tab.conversations[0]).toMatchObject({ id: conversationId, stored: false });
    profile.closeTab(tab);

    const reloaded = await profile.openTab();
    expect(reloaded.status).toBe('unlocked');
    await reloaded.vault.openConversation({ conversationId });
    expect(reloaded.question(turnId)).toMatchObject({ text: 'Kept?', stored: false });
    profile.intercept = null;
    const answer = await reloaded.ended(turnId);
    expect(answer.text).toBe(answerText);
    expect(reloaded.question(turnId).stored).toBe(true);
  });

  it('that goes in the middle of an answer costs nothing of it', async () => {
    lab.speakSlowly();
    const { tab } = await lab.openChat();
    const { turnId } = await tab.ask('Survives?');
    await tab.until(() => tab.answer(turnId).text.includes('word2'));
    await lab.stopRelay();
    await tab.until(() => tab.connection === 'relay-unreachable');
    await lab.startRelay();
    const answer = await tab.ended(turnId);
    expect(answer.text).toBe(Array.from({ length: 12 }, (_, n) => `word${n} `).join(''));
    expect(answer.state).toMatchObject({ kind: 'ended', outcome: 'complete' });
    await tab.until(() => tab.connection === 'connected');
  });

  it('whose answer to a question is lost is not asked twice', async () => {
    const { profile, tab } = await lab.openChat();
    const asked = lab.upstream.requests.length;
    let lost = 0;
    profile.intercept = async (request, next) => {
      const response = await next(request);
      if (request.method === 'POST' && request.url.endsWith('/v1/turns') && (lost += 1) === 1) {
        throw new TypeError('Failed to fetch');
      }
      return response;
    };
    const { conversationId, turnId } = await tab.ask('Only once?');
    expect((await tab.ended(turnId)).text).toBe(answerText);
    expect(lost).toBeGreaterThan(0);
    expect(lab.upstream.requests.length - asked).toBe(1);
    expect(tab.texts(conversationId)).toEqual(['Only once?', answerText]);
  });

  it('is told apart from being offline', async () => {
    const { profile, tab } = await lab.openChat();
    await tab.until(() => tab.connection === 'connected');
    profile.setOnline(false);
    await tab.until(() => tab.connection === 'offline');
    profile.setOnline(true);
    await tab.until(() => tab.connection === 'connected');
    expect(tab.alarms).toEqual([]);
  });
});

describe('too many questions at once', () => {
  it.each([
    ['the relay', '{"error":"too-many-requests"}', 'That was too much at once for the relay.'],
    ['a proxy', '<h1>Too Many Requests</h1>', 'A proxy in the network lets no more calls through for now.'],
  ])('waits for as long as %s says, says who refused in the end, and loses nothing', async (_who, body, sentence) => {
    const { profile, tab } = await lab.openChat();
    const looked = () => profile.requests.filter(({ path }) => path === '/v1/enclaves').length;
    const before = looked();
    let refused = 0;
    profile.intercept = async (request, next) => {
      if (request.method !== 'POST' || new URL(request.url).pathname !== '/v1/turns') return next(request);
      refused += 1;
      return new Response(body, { status: 429, headers: { 'retry-after': '1' } });
    };
    const { conversationId, turnId } = await tab.ask('A ninth?');
    const { state } = await tab.ended(turnId);
    expect(refused).toBe(6);
    expect(looked()).toBe(before);
    if (state.kind !== 'unsent' || state.failure === null) throw new Error('It says nothing.');
    expect(failureText(state.failure)).toBe(`${sentence} Try again in 1 second.`);
    profile.intercept = null;
    await tab.vault.retry({ conversationId, turnId });
    await tab.until(() => tab.texts(conversationId).includes(answerText));
    expect(tab.texts(conversationId)).toEqual(['A ninth?', answerText]);
  });
});

describe('stop', () => {
  it('ends the answer with what came, on every device', async () => {
    lab.speakSlowly(40);
    const { person, tab } = await lab.openChat();
    const { tab: other } = await lab.signIn(person);
    const { conversationId, turnId } = await tab.ask('Stop me.');
    await other.until(() => other.conversations.length === 1);
    await other.vault.openConversation({ conversationId });
    await tab.until(() => tab.answer(turnId).text.includes('word1'));
    await other.vault.stop({ turnId });
    const answers = await Promise.all([tab.ended(turnId), other.ended(turnId)]);
    for (const { state, text } of answers) {
      expect(state).toMatchObject({ kind: 'ended', outcome: 'stopped' });
      expect(text).toContain('word1');
    }
    await tab.until(() => lab.upstream.requests.at(-1)?.isAborted === true);
  });

  it('before the relay has it stores the question with an empty answer', async () => {
    const { person, profile, tab } = await lab.openChat();
    profile.intercept = async (request, next) => {
      if (request.url.endsWith('/v1/turns')) throw new TypeError('Failed to fetch');
      return next(request);
    };
    const asked = lab.upstream.requests.length;
    const { conversationId, turnId } = await tab.ask('Never mind.');
    await tab.vault.stop({ turnId });
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'stopped' });
    profile.intercept = null;
    await tab.until(() => tab.question(turnId).stored);
    const { tab: other } = await lab.signIn(person);
    await other.until(() => other.conversations.length === 1);
    await other.vault.openConversation({ conversationId });
    expect(other.answer(turnId)).toMatchObject({ text: '', state: { kind: 'ended', outcome: 'stopped' } });
    expect(lab.upstream.requests.length).toBe(asked);
  });
});

describe('retry', () => {
  it('asks again what failed, as a new turn in the same place', async () => {
    lab.upstream.answerWith({ failWith: 500 });
    const { tab } = await lab.openChat();
    const { conversationId, turnId } = await tab.ask('Again?');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'error' });
    lab.upstream.answerWith({});
    await tab.vault.retry({ conversationId, turnId });
    await tab.until(() => tab.texts(conversationId).includes(answerText));
    expect(tab.texts(conversationId)).toEqual(['Again?', answerText]);
    const turnIds = new Set((tab.messages.get(conversationId) ?? []).map((message) => message.turnId));
    expect(turnIds.has(turnId)).toBe(false);
  });
});
