import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Clock } from '../../storage/clock-watch.ts';
import type { Log } from '../../../process/event-log.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import type { Database } from '../../storage/tables/database.ts';
import { countInWindow } from '../../storage/rate-counter.ts';
import type { EnclaveSessionTable } from '../../storage/tables/schema.ts';
import { ModalBoot } from './modal-boot.ts';
import { ModalEnclave } from './modal-enclave.ts';
import { ModalModels } from './modal-models.ts';
import { ModalSessionRows } from './modal-session-rows.ts';
import { ModalSweep } from './modal-sweep.ts';
import { type FrontDoor, type Retries, startRetries, terminateSession } from './modal-sessions.ts';
import type { Enclave, Place, Pool, StreamListener } from '../pool.ts';

export type ModalPoolDependencies = {
  readonly url: string;
  readonly proxyToken: string;
  readonly enclaveToken: string;
  readonly database: Database;
  readonly log: Log;
  readonly clock: Clock;
  readonly timing?: Partial<ModalTiming>;
};

export type ModalTiming = {
  /** Modal ends a session that had nothing under way for as long. */
  readonly idleSeconds: number;
  /** How long a call waits for a session that is on its way, as from a warm container. */
  readonly patienceMs: number;
  readonly streamIdleMs: number;
  readonly sweepMs: number;
  readonly retries: Retries;
};

const usualTiming: ModalTiming = {
  idleSeconds: 300,
  patienceMs: 2_000,
  streamIdleMs: 5_000,
  sweepMs: 15_000,
  retries: startRetries,
};

/** A start costs whoever pays for the containers: an account may ask for so many in an hour, and hold so many at once. */
const startsPerHour = 30;
const maximumSessions = 4;
/** When a client that was told `enclave-starting` may come again. */
const comeAgainSeconds = 2;
const lookEveryMs = 200;

/**
 * Containers on Modal that come and go with their sessions. The database has one session for each account and model, so that
 * every replica reaches the same container, and a key stays with its container.
 */
export class ModalPool implements Pool {
  readonly #door: FrontDoor;
  readonly #dependencies: ModalPoolDependencies;
  readonly #timing: ModalTiming;
  readonly #rows: ModalSessionRows;
  readonly #boot: ModalBoot;
  readonly #models: ModalModels;
  readonly #sweep: ModalSweep;
  readonly #enclaves = new Map<string, ModalEnclave>();
  readonly #closing = new AbortController();
  #listener: StreamListener | null = null;

  constructor(dependencies: ModalPoolDependencies) {
    const url = new URL(dependencies.url);
    this.#dependencies = dependencies;
    this.#timing = { ...usualTiming, ...dependencies.timing };
    const { idleSeconds, retries } = this.#timing;
    // A live response for each account whose turn runs, so connections are not counted.
    const agent = url.protocol === 'https:' ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
    this.#door = { url, proxyToken: dependencies.proxyToken, agent, idleSeconds, retries };
    this.#rows = new ModalSessionRows(dependencies.database.db, { url: url.href, proxyToken: dependencies.proxyToken });
    this.#boot = new ModalBoot({ door: this.#door, rows: this.#rows, log: dependencies.log });
    this.#models = new ModalModels(dependencies.database.db, this.#rows.pool);
    this.#sweep = new ModalSweep({
      rows: this.#rows,
      log: dependencies.log,
      clock: dependencies.clock,
      everyMs: this.#timing.sweepMs,
      idleMs: idleSeconds * 1000,
      enclaves: this.#enclaves,
      end: (row) => this.#end(row),
    });
  }

  async choose(place: Place): Promise<readonly Enclave[]> {
    const deadline = performance.now() + this.#timing.patienceMs;
    for (;;) {
      const live = await this.#liveFor(place);
      if (live.length > 0) return live;
      const starting = await this.#start(place);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new RelayError('enclave-starting', comeAgainSeconds);
      await this.#boot.wait(starting, Math.min(leftMs, lookEveryMs));
    }
  }

  async find(enclaveId: string, place: Place): Promise<Enclave | null> {
    const known = this.#enclaves.get(enclaveId);
    if (known !== undefined) return known.accountId === place.accountId ? known : null;
    const row = await this.#rows.findById(enclaveId, place.accountId);
    return row === null ? null : this.#open(row);
  }

  /** Looking at the list starts no container: it is what a container said last. */
  async listModels(): Promise<readonly string[]> {
    const models = await this.#models.known();
    if (models === null) throw new RelayError('enclave-starting', comeAgainSeconds);
    return models;
  }

  /** Scaled to zero it is as ready as can be; only refused starts say otherwise. */
  isReady(): Promise<boolean> {
    return Promise.resolve(!this.#boot.isRefused);
  }

  listen(listener: StreamListener): void {
    this.#listener = listener;
    for (const enclave of this.#enclaves.values()) enclave.listen(listener);
    this.#sweep.start();
  }

  accountsLeft(): void {
    this.#sweep.hurry();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#boot.close(), this.#sweep.close()]);
    for (const enclave of this.#enclaves.values()) enclave.close();
    this.#door.agent.destroy();
  }

  /** Sessions that serve this place: its own first, then another of the account's whose container has the model too. */
  async #liveFor(place: Place): Promise<ModalEnclave[]> {
    const rows = await this.#rows.findLive(place.accountId);
    const own = rows.filter((row) => row.model === place.model).map((row) => this.#open(row));
    const others = rows.filter((row) => row.model !== place.model).map((row) => this.#open(row));
    const serving: ModalEnclave[] = [];
    for (const enclave of others) {
      const models = await this.#models.of(enclave).catch(() => null);
      if (models !== null && (place.model === 'default' || models.includes(place.model))) serving.push(enclave);
    }
    for (const enclave of own) void this.#models.of(enclave).catch(() => undefined);
    return [...own, ...serving].filter((enclave) => !enclave.isLost);
  }

  /**
   * Begins a session for the place, or finds that one is on its way.
   *
   * @returns the id of its row.
   * @throws {RelayError} `not-found` for a model that the containers do not have, `too-many-requests`, and
   *   `enclave-unreachable` for a while after a start that failed.
   */
  async #start(place: Place): Promise<string> {
    const nowMs = Date.now();
    const row = await this.#rows.findCurrent(place);
    if (row !== undefined) return this.#goOn(row, nowMs);
    await this.#refuseUnlessServed(place.model);
    if ((await this.#rows.countOfAccount(place.accountId)) >= maximumSessions) {
      throw new RelayError('too-many-requests', this.#timing.idleSeconds);
    }
    const claimed = await this.#rows.claimNew(place, nowMs);
    if (claimed === null) return (await this.#rows.findCurrent(place))?.id ?? '';
    await this.#countStart(claimed, nowMs);
    this.#boot.begin(claimed);
    return claimed.id;
  }

  /** @throws {RelayError} `enclave-unreachable` until the next try may begin. */
  async #goOn(row: EnclaveSessionTable, nowMs: number): Promise<string> {
    if (row.state !== 'starting' || this.#rows.isStarting(row, nowMs)) return row.id;
    const waitMs = this.#rows.waitMs(row, nowMs);
    if (waitMs > 0) throw new RelayError('enclave-unreachable', Math.ceil(waitMs / 1000));
    const claimed = await this.#rows.claimAbandoned(row, nowMs);
    if (claimed === null) return row.id;
    if (row.retry_at > 0) await this.#countStart(claimed, nowMs);
    this.#boot.begin(claimed);
    return claimed.id;
  }

  async #countStart(row: EnclaveSessionTable, nowMs: number): Promise<void> {
    const subject = new TextEncoder().encode(row.account_id);
    const window = { subject, kind: 'enclave-start', windowMs: 3_600_000, limit: startsPerHour };
    const waitSeconds = await countInWindow(this.#dependencies.database.db, window, nowMs);
    if (waitSeconds === null) return;
    await this.#rows.forget(row.id);
    throw new RelayError('too-many-requests', waitSeconds);
  }

  async #refuseUnlessServed(model: string): Promise<void> {
    if (model === 'default') return;
    const models = await this.#models.known();
    if (models !== null && !models.includes(model)) throw new RelayError('not-found');
  }

  #open(row: EnclaveSessionTable): ModalEnclave {
    const known = this.#enclaves.get(row.id);
    if (known !== undefined) return known;
    const sessionToken = this.#rows.tokenOf(row);
    const enclave = new ModalEnclave({
      id: row.id,
      accountId: row.account_id,
      door: this.#door,
      enclaveToken: this.#dependencies.enclaveToken,
      sessionToken,
      streamIdleMs: this.#timing.streamIdleMs,
      onDraining: (draining) => this.#rows.leave(draining.id),
      onLost: (lost) => this.#lose(lost, sessionToken),
    });
    if (this.#listener !== null) enclave.listen(this.#listener);
    this.#enclaves.set(row.id, enclave);
    return enclave;
  }

  async #lose(enclave: ModalEnclave, sessionToken: string): Promise<void> {
    this.#enclaves.delete(enclave.id);
    enclave.markLost();
    this.#listener?.lost(enclave);
    // A container that only seemed to be gone is not to be paid for.
    if (await this.#rows.forget(enclave.id)) this.#terminate(sessionToken);
  }

  /** Ends a session that nobody needs, unless another process did. */
  async #end(row: EnclaveSessionTable): Promise<void> {
    const known = this.#enclaves.get(row.id);
    this.#enclaves.delete(row.id);
    known?.markLost();
    const wasHere = await this.#rows.forget(row.id);
    if (wasHere && row.session_token !== null && this.#rows.isOurs(row)) this.#terminate(this.#rows.tokenOf(row));
  }

  #terminate(token: string): void {
    // A session that fails to end here ends by itself when its idle time is over.
    terminateSession(this.#door, token, this.#closing.signal).catch(() => undefined);
  }
}
