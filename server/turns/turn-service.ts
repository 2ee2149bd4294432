import type { Writable } from 'node:stream';
import { encodeLiveRecord } from '../../crypto/protocol/messages/live-record.ts';
import type { Clock } from '../storage/clock-watch.ts';
import type { Log } from '../../process/event-log.ts';
import type { Pool } from '../pools/pool.ts';
import type { Database } from '../storage/tables/database.ts';
import { expireItems, itemsPerStep } from '../vault/expire-items.ts';
import { forgetPruned, prunedPerStep } from '../vault/pruned-items.ts';
import type { ParsedBatch } from '../vault/parse-batch.ts';
import type { Change, ChangeFeed } from '../live/change-feed.ts';
import type { CollateralSource } from '../pools/choose-enclave.ts';
import { dropTemporaryTurns, turnsPerStep } from './rows/drop-temporary.ts';
import { FrameJournal } from '../frames/frame-journal.ts';
import { LiveClients } from '../live/live-clients.ts';
import { endDeadSessions } from '../live/live-sessions.ts';
import {
  followAgain,
  followForBrowser,
  renewLeases,
  type ResumeDependencies,
  resumeTurns,
  stopFollowing,
} from './following/resume-turns.ts';
import type { StartDependencies } from './start-turn.ts';
import { TurnHub } from './following/turn-hub.ts';
import { renewalIntervalMs, TurnLeases } from './rows/turn-leases.ts';
import { LiveClient } from '../live/live-client.ts';

const heartbeatIntervalMs = 15_000;
const cleaningIntervalMs = 3_600_000;

export type TurnServiceDependencies = {
  readonly database: Database;
  readonly pool: Pool;
  readonly collateral: CollateralSource;
  readonly feed: ChangeFeed;
  readonly log: Log;
  readonly quotaBytes: number;
  /** Expired data is deleted only while the clock can be right. */
  readonly clock: Clock & { isBelieved(nowMs: number): Promise<boolean> };
};

/** Everything that runs between requests: streams, journal, leases, heartbeats, cleaning. One for each process. */
export class TurnService implements StartDependencies, ResumeDependencies {
  readonly database: Database;
  readonly clock: TurnServiceDependencies['clock'];
  readonly pool: Pool;
  readonly collateral: CollateralSource;
  readonly feed: ChangeFeed;
  readonly log: Log;
  readonly quotaBytes: number;
  readonly journal: FrameJournal;
  readonly hub: TurnHub;
  readonly leases: TurnLeases;
  readonly #clients = new LiveClients();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #busy = new Set<Promise<void>>();
  #leaving = false;
  #closing = false;

  constructor(dependencies: TurnServiceDependencies) {
    this.database = dependencies.database;
    this.pool = dependencies.pool;
    this.collateral = dependencies.collateral;
    this.feed = dependencies.feed;
    this.log = dependencies.log;
    this.quotaBytes = dependencies.quotaBytes;
    this.clock = dependencies.clock;
    this.journal = new FrameJournal(dependencies.database, dependencies.log);
    this.leases = new TurnLeases(dependencies.database.kind);
    const { owner } = this.leases;
    this.hub = new TurnHub({ owner, journal: this.journal, clients: this.#clients, log: dependencies.log });
    this.journal.listen({
      missing: (gap) => this.hub.missing(gap),
      ended: (turnId) => this.hub.ended(turnId),
      open: ({ turnId }) => this.#run(() => followAgain(this, turnId)),
    });
  }

  /** Connects to the enclaves and picks up what a process before this one left running. */
  async start(): Promise<void> {
    await this.feed.listen(
      (change) => this.#take(change),
      () => this.#missedChanges(),
    );
    this.pool.listen(this.hub);
    await resumeTurns(this);
    this.#every(renewalIntervalMs, () => this.#keepTurns());
    this.#every(heartbeatIntervalMs, () => this.#beat());
    this.#every(cleaningIntervalMs, () => this.clean());
    this.#run(() => this.clean());
  }

  /** True once this process stops: it takes no live response any more. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** A browser's live response: from now on it gets the records of all running turns of its account. */
  connect(response: Writable, session: { readonly accountId: string; readonly sessionId: string }): void {
    // The browser went away while its session was looked up, and nothing will say so a second time.
    if (response.destroyed) return;
    const client = new LiveClient(response, session, (closed) => {
      if (this.#clients.remove(closed)) stopFollowing(this.hub, closed.accountId);
    });
    this.#clients.add(client);
    // The browser's fetch and the proxies between see the response stand.
    client.write(encodeLiveRecord({ kind: 'heartbeat' }));
    this.#run(() => followForBrowser(this, session.accountId));
  }

  /** After a batch was stored: other devices hear of it, and turns that it finished are let go. */
  stored(accountId: string, batch: ParsedBatch): void {
    this.hub.finish(accountId, batch.finishTurns);
    this.feed.publish({ kind: 'newer', accountId });
  }

  /** Drops bodies of expired items, what was pruned long ago, and temporary chats that are over. */
  async clean(): Promise<void> {
    const { database } = this;
    // Asked of one time: the clock may jump while this goes on.
    const nowMs = Date.now();
    if (!(await this.clock.isBelieved(nowMs))) return;
    while ((await database.write((trx) => expireItems(trx, database.kind, nowMs))) >= itemsPerStep);
    while ((await database.write((trx) => forgetPruned(trx, database.kind, nowMs))) >= prunedPerStep);
    while ((await database.write((trx) => dropTemporaryTurns(trx, database.kind, nowMs))) >= turnsPerStep);
  }

  /** Ends all live responses; the turns themselves go on here until `close`. */
  leave(): void {
    this.#leaving = true;
    this.#clients.end();
  }

  /** Writes what is in memory and lets other processes take over; the enclaves go on. */
  async close(): Promise<void> {
    this.leave();
    this.#closing = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#busy);
    await this.pool.close();
    await this.journal.close();
    await this.leases.release(this.database.db).catch(() => undefined);
    this.feed.publish({ kind: 'turns-released' });
    await this.feed.close();
  }

  async #keepTurns(): Promise<void> {
    const gone = await renewLeases(this);
    await resumeTurns(this);
    // Another process writes them now; whoever watches here goes on watching.
    for (const { accountId, id } of gone) if (this.#clients.has(accountId)) await followForBrowser(this, accountId, id);
    this.hub.sweep();
  }

  async #beat(): Promise<void> {
    this.#clients.beat();
    await endDeadSessions(this.database.db, this.#clients, this.clock.earliest(Date.now()));
  }

  #take(change: Change): void {
    if (change.kind === 'session-ended') {
      for (const client of this.#clients.all()) if (client.sessionId === change.sessionId) client.end();
      return;
    }
    if (change.kind === 'turns-released') return this.#run(async () => void (await resumeTurns(this)));
    if (!this.#clients.has(change.accountId)) return;
    if (change.kind === 'newer') return this.#clients.push(change.accountId, encodeLiveRecord({ kind: 'newer' }));
    this.#clients.push(change.accountId, encodeLiveRecord({ kind: 'started', turnId: change.turnId }));
    this.#run(() => followForBrowser(this, change.accountId, change.turnId));
  }

  #missedChanges(): void {
    const newer = encodeLiveRecord({ kind: 'newer' });
    for (const accountId of this.#clients.accounts) {
      this.#clients.push(accountId, newer);
      this.#run(() => followForBrowser(this, accountId));
    }
  }

  #every(intervalMs: number, work: () => Promise<void>): void {
    let running = false;
    this.#timers.push(
      setInterval(() => {
        if (running) return;
        running = true;
        this.#run(() => work().finally(() => (running = false)));
      }, intervalMs),
    );
  }

  /** Work that nobody waits for; what fails is tried again by the next round. */
  #run(work: () => Promise<void>): void {
    if (this.#closing) return;
    const done = work()
      .catch((error: unknown) => this.log.error('turn-work-failed', { error }))
      .finally(() => this.#busy.delete(done));
    this.#busy.add(done);
  }
}
