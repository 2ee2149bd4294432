import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { LiveStatus } from '../relay/live-frames.ts';
import type { FailureCode } from '../failures/failure-codes.ts';
import type { RawChannel } from '../surroundings/surroundings.ts';

/** The tabs of one browser profile tell each other these: events and sealed bytes, never a key. */
export type TabMessage =
  /** Keys were wiped: every tab's Worker ends. */
  | { readonly type: 'ended'; readonly how: 'locked' | 'signed-out' }
  /** Somebody signed in or unlocked: tabs that wait outside look again. */
  | { readonly type: 'opened' }
  | { readonly type: 'cache-changed' }
  | { readonly type: 'outbox-changed' }
  /** The tab that asked the relay refused the answer: the others do not ask, and the person may look at any of them. */
  | { readonly type: 'alarm'; readonly code: FailureCode }
  /** A refusal is over: the sync works again, or what waits in the outbox is taken. */
  | { readonly type: 'all-is-well'; readonly of: 'reading' | 'writing' }
  /** Raw records from the tab that reads the live response. */
  | { readonly type: 'live'; readonly records: Bytes }
  | { readonly type: 'live-up' }
  | { readonly type: 'connection'; readonly status: LiveStatus }
  /** A new tab asks for the state of the connection. */
  | { readonly type: 'hello' };

export class TabChannel {
  readonly #channel: RawChannel;
  readonly #listeners = new Set<(message: TabMessage) => void>();
  #closed = false;

  constructor(channel: RawChannel) {
    this.#channel = channel;
    channel.hear((message) => {
      // Same origin and same build: the messages are our own.
      for (const listener of this.#listeners) listener(message as TabMessage);
    });
  }

  post(message: TabMessage): void {
    if (!this.#closed) this.#channel.post(message);
  }

  /** @returns what ends it. */
  listen(listener: (message: TabMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#channel.close();
  }
}
