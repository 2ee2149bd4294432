import { sendTurn, type SendParts } from './send-turn.ts';
import { stopAtRelay } from '../exchange/stop-at-relay.ts';
import { toVaultError } from '../failures/vault-error.ts';
import { underVaultLock } from '../surroundings/vault-lock.ts';

export type DriverParts = Omit<SendParts, 'onProgress'> & {
  /** The view of this turn changed. */
  readonly onChange: (turnId: string) => void;
};

type Driven = { readonly controller: AbortController; progress: 'sealing' | 'connecting' };

/**
 * Drives every question of the outbox. The tab that took it holds the turn's lock; if that tab goes, the next one that
 * waits for the lock carries on.
 */
export class TurnDriver {
  readonly #parts: DriverParts;
  readonly #driven = new Map<string, Driven>();

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  progress(turnId: string): 'sealing' | 'connecting' | null {
    return this.#driven.get(turnId)?.progress ?? null;
  }

  /** Starts what waits and is not driven yet. */
  driveAll(): void {
    for (const { operation } of this.#parts.outbox.turns) {
      if (operation.stage.name === 'going') this.#drive(operation.turnId);
    }
  }

  /** The relay is there again: nobody waits any longer. */
  hurry(): void {
    for (const { controller } of this.#driven.values()) controller.abort();
  }

  /**
   * Stops a turn: at the enclave if it may be there, else by taking it back before it is sent.
   *
   * @throws {VaultError} `relay-unreachable` and such; the answer then goes on.
   */
  async stop(turnId: string): Promise<void> {
    const { outbox, store, locks, writer, client } = this.#parts;
    const takenBack = await underVaultLock(locks, async () => {
      // Under the lock no question is being stored: either the relay has it by now or it will not get it. Who has sent
      // the request of a stored one again reads here that it is to be stopped.
      await store.catchUp();
      for (;;) {
        await outbox.load();
        const queued = outbox.turn(turnId);
        if (queued?.operation.stage.name !== 'going') return false;
        // Refused where its driver has just noted something in it.
        if (await outbox.rewrite(queued, { ...queued.operation, stage: { name: 'stopped' } })) return true;
      }
    });
    if (takenBack) {
      this.#driven.get(turnId)?.controller.abort();
      this.#parts.onChange(turnId);
      writer.kick();
    }
    const turnKey = store.contents.messageOfTurn(turnId)?.message.turnKey;
    if (turnKey === undefined) return;
    try {
      await stopAtRelay(client, { turnId, turnKey });
    } catch (error) {
      // Nothing of it runs anywhere: it is stopped.
      if (!takenBack) throw toVaultError(error);
    }
  }

  #drive(turnId: string): void {
    if (this.#driven.has(turnId) || this.#parts.signal.aborted) return;
    const driven: Driven = { controller: new AbortController(), progress: 'connecting' };
    this.#driven.set(turnId, driven);
    void this.#driveLocked(turnId).finally(() => {
      this.#driven.delete(turnId);
      if (!this.#parts.signal.aborted) this.#parts.onChange(turnId);
    });
  }

  async #driveLocked(turnId: string): Promise<void> {
    const { locks, signal, outbox } = this.#parts;
    try {
      await locks.request(`sotto-turn-${turnId}`, { mode: 'exclusive', signal }, async () => {
        // `hurry` and `stop` end a pause, not the turn: what the outbox says decides whether it goes on.
        while (!signal.aborted && outbox.turn(turnId)?.operation.stage.name === 'going') {
          const driven = this.#driven.get(turnId);
          if (driven === undefined) return;
          const pause = new AbortController();
          this.#driven.set(turnId, { ...driven, controller: pause });
          await sendTurn(
            { ...this.#parts, onProgress: (id, progress) => this.#note(id, progress) },
            turnId,
            pause.signal,
          );
        }
      });
    } catch (error) {
      if (!signal.aborted) this.#parts.onAlarm(toVaultError(error));
    }
  }

  #note(turnId: string, progress: 'sealing' | 'connecting' | null): void {
    const driven = this.#driven.get(turnId);
    if (driven === undefined || progress === null || driven.progress === progress) return;
    driven.progress = progress;
    this.#parts.onChange(turnId);
  }
}
