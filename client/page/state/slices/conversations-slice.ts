import { createSlice } from '@reduxjs/toolkit';
import type { ConversationSummary } from '../../../vault/api/vault-api.ts';
import { endsAccount, vaultEventReceived } from './vault-events.ts';

export type ConversationsState = {
  /** Newest first; null until the Worker has sent them. */
  readonly order: readonly string[] | null;
  readonly byId: Readonly<Record<string, ConversationSummary>>;
};

const initialState: ConversationsState = { order: null, byId: {} };

export const conversationsSlice = createSlice({
  name: 'conversations',
  initialState: initialState as ConversationsState,
  reducers: {},
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) => {
      if (endsAccount(event)) return initialState;
      if (event.type !== 'conversations') return state;
      const byId: Record<string, ConversationSummary> = {};
      for (const next of event.conversations) {
        const known = state.byId[next.id];
        byId[next.id] = known !== undefined && sameSummary(known, next) ? known : next;
      }
      return { order: event.conversations.map(({ id }) => id), byId };
    }),
});

/** Rows whose contents did not change keep their object, and are not rendered again. */
function sameSummary(a: ConversationSummary, b: ConversationSummary): boolean {
  return a.title === b.title && a.updatedAtMs === b.updatedAtMs && a.answering === b.answering && a.stored === b.stored;
}
