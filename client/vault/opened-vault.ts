import type { RelayClient } from './relay/relay-client.ts';
import type { CiphertextCache } from './store/ciphertext-cache.ts';
import { TurnBeginnings } from './asking/begin-turn.ts';
import type { ShownEnclave } from './changes/operations/turn-operation.ts';
import { ShownContents } from './changes/outbox/shown-contents.ts';
import { doChores, type Feature, type FeatureVault, readViews } from './features/feature.ts';
import { declaredViews, features, operationTypes, type VaultCommands, type VaultViews } from './features/features.ts';
import { compactReply, type CompactionDependencies } from './replies/compaction.ts';
import { Conversations } from './threads/conversations.ts';
import { EnclaveSession } from './enclave/enclave-session.ts';
import { EnclaveWatch } from './enclave/enclave-watch.ts';
import { EventSink } from './api/event-sink.ts';
import { LiveReading, type LiveReadingVault } from './replies/live-reading.ts';
import { Minimums } from './enclave/minimums.ts';
import { Outbox } from './changes/outbox/outbox.ts';
import { isDisplaced, isForWriter } from './changes/writing/plan-batch.ts';
import { Protection } from './enclave/protection.ts';
import type { ReplyGrowth } from './exchange/reading/reply-reader.ts';
import { ReplyTracker } from './replies/reply-tracker.ts';
import type { AccountSession } from './session/keys/session-key.ts';
import type { TabChannel, TabMessage } from './store/tab-channel.ts';
import { TurnDriver } from './asking/turn-driver.ts';
import { TurnRecipients } from './asking/turn-recipients.ts';
import type { VaultEvent } from './api/vault-api.ts';
import { toVaultError, VaultError } from './failures/vault-error.ts';
import { namedOnce } from './surroundings/named-once.ts';
import { underVaultLock } from './surroundings/vault-lock.ts';
import type { Surroundings } from './surroundings/surroundings.ts';
import { VaultStore } from './store/vault-store.ts';
import { VaultWriter, type WriterDependencies } from './changes/writing/vault-writer.ts';

export type OpenedDependencies = {
  readonly surroundings: Surroundings & LiveReadingVault['surroundings'];
  readonly cache: CiphertextCache;
  readonly channel: TabChannel;
  readonly client: RelayClient;
  readonly account: AccountSession;
  readonly emit: (event: VaultEvent) => void;
};

/** The vault while it is open: keys and plaintext in memory, and everything between relay and page. */
export class OpenedVault {
  readonly account: AccountSession;
  readonly store: VaultStore;
  readonly writer: VaultWriter;
  readonly #protection: Protection;
  readonly #vault: FeatureVault;
  readonly #commands: ReadonlyMap<string, unknown>;
  readonly #dependencies: OpenedDependencies;
  readonly #ended: AbortController = new AbortController();
  readonly #outbox: Outbox;
  readonly #tracker: ReplyTracker;
  readonly #enclaves: EnclaveSession;
  readonly #watch: EnclaveWatch;
  readonly #driver: TurnDriver;
  readonly #events: EventSink;
  readonly #live: LiveReading;
  readonly #compaction: CompactionDependencies;
  /** The enclaves that the shield showed at this browser's questions. */
  readonly #shownEnclaves = new Map<string, ShownEnclave>();
  #stopListening: () => void = () => undefined;

  constructor(dependencies: OpenedDependencies) {
    const { surroundings, cache, channel, client, account, emit } = dependencies;
    const { clock, random, locks, policy } = surroundings;
    const { signal } = this.#ended;
    this.#dependencies = dependencies;
    this.account = account;
    const watcher = {
      onChange: (touched: ReadonlySet<string>) => this.#contentsChanged(touched),
      onCommit: () => channel.post({ type: 'cache-changed' }),
    };
    this.store = new VaultStore(cache, account.keyring, watcher, signal);
    this.#outbox = new Outbox(cache, account.keyring, operationTypes, () => {
      channel.post({ type: 'outbox-changed' });
      this.#outboxChanged();
    });
    const recipients = new TurnRecipients(this.store, this.#outbox);
    this.#tracker = new ReplyTracker({
      client,
      clock,
      signal,
      recipients,
      onChange: (turnId, growth) => this.#replyChanged(turnId, growth),
      onUnknownTurn: () => this.#live.sync(),
      onSettled: (turnId) => this.#inBackground(() => compactReply(this.#compaction, turnId)),
    });
    this.#enclaves = new EnclaveSession({
      client,
      clock,
      policy,
      onView: (view) => emit({ type: 'enclave', view }),
    });
    this.#watch = new EnclaveWatch({ enclaves: this.#enclaves, clock, random });
    const shown = new ShownContents(this.store.contents, this.#outbox);
    const minimums = new Minimums({ contents: this.store.contents, shown, clock, policy });
    this.#protection = new Protection({
      enclaves: this.#enclaves,
      minimums,
      store: this.store,
      outbox: this.#outbox,
    });
    const conversations = new Conversations({
      contents: this.store.contents,
      outbox: this.#outbox,
      shown,
      tracker: this.#tracker,
      progress: (turnId) => this.#driver.progress(turnId),
      minimums,
    });
    // The page hears what is asked of an enclave before it hears that one is refused for it.
    const views = { read: () => this.#views(), onTold: () => this.#protection.judge() };
    this.#events = new EventSink(emit, conversations, views, clock);
    const writing: WriterDependencies = {
      store: this.store,
      outbox: this.#outbox,
      client,
      locks,
      clock,
      random,
      signal,
      onAlarm: ({ code }) => {
        if (this.#events.alarm(code)) channel.post({ type: 'alarm', code });
      },
      onSynced: () => this.#synced(),
      onStored: () => this.#events.allIsWell('writing', channel),
    };
    this.writer = new VaultWriter(writing);
    const shared = {
      ...writing,
      writer: this.writer,
      enclaves: this.#enclaves,
      conversations,
      shown,
      minimums,
      recipients,
    };
    const shownEnclave = (turnId: string) => this.#shownEnclaves.get(turnId) ?? null;
    this.#compaction = { ...shared, contents: this.store.contents, tracker: this.#tracker, shownEnclave };
    this.#driver = new TurnDriver({
      ...shared,
      onChange: (turnId) => this.#events.replyChanged(turnId, null),
      onAccepted: (turnId, isCertain) => {
        this.#tracker.noteRunning(turnId);
        // It may have been answered while this tab did not know that it had arrived.
        if (!isCertain) this.#live.resume();
      },
    });
    this.#live = new LiveReading({
      surroundings,
      client,
      channel,
      store: this.store,
      writer: this.writer,
      tracker: this.#tracker,
      signal,
      onStatus: (status) => emit({ type: 'connection', status }),
      onUp: () => {
        this.#driver.hurry();
        this.writer.hurry();
      },
    });
    this.#vault = {
      ...shared,
      watch: this.#watch,
      cache,
      protection: this.#protection,
      tracker: this.#tracker,
      turns: new TurnBeginnings(shared),
      driver: this.#driver,
      show: (conversationId) => this.#show(conversationId),
    };
    this.#commands = namedOnce<unknown>(
      features.map(({ commands }: Feature) => commands?.(this.#vault) ?? {}),
      'two features bring one command',
    );
  }

  /** Runs a command of a feature. @throws {VaultError} `browser-failed` for a name that none has. */
  async run<Name extends keyof VaultCommands>(
    name: Name,
    input: Parameters<VaultCommands[Name]>[0],
  ): Promise<Awaited<ReturnType<VaultCommands[Name]>>> {
    if (!this.#commands.has(name)) throw new VaultError('browser-failed');
    const command = this.#commands.get(name) as (input: unknown) => ReturnType<VaultCommands[Name]>;
    const value = await command(input);
    // The caller finds the changed views when it goes on.
    if (!this.#ended.signal.aborted) this.#events.tellViews();
    return value;
  }

  /** Reads what this browser has. @returns false when it has no cache of the account. */
  async load(): Promise<boolean> {
    await this.#outbox.load();
    // Last: what it changes is told in the next turn of the event loop, and the session is to be told before.
    return this.store.load();
  }

  /** Shows it, and begins to speak with the relay. */
  begin(): void {
    this.#stopListening = this.#dependencies.channel.listen((message) => this.#hear(message));
    this.#dependencies.emit({ type: 'connection', status: 'connecting' });
    this.#outboxChanged();
    this.#protection.open(null);
    this.#events.flush();
    this.#live.start();
  }

  /** Ends everything that runs; the keys are wiped by whoever gave them. */
  end(): void {
    this.#ended.abort();
    this.#live.end();
    this.#watch.stop();
    this.#stopListening();
    this.#events.end();
    for (const turnId of this.#tracker.turnIds) this.#tracker.forget(turnId);
    this.store.contents.clear();
  }

  #show(conversationId: string | null): void {
    if (conversationId !== null) this.#events.open(conversationId);
    this.#protection.open(conversationId);
    this.#events.flush();
  }

  #views(): Partial<VaultViews> {
    return readViews(
      declaredViews,
      this.#vault,
      () => void this.#events.alarm('browser-failed'),
    ) as Partial<VaultViews>;
  }

  #hear(message: TabMessage): void {
    if (message.type === 'cache-changed') {
      this.#inBackground(() => underVaultLock(this.#dependencies.surroundings.locks, () => this.store.catchUp()));
    } else if (message.type === 'outbox-changed') {
      this.#inBackground(() => this.#outbox.load().then(() => this.#outboxChanged()));
    } else if (message.type === 'alarm' || message.type === 'all-is-well') {
      this.#events.hear(message);
    } else {
      this.#live.hear(message);
    }
  }

  #contentsChanged(touched: ReadonlySet<string>): void {
    const { contents } = this.store;
    for (const conversationId of touched) {
      for (const id of contents.messages.idsOf(conversationId)) {
        const message = contents.messages.get(id);
        if (message === undefined) continue;
        if (contents.rows.has(message.replyItemId)) this.#tracker.forget(message.turnId);
        else this.#tracker.watch(message.turnId, message.turnKey);
      }
    }
    this.#live.checkSoon((turnId) => this.#outbox.turn(turnId) !== null);
    this.#tracker.retain((id) => contents.messages.ofTurn(id) !== null || this.#outbox.turn(id) !== null);
    this.#events.changed(touched);
    // Its conversation was deleted elsewhere: what could not be sent into it is no longer shown anywhere.
    if (this.#outbox.all.some((queued) => isDisplaced(contents, queued))) this.writer.kick();
  }

  #outboxChanged(): void {
    const { contents } = this.store;
    for (const { operation } of this.#outbox.turns) {
      if (operation.shown !== null) this.#shownEnclaves.set(operation.turnId, operation.shown);
      if (!contents.rows.has(operation.replyItemId)) this.#tracker.watch(operation.turnId, operation.turnKey);
    }
    this.#events.allChanged();
    this.#driver.driveAll();
    if (this.#outbox.all.some((queued) => isForWriter(contents, queued))) this.writer.kick();
  }

  #replyChanged(turnId: string, growth: ReplyGrowth | null): void {
    const isWhole = growth === null || growth.replaced || growth.stateChanged;
    this.#events.replyChanged(turnId, isWhole ? null : { text: growth.text, reasoning: growth.reasoning });
  }

  #synced(): void {
    this.#events.allIsWell('reading', this.#dependencies.channel);
    this.#inBackground(() => doChores(features, this.#vault));
  }

  /** Work that nobody waits for; what the relay does not answer is asked again by whoever needs it. */
  #inBackground(work: () => Promise<unknown>): void {
    if (this.#ended.signal.aborted) return;
    work().catch((error: unknown) => {
      const { code, isOfStorage } = toVaultError(error);
      if (isOfStorage && !this.#ended.signal.aborted) this.#events.alarm(code);
    });
  }
}
