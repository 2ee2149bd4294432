import { createSlice } from '@reduxjs/toolkit';
import type { VaultViews } from '../../../vault/api/vault-api.ts';
import { endsAccount, vaultEventReceived } from './vault-events.ts';

/** Views of the vault's features as they were told last; none before an account is open. */
export type ViewsState = Partial<VaultViews>;

export const viewsSlice = createSlice({
  name: 'views',
  initialState: {} as ViewsState,
  reducers: {},
  extraReducers: (builder) =>
    builder.addCase(vaultEventReceived, (state, { payload: event }) => {
      if (endsAccount(event)) return {};
      return event.type === 'view' ? ({ ...state, [event.name]: event.value } as ViewsState) : state;
    }),
});
