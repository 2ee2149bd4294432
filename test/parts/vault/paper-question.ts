import type { End, SetBack, State } from '../../../client/vault/asking/journey-table.ts';
import { runJourney, type Works } from '../../../client/vault/asking/run-journey.ts';

/** The outbox holds it so; null once it left. */
type Kept = { stage: 'going' | 'stopped' | 'failed' | 'returned'; shown: number | null; revision: number } | null;

class Setback extends Error {
  readonly event: SetBack;

  constructor(event: SetBack) {
    super(event);
    this.event = event;
  }
}

/**
 * One question among a relay, its enclaves, the tabs of a browser and a person, all on paper and all led by chance: what they do
 * may come before any step of the question, and answers get lost. Once the numbers are used up, all goes well.
 */
export class PaperQuestion {
  outbox: Kept;
  readonly relay = { hasItems: false, isRunning: false, isDeleted: false };
  /** In order: what was sealed, what arrived, what was stopped. */
  readonly log: ('sealed' | 'arrived' | 'stopped')[] = [];
  /** Where in the log the person took it back. */
  takenBackAt: number | null = null;
  readonly faults: string[] = [];
  readonly walked = new Set<string>();
  /** It is in neither outbox nor vault, and nobody took it out. */
  get isLost(): boolean {
    return this.outbox === null && !this.relay.hasItems && !this.relay.isDeleted;
  }

  readonly #luck: number[];
  readonly #ended = new AbortController();
  #enclave = 1;
  #isCacheKnown = true;
  #isLocked = false;
  #read: NonNullable<Kept> | null = null;
  #verified = 0;
  #tries = 0;

  constructor(luck: readonly number[]) {
    this.#luck = [...luck];
    this.outbox = { stage: 'going', shown: this.#chance(3) ? null : 1, revision: 0 };
    this.#isCacheKnown = !this.#chance(5);
    this.relay.hasItems = this.#chance(5);
  }

  async run(): Promise<End> {
    let before: State | null = null;
    return runJourney({
      works: this.#works,
      effects: {
        'tell-accepted': () =>
          this.#require(this.relay.isRunning, 'It is told as accepted, and the relay has no request.'),
        'leave-outbox': () => {
          if (this.outbox?.revision === this.#read?.revision) this.outbox = null;
        },
        'forget-enclave': () => undefined,
      },
      underLock: async (run) => {
        this.#meanwhile();
        this.#isLocked = true;
        await run();
        this.#isLocked = false;
      },
      // Patience does the same: not for ever.
      setBack: (error) => {
        if (!(error instanceof Setback)) throw error;
        this.#tries += 1;
        return this.#tries > 12 ? 'given-up' : error.event;
      },
      onState: (state) => {
        if (before !== null) this.walked.add(`${before} → ${state}`);
        before = state;
        if (this.#chance(state === 'stopping' ? 3 : 60)) this.#ended.abort();
      },
      signal: this.#ended.signal,
    });
  }

  readonly #works: Works = {
    looking: () =>
      this.#work(() => {
        if (this.outbox?.stage !== 'going') return 'withdrawn';
        this.#read = { ...this.outbox };
        if (!this.#isCacheKnown) return 'unread';
        return this.relay.isDeleted ? 'deleted' : 'stands';
      }),
    reading: () =>
      this.#work(() => {
        this.#requireLock();
        this.#isCacheKnown = true;
        return 'read';
      }),
    'giving-back': () =>
      this.#work(() => {
        this.#requireLock();
        if (!this.relay.isDeleted || !this.#isUnchanged) return 'stands';
        if (this.relay.hasItems) this.outbox = null;
        else this.#rewrite({ stage: 'returned' });
        return 'given-back';
      }),
    admitting: () =>
      this.#work(() => {
        this.#verified = this.#enclave;
        const shown = this.#read?.shown ?? null;
        if (shown === null) return 'unshown';
        return shown === this.#verified ? 'as-shown' : 'other';
      }),
    noting: () =>
      this.#work(() => {
        this.#require(this.#read?.shown === null, 'What the shield showed at Send is written over.');
        if (this.#isUnchanged) this.#rewrite({ shown: this.#verified });
        return 'noted';
      }),
    sealing: () =>
      this.#work(() => {
        this.#requireLock();
        if (!this.#isUnchanged || this.relay.isDeleted) return 'overtaken';
        this.#require(this.#verified === this.outbox?.shown, 'It is sealed to another enclave than the shield showed.');
        this.log.push('sealed');
        return this.relay.hasItems ? 'sealed-again' : 'sealed-first';
      }),
    storing: () =>
      this.#work(() => {
        this.#requireLock();
        if (this.#chance(6)) return 'overtaken';
        return this.#arrive();
      }),
    posting: () =>
      this.#work(() => {
        this.#require(!this.#isLocked, 'A slow relay holds up the vault.');
        const came = this.#settled(() => this.#arrive());
        this.#meanwhile();
        if (this.outbox?.stage !== 'going') return 'withdrawn';
        if (came instanceof Setback) throw came;
        return came;
      }),
    adopting: () =>
      this.#work(() => {
        // Often one that proves the same.
        if (this.#chance(3)) this.#enclave += 1;
        return 'adopted';
      }),
    'backing-off': () => this.#calm(() => 'waited'),
    failing: () =>
      this.#calm(() => {
        if (!this.#isUnchanged) return 'overtaken';
        this.#rewrite({ stage: 'failed' });
        return 'written';
      }),
    stopping: () =>
      this.#calm(() => {
        this.log.push('stopped');
        return 'stopped';
      }),
  };

  /** A work that may be set back. */
  #work<Result>(run: () => Result): Promise<Result> {
    return this.#calm(() => {
      const setback = this.#chance(8) ? this.#pick(['stale', 'later', 'doubtful', 'later', 'final'] as const) : null;
      if (setback !== null) throw new Setback(setback);
      return run();
    });
  }

  async #calm<Result>(run: () => Result): Promise<Result> {
    await Promise.resolve();
    this.#meanwhile();
    return run();
  }

  /** The call goes out, and what comes back may get lost. */
  #arrive(): 'taken' | 'another-enclave' {
    if (this.#chance(6)) throw new Setback('later');
    this.relay.hasItems = true;
    if (this.#chance(5)) return 'another-enclave';
    this.relay.isRunning = true;
    this.log.push('arrived');
    if (this.#chance(6)) throw new Setback('later');
    return 'taken';
  }

  #settled<Result>(run: () => Result): Result | Setback {
    try {
      return run();
    } catch (error) {
      if (error instanceof Setback) return error;
      throw error;
    }
  }

  /** Does what others do at this moment. */
  #meanwhile(): void {
    if (this.#chance(60)) this.#ended.abort();
    if (this.#chance(25)) this.#enclave += 1;
    if (this.#chance(40)) this.#isCacheKnown = false;
    // A tab that stops or deletes takes the lock first.
    if (this.#isLocked) return;
    if (this.#chance(30) && this.outbox?.stage === 'going') {
      this.#rewrite({ stage: 'stopped' });
      this.takenBackAt = this.log.length;
      this.log.push('stopped');
    }
    if (this.#chance(40)) this.relay.isDeleted = true;
  }

  get #isUnchanged(): boolean {
    return this.outbox !== null && this.outbox.revision === this.#read?.revision;
  }

  #rewrite(changes: Partial<NonNullable<Kept>>): void {
    if (this.outbox !== null) this.outbox = { ...this.outbox, ...changes, revision: this.outbox.revision + 1 };
  }

  #requireLock(): void {
    this.#require(this.#isLocked, 'The vault is read or written without its lock.');
  }

  #require(isSo: boolean, fault: string): void {
    if (!isSo) this.faults.push(fault);
  }

  /** Once in so many times. */
  #chance(among: number): boolean {
    const number = this.#luck.shift();
    return number !== undefined && number % among === among - 1;
  }

  #pick<Choice>(choices: readonly [Choice, ...Choice[]]): Choice {
    return choices[(this.#luck.shift() ?? 0) % choices.length] ?? choices[0];
  }
}
