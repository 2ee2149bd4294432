import { createSlice } from '@reduxjs/toolkit';
import type { EnclaveView } from '../../../vault/api/vault-api.ts';
import { endsAccount, vaultEventReceived } from './vault-events.ts';

const initialState: EnclaveView = { kind: 'idle' };

/** The shield shows this of the enclave that serves the open conversation. */
export const enclaveSlice = createSlice({
  name: 'enclave',
  initialState: initialState as EnclaveView,
  reducers: {},
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) => {
      if (endsAccount(event)) return initialState;
      return event.type === 'enclave' ? event.view : state;
    }),
});
