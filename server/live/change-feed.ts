import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';

/** Replicas tell each other that there is something, never what. Frames do not travel this way. */
export type Change =
  | { readonly kind: 'newer'; readonly accountId: string }
  | { readonly kind: 'started'; readonly accountId: string; readonly turnId: Bytes }
  | { readonly kind: 'session-ended'; readonly sessionId: string }
  /** A process stopped in order: its running turns are anybody's. */
  | { readonly kind: 'turns-released' };

/** A change is delivered to the process that publishes it as well, and there first. */
export interface ChangeFeed {
  publish(change: Change): void;
  /**
   * From when it resolves, changes of other replicas arrive.
   *
   * @param missed - Called when some may have been missed.
   */
  listen(onChange: (change: Change) => void, missed: () => void): Promise<void>;
  close(): Promise<void>;
}

/** For one process alone: SQLite. */
export class LocalChangeFeed implements ChangeFeed {
  #listeners: ((change: Change) => void)[] = [];

  publish(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  async listen(onChange: (change: Change) => void): Promise<void> {
    this.#listeners.push(onChange);
  }

  async close(): Promise<void> {
    this.#listeners = [];
  }
}
