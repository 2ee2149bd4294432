import { createSlice } from '@reduxjs/toolkit';
import type { ConnectionStatus, FailureCode, SessionStatus } from '../../../vault/api/vault-api.ts';
import { vaultBroken, vaultEventReceived, vaultStarting } from './vault-events.ts';

export type SessionState = {
  /** `idle`: the Worker was not needed yet. `broken`: it cannot run in this browser. */
  readonly status: SessionStatus | 'idle' | 'broken';
  /** Why its start takes so long, while it does. */
  readonly heldUpBy: FailureCode | null;
  /** Why it is `broken`. */
  readonly brokenBy: FailureCode | null;
  readonly needsNewPassword: boolean;
  readonly connection: ConnectionStatus;
  /** The sign-out that comes next was asked for here. */
  readonly isSigningOut: boolean;
  /** A session ended without being asked to: by the relay, or from another device. */
  readonly hasEnded: boolean;
};

const initialState: SessionState = {
  status: 'idle',
  heldUpBy: null,
  brokenBy: null,
  needsNewPassword: false,
  connection: 'connecting',
  isSigningOut: false,
  hasEnded: false,
};

export const sessionSlice = createSlice({
  name: 'session',
  initialState: initialState as SessionState,
  reducers: {
    signOutAsked: (state) => {
      state.isSigningOut = true;
    },
  },
  extraReducers: (builder) =>
    builder
      .addCase(vaultStarting, (state) => {
        if (state.status === 'idle') state.status = 'starting';
      })
      .addCase(vaultBroken, (state, { payload: code }) => {
        state.brokenBy = code;
        state.status = 'broken';
      })
      .addCase(vaultEventReceived, (state, { payload: event }) => {
        if (event.type === 'connection') state.connection = event.status;
        if (event.type === 'held-up') state.heldUpBy = event.by;
        if (event.type !== 'session') return;
        const hadSession = state.status === 'unlocked' || state.status === 'locked';
        if (event.status === 'signed-out') {
          state.hasEnded = state.hasEnded || (hadSession && !state.isSigningOut);
          state.isSigningOut = false;
        } else if (event.status !== 'starting') {
          state.hasEnded = false;
        }
        state.status = event.status;
        state.needsNewPassword = event.needsNewPassword;
      }),
});

export const { signOutAsked } = sessionSlice.actions;
