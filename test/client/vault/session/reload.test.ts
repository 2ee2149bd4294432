import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

/** In haste a busy machine makes the relay seem silent, and the live response is opened anew. */
const unhurried = { haste: 0.2 };

describe('a reload in the middle of an answer', () => {
  it('shows what came before and goes on', async () => {
    lab.speakSlowly();
    const { profile, tab } = await lab.openChat();
    const { conversationId, turnId } = await tab.ask('Reload?');
    await tab.until(() => tab.answer(turnId).text.includes('word3'));
    profile.closeTab(tab);
    const reloaded = await profile.openTab();
    await reloaded.vault.openConversation({ conversationId });
    await reloaded.until(() => reloaded.answer(turnId).text.includes('word3'));
    expect((await reloaded.ended(turnId)).text).toBe(Array.from({ length: 12 }, (_, n) => `word${n} `).join(''));
  });

  it('does not call the answer missing while only its live frames are here', async () => {
    lab.speakSlowly();
    const { profile, tab } = await lab.openChat();
    const { conversationId, turnId } = await tab.ask('Not missing?');
    await tab.until(() => tab.answer(turnId).text.includes('word3'));
    profile.closeTab(tab);
    const isFetching = Promise.withResolvers<void>();
    const mayFetch = Promise.withResolvers<void>();
    profile.intercept = async (request, next) => {
      if (!/^\/v1\/turns\/[^/]+\/frames$/.test(new URL(request.url).pathname)) return next(request);
      isFetching.resolve();
      await mayFetch.promise;
      return next(request);
    };
    const reloaded = await profile.openTab();
    await reloaded.vault.openConversation({ conversationId });
    await isFetching.promise;
    // Several ticks of frames, of which the beginning is not here.
    await new Promise((resolve) => setTimeout(resolve, 800));
    await reloaded.vault.openConversation({ conversationId });
    mayFetch.resolve();
    expect((await reloaded.ended(turnId)).text).toContain('word11');
    const states = reloaded.events.flatMap((event) => {
      const shown = event.type === 'messages' ? event.messages : event.type === 'message' ? [event.message] : [];
      return shown.flatMap((message) => (message.role === 'assistant' ? [message.state.kind] : []));
    });
    expect(new Set(states).has('missing')).toBe(false);
  });

  it('or a second tab both show every word, over one live response', async () => {
    lab.speakSlowly();
    const { profile, tab } = await lab.openChat(lab.profile(unhurried));
    const second = await profile.openTab();
    const { conversationId, turnId } = await tab.ask('Both?');
    await second.until(() => second.conversations.length === 1);
    await second.vault.openConversation({ conversationId });
    const answers = await Promise.all([tab.ended(turnId), second.ended(turnId)]);
    const whole = Array.from({ length: 12 }, (_, n) => `word${n} `).join('');
    expect(answers.map(({ text }) => text)).toEqual([whole, whole]);
    expect(profile.requests.filter(({ path }) => path === '/v1/live')).toHaveLength(1);
  });

  it('a reload of the asking tab before the relay has the question lets another tab carry on', async () => {
    const { profile, tab } = await lab.openChat();
    const second = await profile.openTab();
    await second.until(() => second.connection === 'connected');
    profile.intercept = async (request, next) => {
      if (request.url.endsWith('/v1/turns')) throw new TypeError('Failed to fetch');
      return next(request);
    };
    const { conversationId, turnId } = await tab.ask('Carried on?');
    await second.until(() => second.conversations.length === 1);
    await second.vault.openConversation({ conversationId });
    expect(second.question(turnId).stored).toBe(false);
    profile.closeTab(tab);
    profile.intercept = null;
    expect((await second.ended(turnId)).text).toBe(answerText);
  });
});

it('a reload tells that the vault is open before anything that lies in it', async () => {
  const { profile, tab } = await lab.openChat();
  await tab.vault.setTheme({ theme: 'dark' });
  const { turnId } = await tab.ask('Kept?');
  await tab.ended(turnId);
  profile.closeTab(tab);
  const reloaded = await profile.openTab();
  await reloaded.until(() => reloaded.theme === 'dark' && reloaded.conversations.length === 1);
  const [first] = reloaded.events.filter(({ type }) => type !== 'connection');
  expect(first).toEqual({ type: 'session', status: 'unlocked', needsNewPassword: false });
});
