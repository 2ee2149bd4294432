import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe('one turn', () => {
  it('is asked on one device, streams on both, and is there after a sign-in on a third', async () => {
    lab.upstream.answerWith({ tokens: ['In ', 'a ', 'low ', 'voice.'], reasoning: ['Hm.'] });
    const { person, tab } = await lab.signUp();
    const second = await lab.signIn(person);
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'verified');
    const { conversationId, turnId } = await tab.ask('What is sotto voce?');
    expect(tab.question(turnId).text).toBe('What is sotto voce?');
    await second.tab.until(() => second.tab.conversations.length === 1);
    await second.tab.vault.openConversation({ conversationId });
    const [here, there] = await Promise.all([tab.ended(turnId), second.tab.ended(turnId)]);
    for (const answer of [here, there]) {
      expect(answer).toMatchObject({
        text: 'In a low voice.',
        reasoning: 'Hm.',
        state: { kind: 'ended', outcome: 'complete' },
        model: 'test-model',
        engine: 'openai',
      });
    }
    await tab.until(() => tab.question(turnId).stored);
    expect(lab.upstream.requests.at(-1)?.body.messages).toEqual([{ role: 'user', content: 'What is sotto voce?' }]);

    // Compact now: a device that comes later reads one item.
    const view = async () => (await tab.vault.relayView({ conversationId })).rows;
    await expect
      .poll(async () => (await view()).map(({ what, kindOfWords }) => `${what} ${kindOfWords}`))
      .toEqual(['item title', 'item question', 'item verification', 'item reply', 'item note', 'transcript reply']);
    const third = await lab.signIn(person);
    await third.tab.until(() => third.tab.titles().includes('What is sotto voce?'));
    await third.tab.vault.openConversation({ conversationId });
    expect(third.tab.texts(conversationId)).toEqual(['What is sotto voce?', 'In a low voice.']);
    expect(third.tab.answer(turnId).protection).toEqual({ kind: 'development', level: 'any', release: null });
    expect([tab.alarms, second.tab.alarms, third.tab.alarms]).toEqual([[], [], []]);
  });
});
