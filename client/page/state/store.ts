import { configureStore } from '@reduxjs/toolkit';
import { alarmsSlice } from './slices/alarms-slice.ts';
import { conversationsSlice } from './slices/conversations-slice.ts';
import { enclaveSlice } from './slices/enclave-slice.ts';
import { messagesSlice } from './slices/messages-slice.ts';
import { sessionSlice } from './slices/session-slice.ts';
import { viewsSlice } from './slices/views-slice.ts';

export function createStore() {
  return configureStore({
    reducer: {
      session: sessionSlice.reducer,
      conversations: conversationsSlice.reducer,
      messages: messagesSlice.reducer,
      enclave: enclaveSlice.reducer,
      alarms: alarmsSlice.reducer,
      views: viewsSlice.reducer,
    },
    // A browser extension must not be handed the words; the checks walk the whole store at each frame of a reply.
    devTools: false,
    middleware: (defaults) => defaults({ serializableCheck: false, immutableCheck: false, actionCreatorCheck: false }),
  });
}

export type AppStore = ReturnType<typeof createStore>;
export type AppState = ReturnType<AppStore['getState']>;
