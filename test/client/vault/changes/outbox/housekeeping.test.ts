import { beforeAll, describe, expect, it } from 'vitest';
import { sodiumReady } from '../../../../../crypto/primitives/sodium.ts';
import { VaultContents } from '../../../../../client/vault/store/vault-contents.ts';
import { newId } from '../../../../parts/vault/paper-vault.ts';
import {
  addConversation,
  orderedByChores,
  put,
  replyNote,
  storeAll,
  verification,
} from '../../../../parts/vault/planned-batches.ts';

beforeAll(() => sodiumReady());

describe('chores of the features', () => {
  it('finds the verifications that a deletion on another device left, and buries them', async () => {
    const contents = new VaultContents();
    addConversation(contents, { turns: 2, documents: 'each', isAnswered: true, isNoted: true });
    expect(await orderedByChores(contents)).toEqual([]);
    for (let n = 0; n < 620; n++) put(contents, newId(), verification());
    const found = await orderedByChores(contents);
    expect(found).toEqual([{ kind: 'drop-verifications' }]);
    expect(storeAll(contents, found).waiting).toEqual([]);
    expect(contents.verifications.size).toBe(2);
    expect(await orderedByChores(contents)).toEqual([]);
  });

  it('leaves them to what already waits, and alone where something of a later build may name them', async () => {
    const contents = new VaultContents();
    put(contents, newId(), verification());
    expect(await orderedByChores(contents, [{ kind: 'drop-verifications' }])).toEqual([]);
    expect(await orderedByChores(contents, [{ kind: 'delete', conversationId: newId() }])).toEqual([]);
    const row = { id: newId(), version: 1, flags: 0, expiresAt: 0, counter: 1, storedAtMs: 0, turnId: null, length: 9 };
    contents.set({ ...row, bodyHash: new Uint8Array(32), bodyState: 'here' }, null);
    expect(await orderedByChores(contents)).toEqual([]);
    put(contents, row.id, null);
    expect(await orderedByChores(contents)).toEqual([{ kind: 'drop-verifications' }]);
  });

  it.each([
    ['is a tombstone', (contents: VaultContents, id: string) => put(contents, id, null, 2)],
    ['was forgotten', (contents: VaultContents, id: string) => contents.delete(id)],
  ])('buries the notes that an older build left of a conversation which %s, and no others', async (_, remove) => {
    const contents = new VaultContents();
    const kept = addConversation(contents, { turns: 2, documents: 'none', isAnswered: true, isNoted: true });
    const { conversationId } = addConversation(contents, { turns: 0, documents: 'none', isAnswered: true });
    for (let n = 0; n < 620; n++) put(contents, newId(), replyNote({ conversationId, turnId: newId() }));
    expect(await orderedByChores(contents)).toEqual([]);
    remove(contents, conversationId);
    const found = await orderedByChores(contents);
    expect(found).toEqual([{ kind: 'delete', conversationId }]);
    expect(storeAll(contents, found).waiting).toEqual([]);
    expect([...contents.replyNotes.values()].map((note) => note.conversationId)).toEqual(
      kept.turns.map(() => kept.conversationId),
    );
    expect(await orderedByChores(contents)).toEqual([]);
  });

  it('takes up a deletion that was begun elsewhere', async () => {
    const contents = new VaultContents();
    const { conversationId } = addConversation(contents, { turns: 2, documents: 'each', isAnswered: true });
    put(contents, conversationId, null, 2);
    expect(await orderedByChores(contents)).toContainEqual({ kind: 'delete', conversationId });
    expect(await orderedByChores(contents, [{ kind: 'delete', conversationId }])).toEqual([]);
  });
});
