import { createSlice, type PayloadAction } from '@reduxjs/toolkit';
import type { FailureCode } from '../../../vault/api/vault-api.ts';
import { vaultEventReceived } from './vault-events.ts';

/** Alarms of the vault. They outlive lock and sign-out: only the reader takes them away. */
export const alarmsSlice = createSlice({
  name: 'alarms',
  initialState: [] as readonly FailureCode[],
  reducers: {
    alarmDismissed: (state, { payload: code }: PayloadAction<FailureCode>) => state.filter((each) => each !== code),
  },
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) =>
      event.type === 'alarm' && !state.includes(event.code) ? [...state, event.code] : state,
    ),
});

export const { alarmDismissed } = alarmsSlice.actions;
