/**
 * The way of one question from the outbox to an enclave. Each state does one thing; `EventsOf` says all that may come of it, and
 * `possible` where that leads. The work itself lies in question-works.ts.
 */
export type EventsOf = {
  /** The question's state in the outbox and in the vault. */
  readonly looking: 'unread' | 'withdrawn' | 'deleted' | 'stands' | SetBack;
  readonly 'waiting-to-read': 'locked' | SetBack;
  /** The cache is broken or not whole: the relay says first what the person asks of an enclave. */
  readonly reading: 'read' | SetBack;
  readonly 'waiting-to-give-back': 'locked' | SetBack;
  /** Its conversation is gone: its words go back to the person, unless they were stored and deleted with it. */
  readonly 'giving-back': 'given-back' | 'stands' | SetBack;
  /** Finds an enclave that is good enough, and compares it with what the shield showed at Send. */
  readonly admitting: 'as-shown' | 'unshown' | 'other' | SetBack;
  /** The shield showed nothing at Send: what it shows now is what holds. */
  readonly noting: 'noted' | SetBack;
  readonly 'waiting-to-seal': 'locked' | SetBack;
  /** Judges once more, then seals. */
  readonly sealing: 'overtaken' | 'sealed-first' | 'sealed-again' | SetBack;
  /** Items and request in one call. */
  readonly storing: 'taken' | 'another-enclave' | 'overtaken' | SetBack;
  /** The items are stored: the request alone, without the lock, so that a slow relay holds up nothing else. */
  readonly posting: 'taken' | 'another-enclave' | 'withdrawn' | SetBack;
  /** Verifies the enclave that the relay chose instead. */
  readonly adopting: 'adopted' | SetBack;
  readonly 'backing-off': 'waited';
  /** Writes into the outbox why it needs the person. */
  readonly failing: 'written' | 'overtaken';
  /** It was taken back while its request was on its way: stopped once more behind it. */
  readonly stopping: 'stopped';
  /** The relay has it. */
  readonly accepted: never;
  /** Waits for the person. */
  readonly failed: never;
  /** Stopped, deleted or brought by another tab. */
  readonly withdrawn: never;
  /** Its words are the person's again. */
  readonly displaced: never;
  /** The vault ended: the outbox keeps it. */
  readonly shut: never;
};

/**
 * `stale`: to be sealed anew · `later`, and `doubtful`: later, to an enclave that is asked for anew · `final`, and `given-up` after
 * too many tries with it: needs the person.
 */
export type SetBack = 'stale' | 'later' | 'doubtful' | 'final' | 'given-up';

export type State = keyof EventsOf;
export type End = 'accepted' | 'failed' | 'withdrawn' | 'displaced' | 'shut';
/** States that wait for the vault's lock. */
export type Waiting = 'waiting-to-read' | 'waiting-to-give-back' | 'waiting-to-seal';
export type Working = Exclude<State, End>;
/** `shut`: the vault ends, whatever is done. */
export type EventOf<Where extends State> = EventsOf[Where] | (Where extends Working ? 'shut' : never);
export type Event = EventOf<State>;

/** Done at once, before the next state does its work. */
export type Effect = 'tell-accepted' | 'leave-outbox' | 'forget-enclave';

type Go = { readonly kind: 'go'; readonly next: State; readonly effects: readonly Effect[] };
/** `impossible`: this event does not come of this state. */
export type Transition = Go | { readonly kind: 'impossible' };

const to = (next: State, ...effects: readonly Effect[]): Go => ({ kind: 'go', next, effects });

const shut = { shut: to('shut') };
const setBack = {
  stale: to('looking', 'forget-enclave'),
  later: to('backing-off'),
  doubtful: to('backing-off', 'forget-enclave'),
  final: to('failing'),
  'given-up': to('failing', 'forget-enclave'),
  ...shut,
};

const possible: { readonly [Where in State]: Readonly<Record<EventOf<Where>, Go>> } = {
  looking: {
    withdrawn: to('withdrawn'),
    unread: to('waiting-to-read'),
    deleted: to('waiting-to-give-back'),
    stands: to('admitting'),
    ...setBack,
  },
  'waiting-to-read': { locked: to('reading'), ...setBack },
  reading: { read: to('looking'), ...setBack },
  'waiting-to-give-back': { locked: to('giving-back'), ...setBack },
  'giving-back': { 'given-back': to('displaced'), stands: to('looking'), ...setBack },
  admitting: {
    'as-shown': to('waiting-to-seal'),
    unshown: to('noting'),
    other: to('failing'),
    ...setBack,
  },
  noting: { noted: to('looking'), ...setBack },
  'waiting-to-seal': { locked: to('sealing'), ...setBack },
  sealing: {
    overtaken: to('looking'),
    'sealed-first': to('storing'),
    'sealed-again': to('posting'),
    ...setBack,
  },
  storing: {
    taken: to('accepted', 'tell-accepted', 'leave-outbox'),
    'another-enclave': to('adopting'),
    overtaken: to('looking'),
    ...setBack,
  },
  posting: {
    taken: to('accepted', 'tell-accepted', 'leave-outbox'),
    'another-enclave': to('adopting'),
    withdrawn: to('stopping'),
    ...setBack,
  },
  adopting: { adopted: to('looking'), ...setBack },
  'backing-off': { waited: to('looking'), ...shut },
  failing: { written: to('failed'), overtaken: to('looking'), ...shut },
  stopping: { stopped: to('withdrawn'), ...shut },
  accepted: {},
  failed: {},
  withdrawn: {},
  displaced: {},
  shut: {},
};

export const ends: ReadonlySet<State> = new Set<End>(['accepted', 'failed', 'withdrawn', 'displaced', 'shut']);
export const waitingStates: ReadonlySet<State> = new Set<Waiting>([
  'waiting-to-read',
  'waiting-to-give-back',
  'waiting-to-seal',
]);
/** States under the vault's lock: nobody stops or deletes the question in between. */
export const lockedStates: ReadonlySet<State> = new Set<Working>(['reading', 'giving-back', 'sealing', 'storing']);

/** How far the question is, as its thread says it; `as-the-shield`: sealing where an enclave is verified, else connecting. */
export const shownProgress: Readonly<Record<State, 'sealing' | 'connecting' | 'as-the-shield' | null>> = {
  looking: 'as-the-shield',
  'waiting-to-read': null,
  reading: null,
  'waiting-to-give-back': null,
  'giving-back': null,
  admitting: null,
  noting: null,
  'waiting-to-seal': 'sealing',
  sealing: 'sealing',
  storing: 'sealing',
  posting: 'sealing',
  adopting: 'sealing',
  'backing-off': 'connecting',
  failing: null,
  stopping: null,
  accepted: null,
  failed: null,
  withdrawn: null,
  displaced: null,
  shut: null,
};

const entries = Object.entries(possible) as [State, Readonly<Record<string, Go>>][];
const nothing = Object.fromEntries(
  entries.flatMap(([, row]) => Object.keys(row)).map((event) => [event, { kind: 'impossible' }]),
) as Record<Event, Transition>;

/** The transition of each event in each state. */
export const journey = Object.fromEntries(entries.map(([state, row]) => [state, { ...nothing, ...row }])) as Readonly<
  Record<State, Readonly<Record<Event, Transition>>>
>;
