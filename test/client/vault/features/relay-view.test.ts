import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildRelayView } from '../../../../client/vault/features/relay-view.ts';
import { VaultContents } from '../../../../client/vault/store/vault-contents.ts';
import { addConversation } from '../../../parts/vault/planned-batches.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const answerText = 'In a low voice.';

async function openChat() {
  const signedUp = await lab.signUp();
  await signedUp.tab.vault.openConversation({ conversationId: null });
  await signedUp.tab.until(() => signedUp.tab.enclave.kind === 'verified');
  return signedUp;
}

describe('limits', () => {
  it('refuses a message that is too long and one that is empty, and keeps neither', async () => {
    const { tab } = await lab.signUp();
    expect(await tab.refusal(tab.ask('x'.repeat(200_001)))).toEqual({ code: 'message-too-long' });
    expect(await tab.refusal(tab.ask('   '))).toEqual({ code: 'message-empty' });
    expect(tab.conversations).toEqual([]);
  });

  it('keeps a draft of each place by itself', async () => {
    const { profile, tab } = await openChat();
    const { conversationId, turnId } = await tab.ask('One.');
    await tab.ended(turnId);
    await tab.vault.writeDraft({ conversationId, text: 'here' });
    await tab.vault.writeDraft({ conversationId: null, text: 'there 😀' });
    const reloaded = await profile.openTab();
    expect(await reloaded.vault.readDraft({ conversationId })).toBe('here');
    expect(await reloaded.vault.readDraft({ conversationId: null })).toBe('there 😀');
    await reloaded.vault.writeDraft({ conversationId, text: '' });
    expect(await tab.vault.readDraft({ conversationId })).toBe('');
  });
});

describe('“What the relay sees”', () => {
  it('has a row for each item of a conversation, whatever its type', async () => {
    const contents = new VaultContents();
    // A new type of item that belongs to a conversation is added there, and gets its words in the view.
    const { conversationId } = addConversation(contents, {
      turns: 2,
      documents: 'each',
      isAnswered: true,
      isNoted: true,
    });
    const account = { accountNumber: 1, nameHash: '', createdAtMs: 1, usedBytes: 0, quotaBytes: 0, keyslots: [] };
    const sources = {
      contents,
      cache: { readBody: async () => null },
      tracker: {},
      client: { readAccount: async () => account },
    } as unknown as Parameters<typeof buildRelayView>[0];
    const { rows } = await buildRelayView(sources, conversationId, []);
    expect(rows.map(({ id }) => id).toSorted()).toEqual([...contents.rows.keys()].toSorted());
    expect(new Set(rows.map(({ kindOfWords }) => kindOfWords)).size).toBe(5);
  });

  it('shows its very columns and bytes beside the words', async () => {
    const { tab } = await openChat();
    const { conversationId, turnId } = await tab.ask('What do you see?');
    await tab.ended(turnId);
    const view = await tab.vault.relayView({ conversationId });
    const words = view.rows.map(({ what, kindOfWords, words: text }) => ({ what, kindOfWords, text }));
    expect(words).toEqual([
      { what: 'item', kindOfWords: 'title', text: 'What do you see?' },
      { what: 'item', kindOfWords: 'question', text: 'What do you see?' },
      { what: 'item', kindOfWords: 'verification', text: '' },
      { what: 'transcript', kindOfWords: 'reply', text: answerText },
    ]);
    for (const row of view.rows) {
      const all = await tab.vault.relayBytes({ id: row.id });
      // The last frame of an answer comes after its words.
      const bytes = row.what === 'transcript' ? all.subarray(0, row.length) : all;
      expect(bytes.length).toBe(row.length);
      expect(Buffer.from(bytes).subarray(0, 256).toString('hex')).toBe(row.firstBytesHex);
      expect(Buffer.from(bytes).includes('you see')).toBe(false);
    }
    const question = view.rows[1];
    const column = (name: string) => question?.columns.find((entry) => entry.name === name)?.value;
    expect(column('turnId')).toBe(turnId);
    expect(column('storedAtMs')).toBeGreaterThan(1_600_000_000_000);
    expect(view.rows[2]?.facts).toMatchObject({ kind: 'verification', evidenceKind: 'development' });
    expect(new Set(view.account.map(({ name }) => name))).toEqual(
      new Set([
        'accountNumber',
        'nameHash',
        'createdAtMs',
        'usedBytes',
        'quotaBytes',
        'keyslot:password',
        'keyslot:recovery',
      ]),
    );
  });
});
