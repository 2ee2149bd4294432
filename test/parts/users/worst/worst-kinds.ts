/** The kinds of the worst that somebody can do to a relay with calls: what each sends is in worst-caller.ts. */
export const worstKinds = [
  'keys',
  'brackets',
  'lists',
  'blanks',
  'escapes',
  'backslashes',
  'characters',
  'dripping',
  'batch',
  'start',
  'store',
  'pages',
  'bodies',
  'unread',
  'sign-in',
  'sign-up',
  'refresh',
  'evidence',
  'files',
  'unread-files',
  'live',
  'mix',
] as const;

/** With bytes that no library sends, over TLS: worst-floods.ts. */
export const worstFloodKinds = [
  'pipelined',
  'resets',
  'pings',
  'settings',
  'continuations',
  'header-bomb',
  'bytes',
  'unread-streams',
  'crowd-calls',
  'crowd-expectations',
  'crowd-resets',
] as const;

/** Floods of as many connections as an address may have, each of one packet and all at one moment. */
export const crowdKinds: ReadonlySet<WorstKind> = new Set(['crowd-calls', 'crowd-expectations', 'crowd-resets']);

export type WorstFloodKind = (typeof worstFloodKinds)[number];
export type WorstKind = (typeof worstKinds)[number] | WorstFloodKind;

export function isFloodKind(kind: WorstKind): kind is WorstFloodKind {
  return worstFloodKinds.some((known) => known === kind);
}

/** A relay counts these by address or account: a caller who goes on past a limit is told when to come back. */
export const limitedKinds: ReadonlySet<WorstKind> = new Set(['sign-in', 'sign-up', 'refresh', 'evidence']);

/** Floods whose session a relay has to end. */
export const endedKinds: ReadonlySet<WorstKind> = new Set([
  'pipelined',
  'resets',
  'pings',
  'settings',
  'continuations',
]);
