import { recordKind, LiveRecordSplitter } from '../../../crypto/protocol/messages/live-record.ts';
import type { TurnRecord } from '../../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { LiveFrames, type LiveStatus } from '../relay/live-frames.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { RelayWatch } from '../relay/connection/relay-watch.ts';
import { listTurns, settledUntil } from '../relay/list-turns.ts';
import { StallPace, stallCheckMs } from '../exchange/reading/stall-pace.ts';
import { RepeatedTask } from '../changes/writing/repeated-task.ts';
import type { ReplyTracker } from './reply-tracker.ts';
import type { TabChannel, TabMessage } from '../store/tab-channel.ts';
import type { Surroundings } from '../surroundings/surroundings.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { VaultWriter } from '../changes/writing/vault-writer.ts';

/** Live records of a question usually come sooner than this. */
const checkDelayMs = 1_500;

export type LiveReadingVault = {
  readonly surroundings: Pick<Surroundings, 'locks' | 'clock' | 'random' | 'network'> & { readonly watch: RelayWatch };
  readonly client: RelayClient;
  readonly channel: TabChannel;
  readonly store: VaultStore;
  readonly writer: VaultWriter;
  readonly tracker: ReplyTracker;
  readonly signal: AbortSignal;
  readonly onStatus: (status: LiveStatus) => void;
  /** The relay is there (again). */
  readonly onUp: () => void;
};

/** Brings in what the relay has to say: live in the tab that leads, through the channel in the others. */
export class LiveReading {
  readonly #vault: LiveReadingVault;
  readonly #live: LiveFrames;
  readonly #resuming: RepeatedTask;
  readonly #syncing: RepeatedTask;
  #progress: ReadonlyMap<string, string> = new Map();
  #isChecking = false;
  /** Questions that were looked for among all turns, so that this is done once for each. */
  readonly #sought = new Set<string>();
  readonly #pace = new StallPace();

  constructor(vault: LiveReadingVault) {
    const { surroundings, client, channel, signal } = vault;
    const { clock, random } = surroundings;
    this.#vault = vault;
    this.#resuming = new RepeatedTask({ work: () => this.#resumeOnce(), clock, random, signal });
    this.#syncing = new RepeatedTask({ work: () => vault.writer.sync(), clock, random, signal });
    this.#live = new LiveFrames({
      ...surroundings,
      client,
      onRecords: (records) => {
        channel.post({ type: 'live', records });
        this.#takeLive(records);
      },
      onUp: () => {
        channel.post({ type: 'live-up' });
        this.#cameUp();
      },
      onStatus: (status) => {
        channel.post({ type: 'connection', status });
        vault.onStatus(status);
      },
      onLate: () => surroundings.watch.ask(),
    });
  }

  start(): void {
    // The tab that reads the stream reports how it is; a tab that finds no reader reads the stream itself.
    this.#vault.channel.post({ type: 'hello' });
    // A lock that cannot be had is an ended vault.
    this.#live.run().catch(() => undefined);
    const stop = this.#vault.surroundings.watch.onBack(() => this.#live.renew());
    this.#vault.signal.addEventListener('abort', stop, { once: true });
    this.#syncing.kick();
    this.#lookForStalls();
  }

  end(): void {
    this.#live.end();
    this.#vault.surroundings.watch.expect(false);
  }

  /** The relay took a question, or there is one reply less to wait for: its frames come on a clock, or somebody has to know. */
  #turnsChanged(): void {
    this.#vault.surroundings.watch.expect(this.#vault.tracker.isExpecting);
  }

  sync(): void {
    this.#syncing.kick();
  }

  /** Fetches what the relay has of replies that this tab is still waiting for. */
  resume(): void {
    this.#resuming.kick();
  }

  /**
   * Questions that other devices asked: where nothing comes for them, the relay's list says what became of them.
   *
   * @param isQueued - Tells if the question is still on its way from this browser.
   */
  checkSoon(isQueued: (turnId: string) => boolean): void {
    const { tracker, surroundings, signal } = this.#vault;
    const isUnchecked = (turnId: string) =>
      tracker.known(turnId) === null && !tracker.isChecked(turnId) && !isQueued(turnId);
    if (this.#isChecking || !tracker.turnIds.some(isUnchecked)) return;
    this.#isChecking = true;
    surroundings.clock.after(checkDelayMs, () => {
      this.#isChecking = false;
      if (!signal.aborted && tracker.turnIds.some(isUnchecked)) this.#resuming.kick();
    });
  }

  hear(message: TabMessage): void {
    const { channel, onStatus } = this.#vault;
    if (message.type === 'live') {
      this.#takeRecords(message.records);
    } else if (message.type === 'live-up') {
      this.#cameUp();
    } else if (message.type === 'connection') {
      onStatus(message.status);
      // Also the answer to this tab's `hello`: the stream stands, and what came before is to be fetched.
      if (message.status === 'connected') this.#resuming.kick();
    } else if (message.type === 'hello' && this.#live.leads) {
      channel.post({ type: 'connection', status: this.#live.status });
    }
  }

  /** A stream that stands and brings nothing: what the relay has is fetched. */
  #lookForStalls(): void {
    const { surroundings, tracker, signal } = this.#vault;
    surroundings.clock.after(stallCheckMs, () => {
      if (signal.aborted) return;
      const before = this.#progress;
      this.#progress = tracker.progress;
      const isStalled = [...this.#progress].some(([turnId, progress]) => before.get(turnId) === progress);
      if (this.#pace.isDue(isStalled)) this.#resuming.kick();
      this.#lookForStalls();
    });
  }

  #takeRecords(records: Bytes): void {
    this.#vault.surroundings.watch.heard();
    this.#vault.tracker.takeRecords(records);
    this.#turnsChanged();
  }

  #takeLive(records: Bytes): void {
    this.#takeRecords(records);
    const isNewer = new LiveRecordSplitter().push(records).some((record) => recordKind(record) === 'newer');
    // One tab asks; the others read its cache.
    if (isNewer) this.#syncing.hurry();
  }

  #cameUp(): void {
    this.#vault.onUp();
    this.#resuming.hurry();
  }

  async #resumeOnce(): Promise<void> {
    const { client, store, writer, tracker } = this.#vault;
    // The relay's list says nothing about a question that it does not have yet, even if the question arrives meanwhile.
    const asked = tracker.turnIds.filter((turnId) => store.contents.messages.ofTurn(turnId) !== null);
    // First the list, then the items: a reply that became compact in between is not taken for missing.
    let beginning = store.mark.turnsAfterMs;
    let turns = await listTurns(client, beginning);
    const unnamed = this.#unnamed(asked, turns);
    if (unnamed.length > 0 && beginning > 0) {
      // Before it is called missing: its turn may be older than what is listed, or a time was wrong.
      beginning = 0;
      turns = await listTurns(client, 0);
    }
    for (const turnId of unnamed) this.#sought.add(turnId);
    await writer.sync();
    await tracker.resume(turns, asked);
    this.#turnsChanged();
    const turnsAfterMs = settledUntil(turns, beginning, this.#newestSettledMs());
    if (turnsAfterMs !== store.mark.turnsAfterMs) await store.updateMark({ turnsAfterMs });
  }

  /** Stored questions of which a list says nothing. */
  #unnamed(asked: readonly string[], turns: readonly TurnRecord[]): readonly string[] {
    const named = new Set(turns.map(({ turnId }) => turnId));
    return asked.filter((turnId) => !named.has(turnId) && !this.#sought.has(turnId));
  }

  #newestSettledMs(): number {
    const { messages, rows } = this.#vault.store.contents;
    let newest = 0;
    for (const { createdAtMs, replyItemId } of messages.values()) {
      if (rows.has(replyItemId)) newest = Math.max(newest, createdAtMs);
    }
    return newest;
  }
}
