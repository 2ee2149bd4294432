import type { AssistantMessage, ChatMessage } from '../../vault/api/vault-api.ts';
import { messageOf } from './slices/messages-slice.ts';
import type { AppState } from './store.ts';

const noMessages: readonly string[] = [];

/** Ids in order; null until the conversation is loaded. The same array as long as no message joins or leaves. */
export function selectMessageOrder(state: AppState, conversationId: string | null): readonly string[] | null {
  if (conversationId === null) return noMessages;
  return state.messages[conversationId]?.order ?? null;
}

export function selectMessage(state: AppState, conversationId: string, messageId: string): ChatMessage | undefined {
  return messageOf(state.messages[conversationId], messageId);
}

export function selectLastMessage(state: AppState, conversationId: string | null): ChatMessage | undefined {
  const loaded = conversationId === null ? undefined : state.messages[conversationId];
  const lastId = loaded?.order.at(-1);
  return lastId === undefined ? undefined : messageOf(loaded, lastId);
}

const activeKinds: ReadonlySet<string> = new Set(['sealing', 'connecting', 'waiting', 'streaming']);

/** More may still come. */
export function isActive(message: AssistantMessage): boolean {
  return activeKinds.has(message.state.kind);
}

/** The turn that Stop would stop; null when nothing is being answered. */
export function selectActiveTurnId(state: AppState, conversationId: string | null): string | null {
  const last = selectLastMessage(state, conversationId);
  return last?.role === 'assistant' && isActive(last) ? last.turnId : null;
}

/** Something written here that the relay does not have yet. */
export function selectHasUnstored(state: AppState): boolean {
  return (
    (state.views.returned ?? []).length > 0 || Object.values(state.conversations.byId).some(({ stored }) => !stored)
  );
}
