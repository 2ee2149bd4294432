import { createSlice } from '@reduxjs/toolkit';
import { vaultEventReceived } from './vault-events.ts';

export type Theme = 'system' | 'light' | 'dark';

/** What this browser last showed, before an account is open; then what the account says. */
export const themeSlice = createSlice({
  name: 'theme',
  initialState: 'system' as Theme,
  reducers: {
    themeRemembered: (_state, { payload }: { payload: Theme }) => payload,
  },
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) => (event.type === 'theme' ? event.theme : state)),
});

export const { themeRemembered } = themeSlice.actions;
