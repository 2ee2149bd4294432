import type { Enclave, WatchedTurn } from '../../pools/pool.ts';
import type { FrameJournal } from '../../frames/frame-journal.ts';
import type { HeldTurn } from './held-turn.ts';
import type { TurnEndings } from './turn-endings.ts';
import { enclavesOf, watchedTurns } from './watched-turns.ts';

/** A turn that is asked for again is given this long before it is asked for once more. */
export const watchIntervalMs = 2_000;
/** Every turn sends a frame each tick, so this much silence means that something broke. */
const silenceMs = 10_000;
/** An enclave may hold frames that nobody fetched for this long; after it nothing can come any more. */
const holdMs = 15 * 60_000;
/** For an enclave that the settings name no longer: a replica with the old settings has renewed its lease by then. */
const unnamedMs = 45_000;

/** Asks enclaves for frames that did not come, and gives turns up of which none can come any more. */
export class FrameRequests {
  readonly #journal: FrameJournal;
  readonly #endings: TurnEndings;

  constructor(journal: FrameJournal, endings: TurnEndings) {
    this.#journal = journal;
    this.#endings = endings;
  }

  /** A failed call is tried again by `sweep`. */
  ask(enclave: Enclave, turns: Iterable<HeldTurn>): void {
    const watched: WatchedTurn[] = [];
    for (const turn of turns) {
      const asked = watchedTurns(turn, enclave);
      if (asked.length > 0) turn.watchedAtMs = performance.now();
      watched.push(...asked);
    }
    if (watched.length > 0) enclave.watch(watched).catch(() => undefined);
  }

  askAgain(turn: HeldTurn, enclave: Enclave): void {
    if (performance.now() - turn.watchedAtMs < watchIntervalMs || !this.#journal.hasRoom) return;
    this.ask(enclave, [turn]);
  }

  /** Looks after turns from which nothing was heard: asks again, and gives up past the time that enclaves hold frames. */
  sweep(turns: Iterable<HeldTurn>): void {
    const nowMs = performance.now();
    const silent = new Map<Enclave, HeldTurn[]>();
    for (const turn of turns) {
      if (turn.ending) continue;
      if (turn.awaited !== null && turn.awaited.untilMs < nowMs) {
        turn.awaited = null;
        this.#endings.settle(turn);
      }
      if (turn.attempting > 0 || nowMs - turn.heardAtMs < silenceMs) continue;
      if (nowMs - turn.heardAtMs > (enclavesOf(turn).size === 0 ? unnamedMs : holdMs)) {
        for (const transcript of turn.transcripts.values()) this.#endings.close(turn, transcript, 'lost');
        this.#endings.settle(turn);
        continue;
      }
      if (nowMs - turn.watchedAtMs < silenceMs) continue;
      for (const enclave of enclavesOf(turn)) {
        if (enclave.connected) silent.set(enclave, [...(silent.get(enclave) ?? []), turn]);
        else enclave.connect();
      }
    }
    for (const [enclave, asked] of silent) this.ask(enclave, asked);
  }
}
