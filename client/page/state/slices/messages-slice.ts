import { createSlice } from '@reduxjs/toolkit';
import type { AssistantMessage, ChatMessage } from '../../../vault/api/vault-api.ts';
import { endsAccount, vaultEventReceived } from './vault-events.ts';

export type LoadedConversation = {
  readonly order: readonly string[];
  readonly byId: Readonly<Record<string, ChatMessage>>;
  /** Replies that have grown since the vault last sent them whole: a frame must not cost a copy of a long conversation. */
  readonly grown: Readonly<Record<string, AssistantMessage>>;
};

/** A message as it is now. */
export function messageOf(loaded: LoadedConversation | undefined, messageId: string): ChatMessage | undefined {
  return loaded?.grown[messageId] ?? loaded?.byId[messageId];
}

/** Only what was opened; all of it goes when the account is closed. */
export type MessagesState = Readonly<Record<string, LoadedConversation>>;

export const messagesSlice = createSlice({
  name: 'messages',
  initialState: {} as MessagesState,
  reducers: {},
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) => {
      if (endsAccount(event)) return {};
      switch (event.type) {
        case 'messages':
          return { ...state, [event.conversationId]: loadMessages(state[event.conversationId], event.messages) };
        case 'message':
          return changeConversation(state, event.conversationId, (loaded) => putMessage(loaded, event.message));
        case 'delta':
          return changeConversation(state, event.conversationId, (loaded) => appendText(loaded, event));
        case 'conversations':
          return keepListed(state, new Set(event.conversations.map(({ id }) => id)));
        default:
          return state;
      }
    }),
});

function loadMessages(known: LoadedConversation | undefined, messages: readonly ChatMessage[]): LoadedConversation {
  const byId: Record<string, ChatMessage> = {};
  for (const next of messages) {
    const before = messageOf(known, next.id);
    // A sync sends everything again: rows whose contents did not change keep their object.
    byId[next.id] = before !== undefined && JSON.stringify(before) === JSON.stringify(next) ? before : next;
  }
  return { order: messages.map(({ id }) => id), byId, grown: {} };
}

/** Words of a conversation that is not loaded are left out: opening it brings all of them. */
function changeConversation(
  state: MessagesState,
  conversationId: string,
  change: (loaded: LoadedConversation) => LoadedConversation,
): MessagesState {
  const loaded = state[conversationId];
  if (loaded === undefined) return state;
  const changed = change(loaded);
  return changed === loaded ? state : { ...state, [conversationId]: changed };
}

/** Only the whole list says which messages there are and in which order: one that it does not name is not shown (any more). */
function putMessage(loaded: LoadedConversation, message: ChatMessage): LoadedConversation {
  if (loaded.byId[message.id] === undefined) return loaded;
  const { [message.id]: _replaced, ...grown } = loaded.grown;
  return { ...loaded, grown, byId: { ...loaded.byId, [message.id]: message } };
}

type TextGrowth = { readonly messageId: string; readonly text: string; readonly reasoning: string };

function appendText(loaded: LoadedConversation, growth: TextGrowth): LoadedConversation {
  const message = messageOf(loaded, growth.messageId);
  if (message?.role !== 'assistant') return loaded;
  const grown: AssistantMessage = {
    ...message,
    text: message.text + growth.text,
    reasoning: message.reasoning + growth.reasoning,
  };
  return { ...loaded, grown: { ...loaded.grown, [grown.id]: grown } };
}

function keepListed(state: MessagesState, listed: ReadonlySet<string>): MessagesState {
  const kept = Object.entries(state).filter(([id]) => listed.has(id));
  return kept.length === Object.keys(state).length ? state : Object.fromEntries(kept);
}
