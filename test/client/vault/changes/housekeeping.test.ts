import { beforeAll, describe, expect, it } from 'vitest';
import { sodiumReady } from '../../../../crypto/primitives/sodium.ts';
import { keepHouse } from '../../../../client/vault/changes/housekeeping.ts';
import type { Operation } from '../../../../client/vault/changes/operation.ts';
import type { Outbox } from '../../../../client/vault/changes/outbox.ts';
import { VaultContents } from '../../../../client/vault/store/vault-contents.ts';
import { newId } from '../../../parts/vault/paper-vault.ts';
import {
  addConversation,
  put,
  queue,
  replyNote,
  storeAll,
  verification,
} from '../../../parts/vault/planned-batches.ts';

beforeAll(() => sodiumReady());

describe('keepHouse', () => {
  async function ordered(contents: VaultContents, waiting: readonly Operation[] = []) {
    const orders: Operation[] = [];
    const outbox = { all: queue(waiting), put: async (operation: Operation) => void orders.push(operation) };
    await keepHouse(contents, outbox as unknown as Outbox, 0);
    return orders;
  }

  it('finds the verifications that a deletion on another device left, and buries them', async () => {
    const contents = new VaultContents();
    addConversation(contents, { turns: 2, documents: 'each', isAnswered: true, isNoted: true });
    expect(await ordered(contents)).toEqual([]);
    for (let n = 0; n < 620; n++) put(contents, newId(), verification());
    const found = await ordered(contents);
    expect(found).toEqual([{ kind: 'drop-verifications' }]);
    expect(storeAll(contents, found).waiting).toEqual([]);
    expect(contents.verifications.size).toBe(2);
    expect(await ordered(contents)).toEqual([]);
  });

  it('leaves them to what already waits, and alone where something of a later build may name them', async () => {
    const contents = new VaultContents();
    put(contents, newId(), verification());
    expect(await ordered(contents, [{ kind: 'drop-verifications' }])).toEqual([]);
    expect(await ordered(contents, [{ kind: 'delete', conversationId: newId() }])).toEqual([]);
    const row = { id: newId(), version: 1, flags: 0, expiresAt: 0, counter: 1, storedAtMs: 0, turnId: null, length: 9 };
    contents.set({ ...row, bodyHash: new Uint8Array(32), bodyState: 'here' }, null);
    expect(await ordered(contents)).toEqual([]);
    put(contents, row.id, null);
    expect(await ordered(contents)).toEqual([{ kind: 'drop-verifications' }]);
  });

  it.each([
    ['is a tombstone', (contents: VaultContents, id: string) => put(contents, id, null, 2)],
    ['was forgotten', (contents: VaultContents, id: string) => contents.delete(id)],
  ])('buries the notes that an older build left of a conversation which %s, and no others', async (_, remove) => {
    const contents = new VaultContents();
    const kept = addConversation(contents, { turns: 2, documents: 'none', isAnswered: true, isNoted: true });
    const { conversationId } = addConversation(contents, { turns: 0, documents: 'none', isAnswered: true });
    for (let n = 0; n < 620; n++) put(contents, newId(), replyNote({ conversationId, turnId: newId() }));
    expect(await ordered(contents)).toEqual([]);
    remove(contents, conversationId);
    const found = await ordered(contents);
    expect(found).toEqual([{ kind: 'delete', conversationId }]);
    expect(storeAll(contents, found).waiting).toEqual([]);
    expect([...contents.notes.values()].map((note) => note.conversationId)).toEqual(
      kept.turns.map(() => kept.conversationId),
    );
    expect(await ordered(contents)).toEqual([]);
  });

  it('takes up a deletion that was begun elsewhere', async () => {
    const contents = new VaultContents();
    const { conversationId } = addConversation(contents, { turns: 2, documents: 'each', isAnswered: true });
    put(contents, conversationId, null, 2);
    expect(await ordered(contents)).toContainEqual({ kind: 'delete', conversationId });
    expect(await ordered(contents, [{ kind: 'delete', conversationId }])).toEqual([]);
  });
});
