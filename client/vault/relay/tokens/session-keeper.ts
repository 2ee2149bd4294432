import { type SessionAnswer, sessionAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import type { Clock } from '../../surroundings/clock.ts';
import type { TabLocks } from '../../surroundings/vault-lock.ts';
import { callRelayJson, type RelayConnection } from '../http/http-call.ts';
import { RelayCallError } from '../http/relay-call-error.ts';

const maximumSessionLength = 8 * 1024;
const renewalLock = 'sotto-refresh';
/** A relay that answers no renewal must not keep a sign-out waiting. */
const longestWaitMs = 5_000;

/**
 * Keeps this device signed in: it holds the long-lived token of the session, which the vault never sees, and gives the vault
 * short-lived ones. A browser keeps it as a cookie that no script reads, Node in a file of its own.
 */
export type SessionKeeper = {
  /**
   * Changes the kept token for the next one. All tabs of a device share it, so no two of them do this at once: a token that
   * is used twice ends the session.
   *
   * @throws {RelayCallError} `session-ended` when the relay takes it no more.
   */
  renew(connection: RelayConnection): Promise<SessionAnswer>;
  /** The session is over at the relay, and what is kept of it of no use. */
  forget(): Promise<void>;
};

/** Renews in one tab after another. The kept token goes with the call by the connection's own `fetch`. */
export function renewAlone(locks: TabLocks, connection: RelayConnection): Promise<SessionAnswer> {
  return locks.request(renewalLock, { mode: 'exclusive' }, () => askForSession(connection));
}

async function askForSession(connection: RelayConnection): Promise<SessionAnswer> {
  const call = { method: 'POST', path: '/v1/session/refresh', body: { format: 1 } } as const;
  try {
    return await callRelayJson(connection, call, sessionAnswer, maximumSessionLength);
  } catch (error) {
    const isRefused = error instanceof RelayCallError && error.code === 'not-signed-in';
    throw isRefused ? new RelayCallError('session-ended') : error;
  }
}

/** Waits for a renewal that is under way in any tab: answered after the sign-out, it would bring the token back. */
export async function afterRenewal(locks: TabLocks, clock: Clock): Promise<void> {
  const patience = new AbortController();
  const callOff = clock.after(longestWaitMs, () => patience.abort());
  const options = { mode: 'exclusive', signal: patience.signal } as const;
  await locks
    .request(renewalLock, options, async () => undefined)
    .catch(() => undefined)
    .finally(callOff);
}
