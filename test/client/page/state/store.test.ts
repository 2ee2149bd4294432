import { describe, expect, test } from 'vitest';
import {
  selectActiveTurnId,
  selectHasUnstored,
  selectMessage,
  selectMessageOrder,
} from '../../../../client/page/state/selectors.ts';
import { createStore, type AppStore } from '../../../../client/page/state/store.ts';
import { alarmDismissed } from '../../../../client/page/state/slices/alarms-slice.ts';
import { vaultEventReceived } from '../../../../client/page/state/slices/vault-events.ts';
import type {
  AssistantMessage,
  ConversationSummary,
  ReplyState,
  UserMessage,
  VaultEvent,
} from '../../../../client/vault/api/vault-api.ts';

const question: UserMessage = {
  role: 'user',
  id: 'q1',
  parentId: null,
  createdAtMs: 1,
  text: 'a question',
  turnId: 't1',
  stored: true,
  notesBefore: [],
};
function answerWith(state: ReplyState, text = ''): AssistantMessage {
  return {
    role: 'assistant',
    id: 'a1',
    parentId: 'q1',
    createdAtMs: 2,
    text,
    reasoning: '',
    turnId: 't1',
    state,
    model: null,
    engine: null,
    usage: null,
    protection: null,
    leftOut: 0,
    isDocumented: false,
    notesAfter: [],
  };
}
const summary: ConversationSummary = {
  id: 'c1',
  title: 'one',
  createdAtMs: 1,
  updatedAtMs: 2,
  answering: true,
  stored: true,
};

function storeAfter(...events: readonly VaultEvent[]): AppStore {
  const store = createStore();
  store.dispatch(vaultEventReceived({ type: 'session', status: 'unlocked', needsNewPassword: false }));
  for (const event of events) store.dispatch(vaultEventReceived(event));
  return store;
}
const loaded: VaultEvent[] = [
  { type: 'conversations', conversations: [summary] },
  { type: 'messages', conversationId: 'c1', messages: [question, answerWith({ kind: 'streaming' }, 'So')] },
];

describe('messages', () => {
  test('a delta is appended, and leaves every other row and the order as they are', () => {
    const store = storeAfter(...loaded);
    const before = store.getState();
    store.dispatch(
      vaultEventReceived({ type: 'delta', conversationId: 'c1', messageId: 'a1', text: ' far', reasoning: 'why' }),
    );
    const after = store.getState();
    expect(selectMessage(after, 'c1', 'a1')).toMatchObject({ text: 'So far', reasoning: 'why' });
    expect(selectMessage(after, 'c1', 'q1')).toBe(selectMessage(before, 'c1', 'q1'));
    expect(selectMessageOrder(after, 'c1')).toBe(selectMessageOrder(before, 'c1'));
    expect(after.conversations).toBe(before.conversations);
  });

  test('a delta for a message or a conversation that is not loaded changes nothing', () => {
    const store = storeAfter(...loaded);
    const before = store.getState().messages;
    for (const [conversationId, messageId] of [
      ['c2', 'a1'],
      ['c1', 'a9'],
      ['c1', 'q1'],
    ] as const) {
      store.dispatch(vaultEventReceived({ type: 'delta', conversationId, messageId, text: 'x', reasoning: '' }));
    }
    expect(store.getState().messages).toBe(before);
  });

  test('a message that is known is replaced in its place; one that no list names is not shown', () => {
    const ended = answerWith({ kind: 'ended', outcome: 'complete', code: null, endedEarly: false }, 'So far.');
    const next = { ...question, id: 'q2', parentId: 'a1' };
    const store = storeAfter(
      ...loaded,
      { type: 'message', conversationId: 'c1', message: ended },
      { type: 'message', conversationId: 'c1', message: next },
    );
    expect(selectMessageOrder(store.getState(), 'c1')).toEqual(['q1', 'a1']);
    expect(selectMessage(store.getState(), 'c1', 'a1')).toEqual(ended);
    expect(selectMessage(store.getState(), 'c1', 'q2')).toBeUndefined();
    store.dispatch(vaultEventReceived({ type: 'messages', conversationId: 'c1', messages: [question, ended, next] }));
    expect(selectMessageOrder(store.getState(), 'c1')).toEqual(['q1', 'a1', 'q2']);
  });

  test('a sync that brings the same messages again leaves their rows as they are, and changes those that differ', () => {
    const store = storeAfter(...loaded);
    const before = store.getState();
    const again = structuredClone([question, answerWith({ kind: 'streaming' }, 'So what')]);
    store.dispatch(vaultEventReceived({ type: 'messages', conversationId: 'c1', messages: again }));
    expect(selectMessage(store.getState(), 'c1', 'q1')).toBe(selectMessage(before, 'c1', 'q1'));
    expect(selectMessage(store.getState(), 'c1', 'a1')).toMatchObject({ text: 'So what' });
  });

  test('the words of a deleted conversation are let go', () => {
    const store = storeAfter(...loaded, { type: 'conversations', conversations: [] });
    expect(store.getState().messages).toEqual({});
  });
});

describe('the end of an account', () => {
  test.each(['locked', 'signed-out', 'starting'] as const)('%s: no word, title or key stays in the store', (status) => {
    const returned = [{ turnId: 't2', text: 'words that were given back' }];
    const events: VaultEvent[] = [
      { type: 'enclave', view: { kind: 'connecting' } },
      { type: 'view', name: 'returned', value: returned },
    ];
    const store = storeAfter(...loaded, ...events);
    expect(store.getState().views.returned).toEqual(returned);
    expect(JSON.stringify(store.getState())).toContain('a question');
    store.dispatch(vaultEventReceived({ type: 'session', status, needsNewPassword: false }));
    const { messages, conversations, enclave, views } = store.getState();
    expect({ messages, conversations, enclave, views }).toEqual({
      messages: {},
      views: {},
      conversations: { order: null, byId: {} },
      enclave: { kind: 'idle' },
    });
  });

  test('an alarm stays until it is dismissed, and stands there once', () => {
    const alarm: VaultEvent = { type: 'alarm', code: 'vault-rolled-back' };
    const store = storeAfter(alarm, alarm);
    store.dispatch(vaultEventReceived({ type: 'session', status: 'signed-out', needsNewPassword: false }));
    expect(store.getState().alarms).toEqual(['vault-rolled-back']);
    store.dispatch(alarmDismissed('vault-rolled-back'));
    expect(store.getState().alarms).toEqual([]);
  });
});

describe('selectActiveTurnId', () => {
  const states: readonly (readonly [ReplyState, string | null])[] = [
    [{ kind: 'sealing' }, 't1'],
    [{ kind: 'connecting' }, 't1'],
    [{ kind: 'waiting' }, 't1'],
    [{ kind: 'streaming' }, 't1'],
    [{ kind: 'missing' }, null],
    [{ kind: 'unsent', failure: { code: 'relay-unreachable' } }, null],
    [{ kind: 'ended', outcome: 'cut-off', code: null, endedEarly: false }, null],
  ];
  test.each(states)('%o', (state, turnId) => {
    const store = storeAfter({ type: 'messages', conversationId: 'c1', messages: [question, answerWith(state)] });
    expect(selectActiveTurnId(store.getState(), 'c1')).toBe(turnId);
    expect(selectActiveTurnId(store.getState(), null)).toBeNull();
  });
});

describe('conversations', () => {
  test('a summary that did not change keeps its object', () => {
    const other = { ...summary, id: 'c2' };
    const store = storeAfter({ type: 'conversations', conversations: [summary, other] });
    const before = store.getState().conversations.byId['c1'];
    store.dispatch(
      vaultEventReceived({ type: 'conversations', conversations: [{ ...other, title: 'two' }, { ...summary }] }),
    );
    const after = store.getState().conversations;
    expect(after.byId['c1']).toBe(before);
    expect(after.byId['c2']?.title).toBe('two');
    expect(after.order).toEqual(['c2', 'c1']);
  });

  test('selectHasUnstored: something here that the relay does not have', () => {
    expect(selectHasUnstored(storeAfter({ type: 'conversations', conversations: [summary] }).getState())).toBe(false);
    const unstored = { ...summary, stored: false };
    expect(selectHasUnstored(storeAfter({ type: 'conversations', conversations: [unstored] }).getState())).toBe(true);
    const words = [{ turnId: 't1', text: 'given back' }];
    expect(selectHasUnstored(storeAfter({ type: 'view', name: 'returned', value: words }).getState())).toBe(true);
    expect(selectHasUnstored(storeAfter({ type: 'view', name: 'returned', value: [] }).getState())).toBe(false);
  });
});
