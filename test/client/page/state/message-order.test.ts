import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectLastMessage, selectMessage, selectMessageOrder } from '../../../../client/page/state/selectors.ts';
import { createStore } from '../../../../client/page/state/store.ts';
import { vaultEventReceived } from '../../../../client/page/state/slices/vault-events.ts';
import type { ChatMessage, VaultEvent } from '../../../../client/vault/api/vault-api.ts';
import { makeTurn } from '../../../parts/vault/scripted-client/scripted-contents.ts';

const conversationId = 'c1';
const turnIds = ['t0', 't1', 't2', 't3', 't4'] as const;

function turn(turnId: string, answer: string): readonly ChatMessage[] {
  const { asked, reply } = makeTurn({
    turnId,
    parentId: null,
    createdAtMs: 1,
    question: `question ${turnId}`,
    answer,
    state: { kind: 'streaming' },
  });
  return [asked, reply];
}

const anyTurn = fc.constantFrom(...turnIds);
const anyWords = fc.constantFrom('', 'a', 'b ', 'c');
/** Whole lists of some turns in some order, one message alone, and words that grow: in any order, of turns listed or not. */
const anyEvent: fc.Arbitrary<VaultEvent> = fc.oneof(
  fc.tuple(fc.shuffledSubarray([...turnIds]), anyWords).map(([ids, words]): VaultEvent => ({
    type: 'messages',
    conversationId,
    messages: ids.flatMap((id) => turn(id, words)),
  })),
  fc.tuple(anyTurn, anyWords, fc.nat(1)).map(([id, words, place]): VaultEvent => ({
    type: 'message',
    conversationId,
    message: turn(id, words)[place]!,
  })),
  fc.tuple(anyTurn, anyWords).map(([id, text]): VaultEvent => ({
    type: 'delta',
    conversationId,
    messageId: `answer-${id}`,
    text,
    reasoning: '',
  })),
);

/** Tells what a page has to show in the plainest way: the last list, with each message as it was last said. */
function modelOf(events: readonly VaultEvent[]): ChatMessage[] | null {
  let shown: ChatMessage[] | null = null;
  for (const event of events) {
    if (event.type === 'messages') shown = [...event.messages];
    if (shown === null) continue;
    if (event.type === 'message') shown = shown.map((known) => (known.id === event.message.id ? event.message : known));
    if (event.type === 'delta') {
      const { messageId, text } = event;
      shown = shown.map((known) => (known.id === messageId ? { ...known, text: known.text + text } : known));
    }
  }
  return shown;
}

test('whatever order events come in, the page shows the last list and nothing beside or below it', () => {
  const listed: VaultEvent = {
    type: 'conversations',
    conversations: [{ id: conversationId, title: 't', createdAtMs: 1, updatedAtMs: 1, answering: false, stored: true }],
  };
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      const store = createStore();
      for (const event of [listed, ...events]) store.dispatch(vaultEventReceived(event));
      const state = store.getState();
      const expected = modelOf(events);
      const order = selectMessageOrder(state, conversationId);
      expect(order).toEqual(expected === null ? null : expected.map(({ id }) => id));
      expect((order ?? []).map((id) => selectMessage(state, conversationId, id))).toEqual(expected ?? []);
      expect(selectLastMessage(state, conversationId)).toEqual(expected?.at(-1));
    }),
    { numRuns: 500 },
  );
});
