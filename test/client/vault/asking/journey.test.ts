import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ends,
  type Event,
  journey,
  lockedStates,
  type SetBack,
  shownProgress,
  type State,
  waitingStates,
} from '../../../../client/vault/asking/journey-table.ts';
import { type Journey, runJourney, type Works } from '../../../../client/vault/asking/run-journey.ts';
import { PaperQuestion } from '../../../parts/vault/paper-question.ts';

const states = Object.keys(journey) as State[];
const events = Object.keys(journey.looking) as Event[];
const setbacks: ReadonlySet<string> = new Set<SetBack>(['stale', 'later', 'doubtful', 'final', 'given-up']);

/** Every step that can happen. */
const steps = states.flatMap((from) =>
  events.flatMap((event) => {
    const step = journey[from][event];
    return step.kind === 'go' ? [{ from, event, ...step }] : [];
  }),
);
const waysInto = (state: State) => steps.filter(({ next }) => next === state).map(({ from, event }) => [from, event]);

/** The shortest way to a state. */
function wayTo(goal: State): readonly Event[] {
  const ways = new Map<State, readonly Event[]>([['looking', []]]);
  for (const [state, way] of ways) {
    for (const { from, event, next } of steps) if (from === state && !ways.has(next)) ways.set(next, [...way, event]);
  }
  const way = ways.get(goal);
  if (way === undefined) throw new Error(`Nothing leads to ${goal}.`);
  return way;
}

/** Runs a journey in which one event comes after another. @returns the states that it was in. */
async function runScript(script: readonly Event[]): Promise<State[]> {
  // The executor takes the lock itself.
  const left = script.filter((event) => event !== 'locked');
  const ending = new AbortController();
  const seen: State[] = [];
  const next = (): Promise<never> => {
    const event = left.shift();
    if (event === undefined) throw new Error('The script is over.');
    if (setbacks.has(event)) return Promise.reject(Object.assign(new Error(`Refused: ${event}`), { event }));
    return Promise.resolve(event as never);
  };
  const works = Object.fromEntries(states.map((state) => [state, next])) as unknown as Works;
  const question: Journey = {
    works,
    effects: { 'tell-accepted': () => undefined, 'leave-outbox': () => undefined, 'forget-enclave': () => undefined },
    underLock: (run) => run(),
    setBack: (error) => (error as { event?: SetBack }).event ?? 'final',
    onState: (state) => void seen.push(state),
    signal: ending.signal,
  };
  await runJourney(question);
  return seen;
}

describe('journey table: every state and every event', () => {
  test.each(states)('%s: has a step for each event, and is known to lock and view', (state) => {
    expect(Object.keys(journey[state]).toSorted()).toEqual(events.toSorted());
    expect(shownProgress[state]).not.toBeUndefined();
    expect([lockedStates, waitingStates, ends].filter((group) => group.has(state)).length).toBeLessThan(2);
  });

  test.each(states)('%s: is reached, and leads to an end unless it is one', (state) => {
    expect(wayTo(state)).toBeDefined();
    const next = new Set<State>([state]);
    for (const each of next) for (const step of steps) if (step.from === each) next.add(step.next);
    expect([...next].some((each) => ends.has(each))).toBe(true);
    const leaves = events.filter((event) => journey[state][event].kind === 'go');
    expect(leaves.length === 0).toBe(ends.has(state));
    expect(leaves.includes('shut')).toBe(!ends.has(state));
  });

  /** A lock brings its own event, and an end brings none. */
  const worked = states.filter((state) => !ends.has(state) && !waitingStates.has(state));
  const impossible = worked.flatMap((state) =>
    events
      .filter((event) => journey[state][event].kind === 'impossible' && event !== 'locked')
      .map((event) => [state, event] as const),
  );
  test.each(impossible)('%s: fails loudly where %s comes of it', async (state, event) => {
    const complaint = setbacks.has(event)
      ? `Refused: ${event}`
      : `A question in the state ${state} met the event ${event}.`;
    await expect(runScript([...wayTo(state), event])).rejects.toThrow(complaint);
  });

  const possible = worked.flatMap((state) =>
    events.flatMap((event) => {
      const step = journey[state][event];
      return step.kind === 'go' ? [[state, event, step.next] as const] : [];
    }),
  );
  test.each(possible)('%s: goes with %s to %s', async (state, event, next) => {
    const onwards = ends.has(next) ? [] : wayToEnd(next);
    const seen = await runScript([...wayTo(state), event, ...onwards]);
    expect(seen[wayTo(state).length + 1]).toBe(next);
  });
});

/** Any way from a state to an end. */
function wayToEnd(state: State): readonly Event[] {
  const ways = new Map<State, readonly Event[]>([[state, []]]);
  for (const [place, way] of ways) {
    if (ends.has(place)) return way;
    for (const { from, event, next } of steps) if (from === place && !ways.has(next)) ways.set(next, [...way, event]);
  }
  throw new Error(`Nothing leads on from ${state}.`);
}

/** The table once more, as it is meant: a cell that is changed by mistake differs from it. A `*` forgets the enclave. */
const meant: Readonly<Record<State, string>> = {
  looking: 'withdrawn: withdrawn, unread: waiting-to-read, deleted: waiting-to-give-back, stands: admitting',
  'waiting-to-read': 'locked: reading',
  reading: 'read: looking',
  'waiting-to-give-back': 'locked: giving-back',
  'giving-back': 'given-back: displaced, stands: looking',
  admitting: 'as-shown: waiting-to-seal, unshown: noting, other: failing',
  noting: 'noted: looking',
  'waiting-to-seal': 'locked: sealing',
  sealing: 'overtaken: looking, sealed-first: storing, sealed-again: posting',
  storing: 'taken: accepted!, another-enclave: adopting, overtaken: looking',
  posting: 'taken: accepted!, another-enclave: adopting, withdrawn: stopping',
  adopting: 'adopted: looking',
  'backing-off': 'waited: looking',
  failing: 'written: failed, overtaken: looking',
  stopping: 'stopped: withdrawn',
  accepted: '',
  failed: '',
  withdrawn: '',
  displaced: '',
  shut: '',
};
const meantSetbacks = 'stale: looking*, later: backing-off, doubtful: backing-off*, final: failing, given-up: failing*';
/** They wait for a clock, the outbox or a stop, each of which goes on by itself. */
const withoutSetback: ReadonlySet<State> = new Set<State>(['backing-off', 'failing', 'stopping', ...ends]);
const mark = { '': [], '*': ['forget-enclave'], '!': ['tell-accepted', 'leave-outbox'] } as const;

describe('journey table: what is written is what is meant', () => {
  test.each(states)('%s', (state) => {
    const cells = [meant[state], withoutSetback.has(state) ? '' : meantSetbacks, ends.has(state) ? '' : 'shut: shut'];
    const wanted = cells.flatMap((line) =>
      [...line.matchAll(/([a-z-]+): ([a-z-]+)([*!]?)/g)].map(([, event = '', next = '', sign = '']) => [
        event,
        { kind: 'go', next, effects: mark[sign as keyof typeof mark] },
      ]),
    );
    const written = Object.entries(journey[state]).filter(([, { kind }]) => kind === 'go');
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(wanted));
  });

  test('a thread says how far its question is, and nothing while it looks or once it is over', () => {
    const saying = (progress: string) => states.filter((state) => shownProgress[state] === progress);
    expect(saying('as-the-shield')).toEqual(['looking']);
    expect(saying('sealing')).toEqual(['waiting-to-seal', 'sealing', 'storing', 'posting', 'adopting']);
    expect(saying('connecting')).toEqual(['backing-off']);
  });

  test('the vault is locked from the reading of a question to its storing, and the states that wait take the lock', () => {
    expect([...lockedStates]).toEqual(['reading', 'giving-back', 'sealing', 'storing']);
    expect([...waitingStates]).toEqual(['waiting-to-read', 'waiting-to-give-back', 'waiting-to-seal']);
    expect([...ends]).toEqual(['accepted', 'failed', 'withdrawn', 'displaced', 'shut']);
  });
});

describe('journey table: what every way through it keeps to', () => {
  test('a question is sealed under the lock, and only once its enclave is the one that the shield showed', () => {
    expect(waysInto('sealing')).toEqual([['waiting-to-seal', 'locked']]);
    expect(waysInto('waiting-to-seal')).toEqual([['admitting', 'as-shown']]);
    expect(waysInto('noting')).toEqual([['admitting', 'unshown']]);
  });

  test('an enclave that is chosen instead is looked at like any other', () => {
    expect(waysInto('adopting').map(([from]) => from)).toEqual(['storing', 'posting']);
    expect(journey.adopting.adopted).toMatchObject({ next: 'looking' });
  });

  test('a question leaves the outbox when the relay has it, and by no other step', () => {
    const leaving = steps.filter(({ effects }) => effects.includes('leave-outbox'));
    expect(leaving.map(({ from, event, next }) => [from, event, next])).toEqual([
      ['storing', 'taken', 'accepted'],
      ['posting', 'taken', 'accepted'],
    ]);
    expect(waysInto('accepted')).toEqual(leaving.map(({ from, event }) => [from, event]));
  });

  test('the lock is taken by the states that wait for it, and kept from one locked state to the next', () => {
    for (const { from, event, next } of steps) {
      if (!lockedStates.has(next)) continue;
      expect(lockedStates.has(from) || (waitingStates.has(from) && event === 'locked')).toBe(true);
    }
  });
});

describe('journey: whatever relay, enclaves, tabs and the person do', () => {
  /** Each number decides one thing that happens; behind the last one all goes well. */
  const luck = fc.array(fc.nat(999), { maxLength: 200, size: 'max' });

  test('it ends, and what it leaves is right', async () => {
    await fc.assert(
      fc.asyncProperty(luck, async (numbers) => {
        const question = new PaperQuestion(numbers);
        const end = await question.run();
        expect(question.faults).toEqual([]);
        expect(ends.has(end)).toBe(true);
        expect(question.isLost).toBe(false);
        const isKept = question.outbox !== null;
        expect([end, isKept]).toEqual([end, { accepted: false, failed: true, shut: true }[end as string] ?? isKept]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('one that was taken back is sealed no more, ends, and is stopped behind each request that came later', async () => {
    await fc.assert(
      fc.asyncProperty(luck, async (numbers) => {
        const question = new PaperQuestion(numbers);
        const end = await question.run();
        const { takenBackAt, log } = question;
        fc.pre(takenBackAt !== null);
        const later = log.slice(takenBackAt ?? 0);
        expect(later).not.toContain('sealed');
        expect(['withdrawn', 'shut', 'displaced']).toContain(end);
        expect(end !== 'withdrawn' || later.lastIndexOf('stopped') >= later.lastIndexOf('arrived')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('the walks come by every step of the table', async () => {
    const walked = new Set<string>();
    await fc.assert(
      fc.asyncProperty(luck, async (numbers) => {
        const question = new PaperQuestion(numbers);
        await question.run();
        for (const step of question.walked) walked.add(step);
      }),
      { numRuns: 4_000, seed: 7 },
    );
    const ways = new Set(
      steps.filter(({ from }) => !waitingStates.has(from)).map(({ from, next }) => `${from} → ${next}`),
    );
    expect([...ways].filter((way) => !walked.has(way))).toEqual([]);
  });
});
