import type { ReplyOutcome } from '../../../../crypto/protocol/contents/item-contents.ts';
import type { LiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { TurnRecord } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { toVaultError, VaultError } from '../../failures/vault-error.ts';
import { listTurns } from '../../relay/list-turns.ts';
import { RelayCallError } from '../../relay/http/relay-call-error.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import { type Clock, wait } from '../../surroundings/clock.ts';
import { FrameFetcher } from './frame-fetcher.ts';
import type { LiveSource } from './live-records.ts';
import { ReplyReader, type Turn } from './reply-reader.ts';
import { StallPace, stallCheckMs } from './stall-pace.ts';

/** No clock of a relay that works is further from this one. */
const listedBeforeMs = 86_400_000;

export type ReadingSurroundings = {
  readonly relay: Pick<RelayClient, 'readFrames' | 'readTurns'>;
  readonly live: LiveSource;
  readonly clock: Clock;
  /** Aborted when the session ends. */
  readonly lifetime: AbortSignal;
};

/**
 * One reply as it comes, live or fetched, to the last of its frames. It reads on whoever takes its words: nothing that the relay
 * sees depends on what is in them.
 */
export class ReplyReading {
  readonly reader: ReplyReader;
  readonly #surroundings: ReadingSurroundings;
  readonly #fetcher: FrameFetcher;
  readonly #ended: AbortController = new AbortController();
  readonly #beganAtMs: number;
  readonly #stopListening: () => void;
  #changed = Promise.withResolvers<void>();
  #over: ReplyOutcome | null = null;
  #failure: VaultError | null = null;

  /**
   * Listens from now on: frames may be here before the relay has answered the call that asked for them.
   *
   * @param isSealedTo - Tells if the question was sealed to this key of an enclave.
   */
  constructor({ turnId, turnKey }: Turn, isSealedTo: (keyId: string) => boolean, surroundings: ReadingSurroundings) {
    const { clock, lifetime, live, relay } = surroundings;
    this.#surroundings = surroundings;
    this.#beganAtMs = clock.wallMs();
    this.reader = new ReplyReader(turnId, turnKey, (keyId) => (isSealedTo(toBase64Url(keyId)) ? 'own' : 'foreign'));
    const { signal } = this.#ended;
    this.#fetcher = new FrameFetcher({ relay, clock, signal, onFetched: () => this.#afterTaking() });
    this.#stopListening = live.listen({
      onRecords: (records) => this.#take(records),
      onUp: () => void this.#fetchNewer(),
    });
    lifetime.addEventListener('abort', this.#end, { once: true });
    if (lifetime.aborted) this.#end();
  }

  /** Aborted once nothing more is read. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** How it ended where no END came; null while frames may come. */
  get over(): ReplyOutcome | null {
    return this.#over;
  }

  /** Resolves at the next change. @throws {VaultError} once nothing more can be read. */
  async change(): Promise<void> {
    if (this.#failure === null) await this.#changed.promise;
    if (this.#failure !== null) throw this.#failure;
  }

  /** The relay has the question: from now on is looked for what does not come. */
  begin(): void {
    this.#lookForStalls().catch((error: unknown) => this.fail(toVaultError(error)));
  }

  /** @param outcome - The outcome of a reply whose END has not come. */
  finish(outcome: ReplyOutcome): void {
    if (this.#ended.signal.aborted) return;
    this.#over = outcome;
    this.#close();
  }

  fail(error: VaultError): void {
    if (this.#ended.signal.aborted) return;
    this.#failure = error;
    this.#close();
  }

  readonly #end = (): void => this.fail(new VaultError('session-ended'));

  #close(): void {
    this.#ended.abort();
    this.#stopListening();
    this.#surroundings.lifetime.removeEventListener('abort', this.#end);
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #take(records: readonly LiveRecord[]): void {
    const { turnId } = this.reader;
    for (const record of records) if (toBase64Url(record.turnId) === turnId) this.reader.take(record);
    this.#afterTaking();
  }

  #afterTaking(): void {
    const { reader } = this;
    // A relay that lost the enclave may find it again: its list says whether it still looks.
    if (reader.isOver && reader.transcript?.closed !== 'lost') this.finish('cut-off');
    else if (reader.missing !== null) void this.#fetcher.fetchMissing(reader);
    this.#tell();
  }

  async #lookForStalls(): Promise<void> {
    const { clock } = this.#surroundings;
    const { signal } = this.#ended;
    const pace = new StallPace();
    for (let before = this.reader.progress; !signal.aborted; before = this.reader.progress) {
      await wait(clock, stallCheckMs, signal);
      if (!signal.aborted && pace.isDue(this.reader.progress === before)) await this.#look();
    }
  }

  /** Fetches what the relay has, and ends the wait for what it will never have. */
  async #look(): Promise<void> {
    const isWithoutReply = () => this.reader.transcript === null || this.reader.transcript.closed === 'lost';
    let isRunning = true;
    if (isWithoutReply()) {
      const turn = await this.#turnAtRelay();
      if (turn === 'unknown') return;
      isRunning = turn?.state === 'running';
    }
    await this.#fetchNewer();
    if (!isRunning && isWithoutReply()) this.finish('cut-off');
  }

  /** @returns null where the relay does not have it. */
  async #turnAtRelay(): Promise<TurnRecord | null | 'unknown'> {
    const { relay } = this.#surroundings;
    try {
      for (const afterMs of [Math.max(0, this.#beganAtMs - listedBeforeMs), 0]) {
        const turns = await listTurns(relay, afterMs);
        const turn = turns.find(({ turnId }) => turnId === this.reader.turnId);
        if (turn !== undefined) return turn;
      }
      return null;
    } catch (error) {
      this.#noteFailure(error instanceof RelayCallError ? error.code : null);
      return 'unknown';
    }
  }

  async #fetchNewer(): Promise<void> {
    const { reader } = this;
    const { transcript } = reader;
    // One that stopped may have given way to another, which is read from its header on.
    const after = transcript === null || transcript.closed !== null ? -1 : transcript.nextNumber - 1;
    this.#noteFailure(await this.#fetcher.fetch(reader, { after, transcriptId: null }));
  }

  #noteFailure(code: RelayCallError['code'] | null): void {
    if (code === 'session-ended') this.#end();
  }
}
