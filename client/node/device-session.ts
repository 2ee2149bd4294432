import { isLoopback } from '../../process/loopback.ts';
import type { RelayConnection } from '../vault/relay/http/http-call.ts';
import { renewAlone, type SessionKeeper } from '../vault/relay/tokens/session-keeper.ts';
import type { TabLocks } from '../vault/surroundings/vault-lock.ts';
import { type TokenFile, withCookie } from './token-file.ts';

/**
 * Keeps a session outside of a browser: it does by itself what a browser does with the relay's cookies. The relay gives this
 * device nothing more and asks for nothing less than it does a browser.
 */
export class DeviceSession implements SessionKeeper {
  readonly #origin: string;
  readonly #file: TokenFile;
  readonly #locks: TabLocks;

  /** @throws {TypeError} for a relay that others on the way could read the token of. */
  constructor(origin: string, file: TokenFile, locks: TabLocks) {
    const { protocol, hostname, origin: own } = new URL(origin);
    const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
    if (!isSafe || own !== origin) throw new TypeError('The relay is an https address, or one of this machine.');
    this.#origin = origin;
    this.#file = file;
    this.#locks = locks;
  }

  /** To the relay with the kept tokens, and never without having kept what it gave. */
  readonly fetch: typeof fetch = async (input, init) => {
    const address = new URL(typeof input === 'string' ? input : 'invalid:');
    if (address.origin !== this.#origin) throw new TypeError('not the relay');
    if (init?.credentials === 'omit') return fetch(address, init);
    const headers = new Headers(init?.headers);
    const { refresh, device } = this.#file.read(this.#origin);
    const pairs = [refresh, device].flatMap((each) => (each === null ? [] : [`${each.name}=${each.value}`]));
    if (pairs.length > 0) headers.set('cookie', pairs.join('; '));
    headers.set('origin', this.#origin);
    const response = await fetch(address, { ...init, headers });
    this.#keep(response.headers.getSetCookie());
    return response;
  };

  /** Threads share the file, so it is read anew under the lock (`fetch` does). */
  renew(connection: RelayConnection) {
    return renewAlone(this.#locks, connection);
  }

  async forget(): Promise<void> {
    const kept = this.#file.read(this.#origin);
    if (kept.refresh !== null) this.#file.write({ ...kept, refresh: null });
  }

  #keep(lines: readonly string[]): void {
    const before = this.#file.read(this.#origin);
    const after = lines.reduce(withCookie, before);
    if (after !== before) this.#file.write(after);
  }
}
