import type { TabLocks } from '../surroundings/vault-lock.ts';
import { type SessionAnswer, sessionAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import { callRelayJson, type RelayConnection } from './http-call.ts';
import { RelayCallError } from './relay-call-error.ts';

const maximumSessionLength = 8 * 1024;
/** A token with less life than this is not begun with. */
const marginMs = 20_000;

/**
 * The access token of this tab: in memory only, renewed with the refresh token that no script can read.
 *
 * Tabs share the cookie, so they renew one after another (Web Locks): a refresh token used twice would end the session.
 */
export class AccessTokens {
  readonly #connection: RelayConnection;
  readonly #locks: TabLocks;
  #token: string | null = null;
  #goodUntilMs = 0;
  #renewing: Promise<string> | null = null;

  constructor(connection: RelayConnection, locks: TabLocks) {
    this.#connection = connection;
    this.#locks = locks;
  }

  /** Takes over what a sign-in brought. */
  take(session: SessionAnswer): void {
    this.#token = session.accessToken;
    this.#goodUntilMs = this.#connection.clock.monotonicMs() + session.lifetimeMs;
  }

  forget(): void {
    this.#token = null;
  }

  /** @throws {RelayCallError} `session-ended`, `relay-unreachable`. */
  async current(): Promise<string> {
    if (this.#token !== null && this.#connection.clock.monotonicMs() + marginMs < this.#goodUntilMs) return this.#token;
    return this.renew(this.#token);
  }

  /** @param stale - The token that was refused; when another call has renewed it meanwhile, that one is returned. */
  async renew(stale: string | null): Promise<string> {
    if (this.#token !== null && this.#token !== stale) return this.#token;
    this.#renewing ??= this.#refresh().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #refresh(): Promise<string> {
    const session = await this.#locks.request('sotto-refresh', { mode: 'exclusive' }, () =>
      callRelayJson(
        this.#connection,
        { method: 'POST', path: '/v1/session/refresh', body: { format: 1 } },
        sessionAnswer,
        maximumSessionLength,
      ).catch((error: unknown) => {
        const isRefused = error instanceof RelayCallError && error.code === 'not-signed-in';
        throw isRefused ? new RelayCallError('session-ended') : error;
      }),
    );
    this.take(session);
    return session.accessToken;
  }
}
