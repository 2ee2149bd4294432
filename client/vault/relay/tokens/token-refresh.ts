import type { SessionAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import type { RelayConnection } from '../http/http-call.ts';
import type { SessionKeeper } from './session-keeper.ts';

/** A token with less life than this is not begun with. */
const marginMs = 20_000;

/** The access token of this tab: in memory only, renewed by whoever keeps this device signed in. */
export class AccessTokens {
  readonly #connection: RelayConnection;
  readonly #keeper: SessionKeeper;
  #token: string | null = null;
  #goodUntilMs = 0;
  #renewing: Promise<string> | null = null;

  constructor(connection: RelayConnection, keeper: SessionKeeper) {
    this.#connection = connection;
    this.#keeper = keeper;
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
    const session = await this.#keeper.renew(this.#connection);
    this.take(session);
    return session.accessToken;
  }
}
