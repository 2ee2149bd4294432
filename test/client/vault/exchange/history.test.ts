import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

/* These give a model a conversation in which not every question was answered: real vault, relay, worker and engine. */

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());
beforeEach(() => {
  lab.upstream.answerWith({ tokens: ['An ', 'answer.'] });
});

async function openChat(profile = lab.profile()): Promise<VaultTab> {
  const { tab } = await lab.signUp(profile);
  await tab.vault.openConversation({ conversationId: null });
  await tab.until(() => tab.enclave.kind === 'verified');
  return tab;
}

/** Asks, and waits for the end, however it is. */
async function ask(tab: VaultTab, text: string, conversationId?: string) {
  const asked = await tab.ask(text, conversationId);
  const answer = await tab.ended(asked.turnId);
  return { ...asked, answer };
}

const given = () => lab.upstream.requests.at(-1)?.body.messages.map(({ role, content }) => [role, content]);

describe('a conversation', () => {
  it('in which a question was refused goes on without that question', async () => {
    const tab = await openChat();
    const { conversationId } = await ask(tab, 'First?');
    lab.upstream.answerWith({ failWith: 401 });
    const refused = await ask(tab, 'Refused?', conversationId);
    expect(refused.answer.state).toMatchObject({ kind: 'ended', outcome: 'error', code: 'key-refused' });
    lab.upstream.answerWith({ tokens: [] });
    const empty = await ask(tab, 'Empty?', conversationId);
    expect(empty.answer.state).toMatchObject({ kind: 'ended', outcome: 'error', code: 'no-answer' });
    lab.upstream.answerWith({ tokens: ['<think>Hm.</think>', 'Thought ', 'over.'] });
    const thoughtful = await ask(tab, 'Third?', conversationId);
    expect([thoughtful.answer.text, thoughtful.answer.reasoning]).toEqual(['Thought over.', 'Hm.']);
    await ask(tab, 'Fourth?', conversationId);
    expect(given()).toEqual([
      ['user', 'First?'],
      ['assistant', 'An answer.'],
      ['user', 'Third?'],
      ['assistant', 'Thought over.'],
      ['user', 'Fourth?'],
    ]);
  });

  it('still says why a question was refused once its answer was made compact', async () => {
    const profile = lab.profile();
    const tab = await openChat(profile);
    lab.upstream.answerWith({ failWith: 401 });
    const { turnId, conversationId } = await ask(tab, 'Refused?');
    await tab.until(() => profile.requests.some(({ method, path }) => method === 'POST' && path === '/v1/items'));
    // The answer is said anew, out of the reply.
    // Opened anew, it is read out of what is stored; that is so from some moment after the batch on.
    for (let i = 0; i < 8; i += 1) {
      await tab.vault.openConversation({ conversationId });
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(tab.answer(turnId).state).toMatchObject({ kind: 'ended', outcome: 'error', code: 'key-refused' });
  });

  it('in which a question was stopped before its first word goes on with both', async () => {
    const tab = await openChat();
    lab.upstream.answerWith({ tokens: ['Late.'], delayMs: 60_000 });
    const stopped = await tab.ask('About the sea.');
    await tab.until(() => tab.answer(stopped.turnId).state.kind === 'waiting');
    await tab.until(() => lab.upstream.requests.length > 0);
    await tab.vault.stop({ turnId: stopped.turnId });
    await tab.ended(stopped.turnId);
    lab.upstream.answerWith({});
    await ask(tab, 'In French, please.', stopped.conversationId);
    expect(given()).toEqual([['user', 'About the sea.\n\nIn French, please.']]);
  });

  it('that is longer than the model reads is answered without its beginning, and says so', async () => {
    const tab = await openChat();
    const { conversationId } = await ask(tab, `First? ${'x'.repeat(2_000)}`);
    await ask(tab, 'Second?', conversationId);
    lab.upstream.answerWith({ contextCharacters: 1_000 });
    const third = await ask(tab, 'Third?', conversationId);
    expect(third.answer.leftOut).toBe(2);
    expect(given()).toEqual([
      ['user', 'Second?'],
      ['assistant', 'An answer.'],
      ['user', 'Third?'],
    ]);
    const tooLong = await ask(tab, 'y'.repeat(2_000), conversationId);
    expect(tooLong.answer.state).toMatchObject({ outcome: 'error', code: 'context-too-long' });
    // It does not end the chat.
    const fourth = await ask(tab, 'Fourth?', conversationId);
    expect(fourth.answer).toMatchObject({ leftOut: 2, state: { outcome: 'complete' } });
  });
});
