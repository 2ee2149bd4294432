import { createSlice } from '@reduxjs/toolkit';
import type { MinimumView } from '../../vault/api/vault-api.ts';
import { endsAccount, vaultEventReceived } from './vault-events.ts';

const initialState: MinimumView = { account: null, conversation: null, effective: 'any', strongest: 'any' };

/** What the person asks of an enclave, for the account and for the open conversation. */
export const minimumSlice = createSlice({
  name: 'minimum',
  initialState: initialState as MinimumView,
  reducers: {},
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) => {
      if (endsAccount(event)) return initialState;
      return event.type === 'minimum' ? event.minimum : state;
    }),
});
