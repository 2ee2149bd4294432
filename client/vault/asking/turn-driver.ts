import { stopAtRelay } from '../exchange/sending/stop-at-relay.ts';
import { toVaultError } from '../failures/vault-error.ts';
import { underVaultLock } from '../surroundings/vault-lock.ts';
import { shownProgress, type State } from './journey-table.ts';
import { type AskingVault, QuestionWorks } from './question-works.ts';
import { runJourney } from './run-journey.ts';

export type DriverVault = AskingVault & {
  /** The view of this turn changed. */
  readonly onChange: (turnId: string) => void;
};

type Driven = { readonly works: QuestionWorks; progress: 'sealing' | 'connecting' };

/**
 * Drives every question of the outbox. The tab that took it holds the turn's lock; if that tab goes, the next one that
 * waits for the lock carries on.
 */
export class TurnDriver {
  readonly #vault: DriverVault;
  readonly #driven = new Map<string, Driven>();

  constructor(vault: DriverVault) {
    this.#vault = vault;
  }

  progress(turnId: string): 'sealing' | 'connecting' | null {
    return this.#driven.get(turnId)?.progress ?? null;
  }

  /** Starts what waits and is not driven yet. */
  driveAll(): void {
    for (const { operation } of this.#vault.outbox.turns) {
      if (operation.stage.name === 'going') this.#drive(operation.turnId);
    }
  }

  /** The relay is there again: nobody waits any longer. */
  hurry(): void {
    for (const { works } of this.#driven.values()) works.hurry();
  }

  /**
   * Stops a turn: at the enclave if it may be there, else by taking it back before it is sent.
   *
   * @throws {VaultError} `relay-unreachable` and such; the reply then goes on.
   */
  async stop(turnId: string): Promise<void> {
    const { outbox, store, locks, writer, client } = this.#vault;
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
      this.#driven.get(turnId)?.works.hurry();
      this.#vault.onChange(turnId);
      writer.kick();
    }
    const turnKey = store.contents.messages.ofTurn(turnId)?.message.turnKey;
    if (turnKey === undefined) return;
    try {
      await stopAtRelay(client, { turnId, turnKey });
    } catch (error) {
      // Nothing of it runs anywhere: it is stopped.
      if (!takenBack) throw toVaultError(error);
    }
  }

  #drive(turnId: string): void {
    if (this.#driven.has(turnId) || this.#vault.signal.aborted) return;
    const works = new QuestionWorks(this.#vault, turnId);
    this.#driven.set(turnId, { works, progress: 'connecting' });
    void this.#driveLocked(turnId, works).finally(() => {
      this.#driven.delete(turnId);
      if (!this.#vault.signal.aborted) this.#vault.onChange(turnId);
    });
  }

  async #driveLocked(turnId: string, works: QuestionWorks): Promise<void> {
    const { locks, signal } = this.#vault;
    try {
      await locks.request(`sotto-turn-${turnId}`, { mode: 'exclusive', signal }, () =>
        driveQuestion(this.#vault, works, (state) => this.#note(turnId, state)),
      );
    } catch (error) {
      if (!signal.aborted) this.#vault.onAlarm(toVaultError(error));
    }
  }

  #note(turnId: string, state: State): void {
    const driven = this.#driven.get(turnId);
    const shown = shownProgress[state];
    if (driven === undefined || shown === null) return;
    const isVerified = this.#vault.enclaves.view.kind === 'verified';
    const progress = shown === 'as-the-shield' ? (isVerified ? 'sealing' : 'connecting') : shown;
    if (driven.progress === progress) return;
    driven.progress = progress;
    this.#vault.onChange(turnId);
  }
}

/** Takes one question along its journey. */
export async function driveQuestion(
  { locks, signal }: Pick<AskingVault, 'locks' | 'signal'>,
  { works, effects, setBack }: QuestionWorks,
  onState: (state: State) => void,
): Promise<void> {
  await runJourney({ works, effects, setBack, underLock: (run) => underVaultLock(locks, run), onState, signal });
}
