import type { Clock } from '../../../../client/vault/surroundings/clock.ts';
import { EnclaveSession } from '../../../../client/vault/enclave/enclave-session.ts';
import type { VerifiedEnclave } from '../../../../client/vault/enclave/verified-enclave.ts';
import { ask, type AskOptions, type AskSurroundings } from '../../../../client/vault/exchange/ask.ts';
import { LiveRecords, type LiveListener } from '../../../../client/vault/exchange/reading/live-records.ts';
import type { ReplyPiece } from '../../../../client/vault/exchange/reading/reply-pieces.ts';
import { RelayClient } from '../../../../client/vault/relay/relay-client.ts';
import type { TabLocks } from '../../../../client/vault/surroundings/vault-lock.ts';
import type { PlainContent } from '../../../../crypto/protocol/contents/request-content.ts';
import type { TurnRecord } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { developmentPolicy } from '../../evidence/development-policy.ts';
import { inventPerson } from '../person.ts';
import { cryptoReady, signUp } from './node-account.ts';
import { NodeRelay } from './node-relay.ts';

/** Heartbeats and timeouts of calls keep their length: the relay's side of them does too. */
const longWaitMs = 20_000;
const haste = 8;

const hastyClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs < longWaitMs ? delayMs / haste : delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** There is one reader in this process, and nobody to share with. */
const noLocks = { request: async (...parts: unknown[]) => (parts.at(-1) as () => unknown)() } as TabLocks;

type Changes = Partial<AskSurroundings & AskOptions> & { readonly enclave?: VerifiedEnclave };

/** Somebody with an account and no vault: a session's token, the relay's routes and the enclave that was verified. */
export class StorelessAsker implements AsyncDisposable {
  readonly relay: RelayClient;
  /** Method and path of each call. */
  readonly calls: string[] = [];
  /** Readings that still listen. */
  readonly listeners = new Set<LiveListener>();
  /** Changes what comes and goes; null: nothing in between. */
  intercept: ((url: string, next: () => Promise<Response>) => Promise<Response>) | null = null;
  readonly enclaves: EnclaveSession;
  readonly #live: LiveRecords;
  readonly #ended = new AbortController();

  private constructor(origin: string, token: string) {
    const connection = { origin, clock: hastyClock, fetch: this.#fetch };
    const tokens = { current: () => Promise.resolve(token), renew: () => Promise.resolve(token) };
    this.relay = new RelayClient(connection, tokens, () => undefined);
    this.enclaves = new EnclaveSession({
      client: this.relay,
      clock: hastyClock,
      policy: developmentPolicy,
      onView: () => undefined,
    });
    this.#live = new LiveRecords({
      client: this.relay,
      clock: hastyClock,
      random: Math.random,
      network: { isOnline: () => true, onChange: () => () => undefined },
      locks: noLocks,
    });
    void this.#live.run();
  }

  /** @param origin - Of the calls of the asker; the account is made at the relay itself. */
  static async signUp(relayUrl: string, origin = relayUrl): Promise<StorelessAsker> {
    await cryptoReady();
    const relay = new NodeRelay(relayUrl);
    const { userName, password } = inventPerson();
    await signUp(relay, userName, password);
    relay.close();
    return new StorelessAsker(origin, relay.accessToken);
  }

  verifiedEnclave(): Promise<VerifiedEnclave> {
    return this.enclaves.current('any');
  }

  /** Lists what the relay holds of this account's turns. */
  async turns(): Promise<readonly TurnRecord[]> {
    return (await this.relay.readTurns(0, null)).turns;
  }

  ask(words: string, changes: Changes = {}): AsyncGenerator<ReplyPiece, void, undefined> {
    return this.askAll([{ role: 'user', text: words }], changes);
  }

  /** @param changes - In place of what this asker would do. */
  async *askAll(
    messages: PlainContent['messages'],
    { enclave, ...changes }: Changes,
  ): AsyncGenerator<ReplyPiece, void, undefined> {
    const surroundings: AskSurroundings = {
      relay: this.relay,
      live: { listen: (listener) => this.#listen(listener) },
      clock: hastyClock,
      random: Math.random,
      lifetime: this.#ended.signal,
      verifyAnother: (offered) => {
        if (offered !== null) return this.enclaves.adopt(offered.choice, offered.nonce, 'any');
        this.enclaves.forget();
        return this.enclaves.current('any');
      },
      ...changes,
    };
    yield* ask(messages, enclave ?? (await this.verifiedEnclave()), surroundings, changes);
  }

  /** The session is over. */
  end(): void {
    this.#ended.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.end();
    this.#live.end();
    return Promise.resolve();
  }

  readonly #fetch: typeof fetch = (input, init) => {
    const url = String(input as string);
    this.calls.push(`${init?.method ?? 'GET'} ${new URL(url).pathname}${new URL(url).search}`);
    const isRead = init?.method === 'GET';
    const headers = {
      ...(init?.headers as Record<string, string>),
      ...(isRead ? {} : { 'sec-fetch-site': 'same-origin' }),
    };
    const next = () => fetch(url, { ...init, headers });
    return this.intercept === null ? next() : this.intercept(url, next);
  };

  #listen(listener: LiveListener): () => void {
    const stop = this.#live.listen(listener);
    this.listeners.add(listener);
    return () => {
      stop();
      this.listeners.delete(listener);
    };
  }
}

export type WholeReply = { readonly text: string; readonly kinds: readonly string[]; readonly end: ReplyPiece | null };

/** Reads a reply to its last piece. */
export async function readWhole(pieces: AsyncIterable<ReplyPiece>): Promise<WholeReply> {
  let text = '';
  let end: ReplyPiece | null = null;
  const kinds: string[] = [];
  for await (const piece of pieces) {
    if (kinds.at(-1) !== piece.kind) kinds.push(piece.kind);
    if (piece.kind === 'text') text += piece.text;
    if (piece.kind === 'anew') ({ text } = piece);
    if (piece.kind === 'end') end = piece;
  }
  return { text, kinds, end };
}
