import { createSlice } from '@reduxjs/toolkit';
import type { ReturnedWords } from '../../vault/api/vault-api.ts';
import { endsAccount, vaultEventReceived } from './vault-events.ts';

const initialState: readonly ReturnedWords[] = [];

/** Words that were given back and that no draft holds yet; the box of a new chat takes them. */
export const returnedSlice = createSlice({
  name: 'returned',
  initialState,
  reducers: {},
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) => {
      if (endsAccount(event)) return initialState;
      return event.type === 'returned' ? event.words : state;
    }),
});
