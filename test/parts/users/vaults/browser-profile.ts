import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import type { Clock } from '../../../../client/vault/surroundings/clock.ts';
import { cookieKeeper } from '../../../../client/worker/cookie-keeper.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import { openBroadcast } from '../../../../client/worker/tab-broadcast.ts';
import { createVault } from '../../../../client/vault/create-vault.ts';
import type { VaultDependencies } from '../../../../client/vault/vault-dependencies.ts';
import { developmentPolicy } from '../../evidence/development-policy.ts';
import { VaultTab } from './vault-tab.ts';

/** A relay, or somebody in between, does this with a call. `next` asks the real one. */
export type Interceptor = (request: Request, next: (request: Request) => Promise<Response>) => Promise<Response>;

export type ProfileOptions = {
  /** Waits shorter than the relay's heartbeat pass this many times faster. */
  readonly haste?: number;
  readonly policy?: unknown;
};

/** Heartbeats and timeouts of calls keep their length: the relay's side of them does too. */
const longWaitMs = 20_000;

let profiles = 0;

/**
 * One browser profile in Node: storage, cookies, locks and channels of its own, in which any number of tabs run the real
 * vault. The network between it and the relay belongs to the test.
 */
export class BrowserProfile {
  readonly requests: { readonly method: string; readonly path: string; readonly body: string }[] = [];
  readonly tabs: VaultTab[] = [];
  /** Changes what comes and goes; null: nothing in between. */
  intercept: Interceptor | null = null;
  isOnline = true;
  /** Added to the wall clock: a person may set it. */
  wallOffsetMs = 0;
  /** Added to the monotonic clock: time that passes without waiting for it. */
  monotonicOffsetMs = 0;
  indexedDB = new IDBFactory();
  readonly #name = `profile-${(profiles += 1)}`;
  readonly #origin: string;
  readonly #haste: number;
  readonly #policy: unknown;
  readonly #cookies = new Map<string, string>();
  readonly #onNetworkChange = new Set<() => void>();
  readonly #closing = new Map<VaultTab, AbortController>();

  constructor(origin: string, options: ProfileOptions = {}) {
    this.#origin = origin;
    this.#haste = options.haste ?? 8;
    this.#policy = 'policy' in options ? options.policy : developmentPolicy;
  }

  /** The requests that went to the relay for an enclave. */
  get sentTurns() {
    return this.requests.filter(({ path, method }) => method === 'POST' && path.startsWith('/v1/turns'));
  }

  /** Opens a tab; its first event is its session. */
  async openTab(): Promise<VaultTab> {
    const closing = new AbortController();
    const tab = new VaultTab((onEnd) => createVault(this.#parts(onEnd, closing.signal)));
    this.tabs.push(tab);
    this.#closing.set(tab, closing);
    await tab.start();
    return tab;
  }

  setOnline(isOnline: boolean): void {
    this.isOnline = isOnline;
    for (const run of this.#onNetworkChange) run();
  }

  /** Once no tab reads, changes or writes the vault. */
  async whenVaultIsFree(): Promise<void> {
    await navigator.locks.request(`${this.#name} sotto-vault`, () => undefined);
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies;
  }

  /** Ends one tab without a word: it calls nobody and hears of nothing any more, and what it held is free. */
  closeTab(tab: VaultTab): void {
    tab.abandon();
    this.#closing.get(tab)?.abort();
  }

  /** Ends all tabs without a word, as closing the browser does. */
  close(): void {
    for (const tab of this.tabs) tab.abandon();
  }

  #parts(onEnd: () => void, closed: AbortSignal): VaultDependencies {
    const whenClosed = new Promise<void>((resolve) => {
      closed.addEventListener('abort', () => resolve());
    });
    const locks: VaultDependencies['locks'] = {
      request: async <T>(name: string, options: LockOptions, run: () => Promise<T>): Promise<T> => {
        const untilClosed = () => (closed.aborted ? undefined : Promise.race([whenClosed, run()]));
        const value = await navigator.locks.request(`${this.#name} ${name}`, options, untilClosed);
        // A tab that is gone does not go on with what it was about to do.
        return closed.aborted ? new Promise<never>(() => undefined) : (value as T);
      },
    };
    return {
      fetch: (input, init) => {
        const signal = AbortSignal.any([closed, ...(init?.signal instanceof AbortSignal ? [init.signal] : [])]);
        return this.#fetch(new Request(input as string, { ...init, signal }), closed);
      },
      origin: this.#origin,
      cache: openIndexedDbCache({ indexedDB: this.indexedDB, IDBKeyRange }),
      keeper: cookieKeeper(locks),
      locks,
      openChannel: () => {
        const channel = openBroadcast(`${this.#name} sotto-vault`);
        void whenClosed.then(() => channel.hear(() => undefined));
        return { ...channel, post: (message) => (closed.aborted ? undefined : channel.post(message)) };
      },
      network: {
        isOnline: () => this.isOnline,
        onChange: (run) => {
          this.#onNetworkChange.add(run);
          return () => this.#onNetworkChange.delete(run);
        },
      },
      clock: this.#clock(closed),
      random: () => Math.random(),
      policy: this.#policy,
      onEnd,
    };
  }

  #clock(closed: AbortSignal): Clock {
    return {
      wallMs: () => Date.now() + this.wallOffsetMs,
      monotonicMs: () => performance.now() + this.monotonicOffsetMs,
      after: (delayMs, run) => {
        const runOpen = () => {
          if (!closed.aborted) run();
        };
        const timer = setTimeout(runOpen, delayMs < longWaitMs ? delayMs / this.#haste : delayMs);
        timer.unref();
        return () => clearTimeout(timer);
      },
    };
  }

  async #fetch(request: Request, closed: AbortSignal): Promise<Response> {
    if (!this.isOnline || closed.aborted) throw new TypeError('Failed to fetch');
    const { pathname, search } = new URL(request.url);
    const body = request.body === null ? '' : await request.clone().text();
    this.requests.push({ method: request.method, path: `${pathname}${search}`, body });
    const next = (passed: Request) => this.#send(passed);
    return this.intercept === null ? next(request) : this.intercept(request, next);
  }

  /** Adds what a browser adds to a same-origin call, and keeps what it keeps of the answer. */
  async #send(request: Request): Promise<Response> {
    const headers = new Headers(request.headers);
    if (this.#cookies.size > 0) {
      headers.set('cookie', [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    }
    if (request.method !== 'GET') headers.set('origin', this.#origin);
    headers.set('sec-fetch-site', 'same-origin');
    const body = request.body === null ? null : await request.text();
    const { method, signal } = request;
    const response = await fetch(request.url, { method, headers, body, signal, redirect: 'error' });
    for (const line of response.headers.getSetCookie()) this.#keepCookie(line);
    return response;
  }

  #keepCookie(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    if (attributes.some((attribute) => attribute.toLowerCase() === 'max-age=0')) this.#cookies.delete(name);
    else this.#cookies.set(name, pair.slice(name.length + 1));
  }
}
