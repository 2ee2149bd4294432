import {
  type Effect,
  type End,
  ends,
  type Event,
  type EventOf,
  journey,
  lockedStates,
  type SetBack,
  type State,
  type Waiting,
  waitingStates,
  type Working,
} from './journey-table.ts';

/** Does the work of each state, and says what came of it. An error is a setback. */
export type Works = {
  readonly [Where in Exclude<Working, Waiting>]: () => Promise<Exclude<EventOf<Where>, SetBack>>;
};

export type Journey = {
  readonly works: Works;
  readonly effects: Readonly<Record<Effect, () => void | Promise<void>>>;
  /** One holder at a time among all tabs. */
  readonly underLock: (run: () => Promise<void>) => Promise<void>;
  /** Says what helps against an error. */
  readonly setBack: (error: unknown) => SetBack;
  readonly onState: (state: State) => void;
  /** The vault ends. */
  readonly signal: AbortSignal;
};

/**
 * Takes one question along the table until it is there, was taken back, or needs the person.
 *
 * @throws an error of which the table has no transition: a storage that keeps nothing any more.
 */
export async function runJourney(question: Journey): Promise<End> {
  const { onState, setBack, signal, underLock } = question;
  let state: State = 'looking';
  const take = async (event: Event): Promise<void> => {
    state = await follow(question, state, event);
    onState(state);
  };
  const work = async (where: keyof Works): Promise<void> => take(await eventOf(question, where));
  onState(state);
  for (let at: State = state; !isEnd(at); at = state) {
    if (!isWaiting(at)) {
      await work(at);
      continue;
    }
    try {
      await underLock(async () => {
        await take(signal.aborted ? 'shut' : 'locked');
        for (let inside: State = state; isLocked(inside); inside = state) await work(inside);
      });
    } catch (error) {
      // The lock itself was refused, and nothing was done.
      if (state !== at) throw error;
      await take(setBack(error));
    }
  }
  return state as End;
}

async function eventOf({ works, setBack, signal }: Journey, where: keyof Works): Promise<Event> {
  if (signal.aborted) return 'shut';
  try {
    return await works[where]();
  } catch (error) {
    const event = setBack(error);
    if (journey[where][event].kind === 'impossible') throw error;
    return event;
  }
}

async function follow({ effects }: Journey, state: State, event: Event): Promise<State> {
  const transition = journey[state][event];
  if (transition.kind === 'impossible') throw new Error(`A question in the state ${state} met the event ${event}.`);
  for (const effect of transition.effects) await effects[effect]();
  return transition.next;
}

function isEnd(state: State): state is End {
  return ends.has(state);
}

function isWaiting(state: State): state is Waiting {
  return waitingStates.has(state);
}

function isLocked(state: State): state is keyof Works {
  return lockedStates.has(state);
}
