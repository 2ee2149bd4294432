import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { maximumBatchLength } from '../../../../../crypto/protocol/messages/item-messages.ts';
import { sodiumReady } from '../../../../../crypto/primitives/sodium.ts';
import type { ItemContent } from '../../../../../crypto/protocol/contents/item-contents.ts';
import type { Operation } from '../../../../../client/vault/features/features.ts';
import { VaultContents } from '../../../../../client/vault/store/vault-contents.ts';
import { newId } from '../../../../parts/vault/paper-vault.ts';
import {
  addConversation,
  put,
  reply,
  replyNote,
  storeAll,
  verification,
} from '../../../../parts/vault/planned-batches.ts';

beforeAll(() => sodiumReady());

const month = 31 * 86_400_000;

const minimum: Operation = { kind: 'minimum', level: 'hardware', setAtMs: 9, itemId: newId() };

type InConversation = Extract<ItemContent, { readonly conversationId: string }>['type'];

function levelOf(contents: VaultContents) {
  return [...contents.settings.values()].map(({ minimumProtection }) => minimumProtection?.value);
}

describe('deleting', () => {
  it.each([1, 240, 327, 350, 487, 500, 501, 620, 1300])(
    'a conversation of %i turns, each with a verification of its own: whole, and what waits behind it is stored',
    (turns) => {
      const contents = new VaultContents();
      const kept = addConversation(contents, { turns: 3, documents: 'each', isAnswered: true });
      const gone = addConversation(contents, { turns, documents: 'each', isAnswered: true });
      const { waiting, batches } = storeAll(contents, [
        { kind: 'delete', conversationId: gone.conversationId },
        minimum,
      ]);
      expect(waiting).toEqual([]);
      expect([...contents.conversations.keys()]).toEqual([kept.conversationId]);
      expect([contents.messages.size, contents.replies.size, contents.verifications.size]).toEqual([3, 3, 3]);
      expect(levelOf(contents)).toEqual(['hardware']);
      // No batch is sent half empty while there is more to do.
      expect(batches).toHaveLength(Math.ceil((1 + 3 * turns + 1) / maximumBatchLength));
    },
  );

  it('an item of each type that names its conversation goes with it', () => {
    const contents = new VaultContents();
    const { conversationId } = addConversation(contents, {
      turns: 1,
      documents: 'none',
      isAnswered: true,
      isNoted: true,
    });
    // A new type is added to `addConversation`, and to what takes it away.
    const tables: Readonly<Record<InConversation, ReadonlyMap<string, unknown>>> = {
      message: contents.messages,
      reply: contents.replies,
      'reply-note': contents.replyNotes,
    };
    const sizes = () => Object.values(tables).map(({ size }) => size);
    expect(sizes()).toEqual([1, 1, 1]);
    storeAll(contents, [{ kind: 'delete', conversationId }]);
    expect(sizes()).toEqual([0, 0, 0]);
  });

  it('any vault, with anything else that waits', () => {
    const turns = fc.oneof(fc.nat(40), fc.constantFrom(327, 350, 487, 620));
    const documents = fc.constantFrom('each' as const, 'one' as const, 'none' as const);
    const isSo = fc.boolean();
    const shape = { turns, documents, isAnswered: isSo, isNoted: isSo, isDeleted: isSo };
    const conversation = fc.record(shape);
    const story = fc.record({
      conversations: fc.array(conversation, { minLength: 1, maxLength: 4 }),
      tombstones: fc.constantFrom(0, 3, 499, 500, 501, 900),
      isPruning: fc.boolean(),
    });
    fc.assert(
      fc.property(story, ({ conversations, tombstones, isPruning }) => {
        const contents = new VaultContents();
        for (let n = 0; n < tombstones; n++) put(contents, newId(), null);
        const added = conversations.map((shape) => ({ ...shape, ...addConversation(contents, shape) }));
        const { waiting } = storeAll(
          contents,
          [
            ...(isPruning ? [{ kind: 'prune' } as const] : []),
            ...added.map(({ conversationId, isDeleted }): Operation =>
              isDeleted
                ? { kind: 'delete', conversationId }
                : { kind: 'rename', conversationId, title: 'Another', setAtMs: 5 },
            ),
            minimum,
          ],
          month,
        );
        const kept = added.filter(({ isDeleted }) => !isDeleted);
        expect(waiting).toEqual([]);
        expect([...contents.conversations.keys()]).toEqual(kept.map(({ conversationId }) => conversationId));
        expect(contents.messages.size).toBe(kept.reduce((sum, shape) => sum + shape.turns.length, 0));
        const expected = kept.map(({ documents: each, turns: { length } }) =>
          each === 'each' ? length : each === 'one' ? Math.min(1, length) : 0,
        );
        const noted = kept.filter(({ isNoted }) => isNoted);
        expect(contents.replyNotes.size).toBe(noted.reduce((sum, each) => sum + each.turns.length, 0));
        // Without a deletion nothing looks for what no turn names.
        expect(contents.verifications.size).toBe(expected.reduce((sum, each) => sum + each, 0));
        for (const { title } of contents.conversations.values()) expect(title.value).toBe('Another');
        expect(levelOf(contents)).toEqual(['hardware']);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a compact answer', () => {
  /** One question, and the same answer as any number of devices make it. */
  function unanswered() {
    const contents = new VaultContents();
    const { conversationId, turns } = addConversation(contents, { turns: 1, documents: 'none', isAnswered: false });
    const { turnId, messageId, replyItemId } = turns[0] ?? { turnId: '', messageId: '', replyItemId: '' };
    const content = reply({ conversationId, parentId: messageId, turnId });
    const compact = (): Operation => ({
      kind: 'reply',
      itemId: replyItemId,
      content,
      note: { itemId: newId(), content: replyNote({ conversationId, turnId }, 'quota-spent') },
      title: null,
    });
    return { contents, conversationId, turnId, compact };
  }

  it('goes with what is noted of it in one batch; a second device drops both of its own', () => {
    const { contents, turnId, compact } = unanswered();
    const { batches } = storeAll(contents, [compact()]);
    expect(batches.map(({ writes }) => writes.map(({ content }) => content?.type))).toEqual([['reply', 'reply-note']]);
    const kept = contents.replyNotes.ofTurn(turnId);
    expect(kept?.note.codes).toEqual(['quota-spent']);
    expect(storeAll(contents, [compact()])).toEqual({ batches: [], waiting: [] });
    expect([contents.replyNotes.size, contents.replyNotes.ofTurn(turnId)]).toEqual([1, kept]);
  });

  it('that an older build of this browser left waiting is stored without a note', () => {
    const { contents, compact } = unanswered();
    const { note: _note, ...older } = compact() as Extract<Operation, { kind: 'reply' }>;
    storeAll(contents, [older]);
    expect([contents.replies.size, contents.replyNotes.size]).toEqual([1, 0]);
  });

  it('a compact answer of a deleted conversation leaves nothing, before and behind the deletion', () => {
    for (const isFirst of [true, false]) {
      const { contents, conversationId, compact } = unanswered();
      if (isFirst) storeAll(contents, [compact()]);
      storeAll(contents, [{ kind: 'delete', conversationId }, compact()]);
      expect([...contents.rows.keys()].filter((id) => contents.isLive(id))).toEqual([]);
    }
  });
});

describe('large bodies', () => {
  const characters = ['x', '"', '汉', '\u0001'];

  /** Answers that wait to be stored, and verifications of as many turns that were sealed anew. */
  function waitingBodies(bodies: readonly { readonly text: string; readonly isDocument: boolean }[]) {
    const contents = new VaultContents();
    const { conversationId, turns } = addConversation(contents, {
      turns: bodies.length,
      documents: 'none',
      isAnswered: false,
    });
    const operations = bodies.map(({ text, isDocument }, index): Operation => {
      const { turnId, messageId, replyItemId } = turns[index] ?? { turnId: '', messageId: '', replyItemId: '' };
      if (isDocument) {
        return { kind: 'verification', itemId: newId(), content: verification({ turnId, document: `{}${text}` }) };
      }
      const content = reply({ conversationId, parentId: messageId, turnId }, text, text);
      return { kind: 'reply', itemId: replyItemId, content, title: index === 0 ? 'A proposal' : null };
    });
    return { contents, operations };
  }

  it('any number of any size: each in a batch that the relay takes', () => {
    const body = fc.record({
      text: fc
        .tuple(fc.constantFrom(...characters), fc.constantFrom(10, 300_000, 1_300_000, 2_000_000))
        .map(([character, length]) => character.repeat(length)),
      isDocument: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 4 }), (bodies) => {
        const { contents, operations } = waitingBodies(bodies);
        const { waiting } = storeAll(contents, [...operations, minimum]);
        expect(waiting).toEqual([]);
        expect(levelOf(contents)).toEqual(['hardware']);
        // Twice two million characters of six bytes each are more than one item holds.
        const storable = bodies.filter(({ text, isDocument }) => isDocument || !text.startsWith('\u0001'.repeat(2e6)));
        expect(contents.replies.size + contents.verifications.size).toBe(storable.length);
      }),
      { numRuns: 8 },
    );
  });

  it('an answer that no item can hold stays in its transcript, and holds up nothing', () => {
    // Six bytes a character, twice: 24 MB.
    const tooLong = { text: '\u0001'.repeat(2_000_000), isDocument: false };
    const short = { text: 'x', isDocument: false };
    for (const bodies of [[tooLong, short], [short, tooLong], [tooLong]]) {
      const { contents, operations } = waitingBodies(bodies);
      const { waiting, batches } = storeAll(contents, [...operations, minimum]);
      expect(waiting).toEqual([]);
      expect([...contents.replies.values()].map(({ text }) => text)).toEqual(bodies.length === 1 ? [] : ['x']);
      expect(batches.flatMap(({ finishTurns }) => finishTurns)).toHaveLength(bodies.length - 1);
      expect(levelOf(contents)).toEqual(['hardware']);
    }
  });

  it('small ones go together, large ones one after the other', () => {
    const sent = (text: string, isDocument: boolean) => {
      const { contents, operations } = waitingBodies([1, 2, 3].map(() => ({ text, isDocument })));
      return storeAll(contents, operations).batches.map(({ writes }) => writes.length);
    };
    // The conversation gets its title with the first one.
    expect(sent('x', false)).toEqual([4]);
    expect(sent('x', true)).toEqual([3]);
    expect(sent('x'.repeat(8_000_000), true)).toEqual([2, 1]);
    expect(sent('汉'.repeat(2_000_000), false)).toEqual([2, 1, 1]);
  });
});
