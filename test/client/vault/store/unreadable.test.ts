import { describe, expect, it } from 'vitest';
import type { ItemContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { tombstoneFlag } from '../../../../crypto/protocol/messages/item-messages.ts';
import { type Operation, operationTypes } from '../../../../client/vault/features/features.ts';
import { planBatch } from '../../../../client/vault/changes/writing/plan-batch.ts';
import { placeTurn } from '../../../../client/vault/changes/operations/plan-turn.ts';
import { type OpenedContent, VaultContents } from '../../../../client/vault/store/vault-contents.ts';
import { orderedByChores } from '../../../parts/vault/planned-batches.ts';
import { newId } from '../../../parts/vault/paper-vault.ts';

const hash = 'A'.repeat(43);
const conversation: ItemContent = {
  type: 'conversation',
  format: 1,
  createdAtMs: 1,
  title: { value: 'A title', setAtMs: 1 },
  cacheSalt: hash,
};
const settings: ItemContent = { type: 'settings', format: 1, theme: { value: 'dark', setAtMs: 1 } };

function question(conversationId: string, verificationItemId?: string) {
  const message = {
    type: 'message',
    format: 1,
    conversationId,
    parentId: null,
    createdAtMs: 1,
    text: 'A question',
    turnId: newId(),
    turnKey: hash,
    replyItemId: newId(),
  } as const;
  return verificationItemId === undefined ? message : { ...message, verificationItemId };
}

function answer(conversationId: string, asked: ReturnType<typeof question>, parentId: string) {
  return {
    type: 'reply',
    format: 1,
    conversationId,
    parentId,
    turnId: asked.turnId,
    createdAtMs: 1,
    text: 'An answer',
    reasoning: '',
    outcome: 'complete',
    transcriptHash: hash,
    model: 'test',
    engine: 'test',
    protection: '',
    usage: null,
  } as const;
}

const verification: ItemContent = {
  type: 'verification',
  format: 1,
  verifiedAtMs: 1,
  kind: 'development',
  level: 'any',
  model: 'test',
  measurement: null,
  release: null,
  document: '{}',
};

const unreadable = (of: ItemContent['type'] | null, conversationId: string | null = null) =>
  ({ type: 'unreadable', of, conversationId }) as const;

/** Contents of these items, each at version 1; `deleted` is a tombstone. */
function contentsOf(items: Readonly<Record<string, OpenedContent | 'deleted'>>): VaultContents {
  const contents = new VaultContents();
  for (const [id, content] of Object.entries(items)) {
    const isDeleted = content === 'deleted';
    const row = { id, version: 1, flags: isDeleted ? tombstoneFlag : 0, expiresAt: 0, counter: 1, storedAtMs: 0 };
    const rest = { turnId: null, length: 0, bodyHash: new Uint8Array(32), bodyState: 'here' } as const;
    contents.set({ ...row, ...rest }, isDeleted ? null : content);
  }
  return contents;
}

function plan(contents: VaultContents, operation: Operation) {
  const queued = { type: operationTypes.of(operation), id: operation.kind, revision: 'first', operation };
  const { writes, settled } = planBatch(contents, [queued], 1);
  const written = Object.fromEntries(writes.map(({ id, content }) => [id, content?.type ?? 'deleted']));
  return { written, isSettled: settled.length === 1 };
}

describe('items of a later build', () => {
  it('hides the minimum while it may be the settings or is the conversation, and nothing else does', () => {
    const asked = newId();
    const hides = (items: Parameters<typeof contentsOf>[0]) => contentsOf(items).hidesMinimum(asked);
    expect(hides({ [newId()]: unreadable('settings') })).toBe(true);
    expect(hides({ [newId()]: unreadable(null) })).toBe(true);
    expect(hides({ [asked]: unreadable('conversation') })).toBe(true);
    expect(hides({ [newId()]: unreadable('conversation'), [newId()]: unreadable('message', asked) })).toBe(false);
    expect(hides({ [newId()]: settings, [newId()]: 'deleted', [newId()]: null, [asked]: conversation })).toBe(false);
  });

  it('is forgotten when it is deleted, or written so that this build can read it', () => {
    for (const successor of [null, settings]) {
      const id = newId();
      const contents = contentsOf({ [id]: unreadable('settings') });
      const row = contents.rows.get(id);
      if (row === undefined) throw new Error('There is no such item.');
      contents.set({ ...row, version: 2, flags: successor === null ? tombstoneFlag : 0 }, successor);
      expect(contents.hidesMinimum(null)).toBe(false);
    }
  });

  it('a conversation takes questions back from nobody: they wait for a build that reads it', () => {
    const [there, gone] = [newId(), newId()];
    const contents = contentsOf({ [there]: unreadable('conversation'), [gone]: 'deleted' });
    expect(placeTurn(contents, { conversationId: there, newConversation: null })).toBe('there');
    expect(placeTurn(contents, { conversationId: gone, newConversation: null })).toBe('deleted');
  });

  it.each([
    { kind: 'rename', title: 'Another' },
    { kind: 'conversation-minimum', level: 'hardware' },
  ] as const)('a $kind of such a conversation waits, one of a deleted conversation does not', (change) => {
    const conversationId = newId();
    const operation = { ...change, conversationId, setAtMs: 5 } as Operation;
    const waiting = plan(contentsOf({ [conversationId]: unreadable('conversation') }), operation);
    expect(waiting).toEqual({ written: {}, isSettled: false });
    expect(plan(contentsOf({ [conversationId]: 'deleted' }), operation)).toEqual({ written: {}, isSettled: true });
    const changed = { written: { [conversationId]: 'conversation' }, isSettled: true };
    expect(plan(contentsOf({ [conversationId]: conversation }), operation)).toEqual(changed);
  });

  it('an answer in such a conversation is made compact, and gives it no title', () => {
    const conversationId = newId();
    const messageId = newId();
    const asked = question(conversationId);
    const content = answer(conversationId, asked, messageId);
    const operation: Operation = { kind: 'reply', itemId: asked.replyItemId, content, title: 'A name' };
    const there = (it: OpenedContent | 'deleted') => contentsOf({ [conversationId]: it, [messageId]: asked });
    const stored = { written: { [asked.replyItemId]: 'reply' }, isSettled: true };
    expect(plan(there(unreadable('conversation')), operation)).toEqual(stored);
    expect(plan(there('deleted'), operation)).toEqual({ written: {}, isSettled: true });
  });

  it('goes with its conversation, as far as it says which', () => {
    const [mine, other, hidden, foreign, unknown] = [newId(), newId(), newId(), newId(), newId()];
    const items = {
      [hidden]: unreadable('message', mine),
      [foreign]: unreadable('message', other),
      [unknown]: unreadable('message'),
    };
    const operation: Operation = { kind: 'delete', conversationId: mine };
    for (const it of [conversation, unreadable('conversation')]) {
      const { written, isSettled } = plan(contentsOf({ ...items, [mine]: it }), operation);
      expect([written, isSettled]).toEqual([{ [mine]: 'deleted', [hidden]: 'deleted' }, true]);
    }
  });

  it('is buried by any device, where the one that deleted its conversation could not', async () => {
    const [deleted, living] = [newId(), newId()];
    const contents = contentsOf({
      [deleted]: 'deleted',
      [living]: conversation,
      [newId()]: unreadable('message', deleted),
      [newId()]: unreadable('message', living),
      [newId()]: unreadable('message'),
    });
    expect(await orderedByChores(contents, [], 1)).toEqual([{ kind: 'delete', conversationId: deleted }]);
  });

  it('keeps the verification that it may rest on', () => {
    const [mine, messageId, verificationId] = [newId(), newId(), newId()];
    const items = {
      [mine]: conversation,
      [messageId]: question(mine, verificationId),
      [verificationId]: verification,
    };
    const operation: Operation = { kind: 'delete', conversationId: mine };
    const deleted = { [mine]: 'deleted', [messageId]: 'deleted' };
    expect(plan(contentsOf(items), operation).written).toEqual({ ...deleted, [verificationId]: 'deleted' });
    const beside = contentsOf({ ...items, [newId()]: unreadable('message', newId()) });
    expect(plan(beside, operation).written).toEqual(deleted);
  });
});
