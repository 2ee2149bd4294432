import { encodeLiveRecord } from '../../crypto/protocol/messages/live-record.ts';
import type { LiveClient } from './live-client.ts';

/** Browsers of one account; a profile needs one, so the oldest of too many is a forgotten one. */
const maximumClientsPerAccount = 32;

const heartbeat = encodeLiveRecord({ kind: 'heartbeat' });

/** The live responses of this process, by account. */
export class LiveClients {
  readonly #byAccount = new Map<string, Set<LiveClient>>();

  has(accountId: string): boolean {
    return this.#byAccount.has(accountId);
  }

  get accounts(): IterableIterator<string> {
    return this.#byAccount.keys();
  }

  *all(): Generator<LiveClient> {
    for (const clients of this.#byAccount.values()) yield* clients;
  }

  add(client: LiveClient): void {
    const clients = this.#byAccount.get(client.accountId) ?? new Set();
    this.#byAccount.set(client.accountId, clients);
    clients.add(client);
    const [oldest] = clients;
    if (oldest === undefined || clients.size <= maximumClientsPerAccount) return;
    // Out at once: one that reads nothing would stay the oldest, and let any number in behind it.
    clients.delete(oldest);
    oldest.end();
  }

  /** @returns whether it was the account's last one. */
  remove(client: LiveClient): boolean {
    const clients = this.#byAccount.get(client.accountId);
    if (clients === undefined || !clients.delete(client) || clients.size > 0) return false;
    this.#byAccount.delete(client.accountId);
    return true;
  }

  /** Raw bytes, as they came. */
  push(accountId: string, record: Uint8Array): void {
    const clients = this.#byAccount.get(accountId);
    if (clients === undefined) return;
    for (const client of clients) client.write(record);
  }

  /** Keeps proxies from cutting idle responses, and drops clients that stopped reading. */
  beat(): void {
    for (const client of this.all()) {
      if (client.isStalled) client.drop();
      else client.write(heartbeat);
    }
  }

  end(): void {
    for (const client of this.all()) client.end();
  }
}
