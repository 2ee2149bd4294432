import type { ItemBatch } from '../../../../crypto/protocol/messages/item-messages.ts';
import { errorCodes } from '../../../../crypto/protocol/messages/error-codes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { backOffMs } from '../../surroundings/back-off.ts';
import { type Clock, wait } from '../../surroundings/clock.ts';
import { RelayCallError } from '../../relay/http/relay-call-error.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import type { TabLocks } from '../../surroundings/vault-lock.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { planBatch } from './plan-batch.ts';
import { RepeatedTask } from './repeated-task.ts';
import { syncVault } from '../../store/sync.ts';
import type { FailureCode } from '../../failures/failure-codes.ts';
import { toVaultError, VaultError } from '../../failures/vault-error.ts';
import { underVaultLock } from '../../surroundings/vault-lock.ts';
import type { VaultStore } from '../../store/vault-store.ts';
import { keepBatch, notePending, sealBatch, type SealedBatch } from './write-batch.ts';

export type WriterDependencies = {
  readonly store: VaultStore;
  readonly outbox: Outbox;
  readonly client: RelayClient;
  readonly locks: TabLocks;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onAlarm: (error: VaultError) => void;
  /** This device stands on the relay's newest head. */
  readonly onSynced: () => void;
  /** The relay took what waited. */
  readonly onStored: () => void;
  readonly signal: AbortSignal;
};

/** A sync that meets one of these raises an alarm. */
const alarmCodes: ReadonlySet<FailureCode> = new Set([
  'vault-tampered',
  'vault-rolled-back',
  'other-version',
  'newer-keys',
]);

/** Conflicts in a row before this tab lets the others go first for a while. */
const maximumConflicts = 8;

/**
 * The one way in which this tab reads from and writes to the relay's vault. Sync, merge, seal and send happen as one
 * piece under the vault's lock, so tabs do not race; devices meet in the relay's compare-and-swap.
 */
export class VaultWriter {
  readonly #dependencies: WriterDependencies;
  readonly #flushing: RepeatedTask;
  #syncing: Promise<void> | null = null;
  #syncAgain = false;
  #conflicts = 0;

  constructor(dependencies: WriterDependencies) {
    this.#dependencies = dependencies;
    const { clock, random, signal } = dependencies;
    this.#flushing = new RepeatedTask({ work: () => this.flush(), clock, random, signal });
  }

  /** Brings the device up to date; calls that come while one runs share the next one. */
  async sync(): Promise<void> {
    if (this.#syncing !== null) {
      this.#syncAgain = true;
      return this.#syncing;
    }
    this.#syncing = this.#runSync().finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  async #runSync(): Promise<void> {
    do {
      this.#syncAgain = false;
      await underVaultLock(this.#dependencies.locks, () => this.syncLocked());
    } while (this.#syncAgain && !this.#dependencies.signal.aborted);
  }

  /** For whoever holds the vault's lock. An alarm is raised here and passed on. */
  async syncLocked(): Promise<void> {
    try {
      await syncVault(this.#dependencies);
    } catch (error) {
      // Keys that were wiped in the middle open nothing: that says nothing about the relay.
      if (this.#dependencies.signal.aborted) throw new VaultError('session-ended');
      const failure = toVaultError(error);
      if (alarmCodes.has(failure.code)) this.#dependencies.onAlarm(failure);
      throw failure;
    }
    this.#dependencies.onSynced();
  }

  /** Sends what waits, again and again until it is there. */
  kick(): void {
    this.#flushing.kick();
  }

  /** Works as `kick`, but does not wait out a pause. */
  hurry(): void {
    this.#flushing.hurry();
  }

  /** Stores all operations that are not questions. @throws {VaultError} when the relay cannot take them now. */
  async flush(): Promise<void> {
    while (
      !this.#dependencies.signal.aborted &&
      (await underVaultLock(this.#dependencies.locks, () => this.#flushOnce()))
    );
  }

  /** @returns whether there may be more to do. */
  async #flushOnce(): Promise<boolean> {
    const { store, outbox, client, clock, signal } = this.#dependencies;
    await this.prepare();
    // An ended vault is empty: everything that waits would seem to be done, or to have lost its conversation.
    if (signal.aborted) return false;
    const plan = planBatch(store.contents, outbox.all, clock.wallMs());
    for (const queued of plan.displaced) await outbox.giveBack(queued);
    const isEmpty = plan.writes.length === 0 && plan.finishTurns.length === 0 && plan.prune.length === 0;
    try {
      if (!isEmpty) await this.send(sealBatch(store, plan, null), (message) => client.writeItems(message));
    } catch (error) {
      if (error instanceof ConflictError) return true;
      if (isForGood(error)) this.#sayRefused(error);
      throw error;
    }
    if (!isEmpty) this.#dependencies.onStored();
    await outbox.remove(plan.settled);
    return !isEmpty;
  }

  /** It is tried again all the same, since a relay may be mended; what waits must not wait in silence. */
  #sayRefused(error: unknown): void {
    const { code } = toVaultError(error);
    this.#dependencies.onAlarm(new VaultError(code === 'quota-exceeded' ? code : 'not-stored'));
  }

  /**
   * Makes sure that this device stands on the newest head that it can know of before it writes; holds the vault's lock.
   * After a lost answer only a sync tells whether the batch is there.
   */
  async prepare(): Promise<void> {
    const { store } = this.#dependencies;
    await store.catchUp();
    await this.#dependencies.outbox.load();
    if (store.mark.pending !== null || store.mark.cursor === null || !store.isConsistent()) await this.syncLocked();
  }

  /**
   * Sends one batch and keeps it when the relay has it; holds the vault's lock.
   *
   * @throws {ConflictError} after a sync, for the caller to plan again; {@link RelayCallError} for all else.
   */
  async send(batch: SealedBatch, post: (message: ItemBatch) => Promise<unknown>): Promise<void> {
    const { store, clock, random, signal } = this.#dependencies;
    await notePending(store, batch);
    try {
      await post(batch.message);
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.syncLocked();
      this.#conflicts += 1;
      const excess = this.#conflicts - maximumConflicts;
      if (excess > 0) await wait(clock, backOffMs(excess, random), signal);
      throw new ConflictError();
    }
    this.#conflicts = 0;
    await keepBatch(store, batch);
  }
}

/** Another device was first; contents are newer now, and the same operations come to another batch. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

function isConflict(error: unknown): boolean {
  return error instanceof RelayCallError && (error.code === 'head-conflict' || error.code === 'item-conflict');
}

/** True if the same batch will be refused again: by the relay, or by this build, which cannot seal it. */
function isForGood(error: unknown): boolean {
  if (error instanceof CryptoError) return error.advice !== 'retry';
  if (!(error instanceof RelayCallError) || !Object.hasOwn(errorCodes, error.code)) return false;
  const { advice, status } = errorCodes[error.code as keyof typeof errorCodes];
  // A session that ended says so by itself.
  return advice !== 'retry' && status !== 401;
}
