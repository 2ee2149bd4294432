/** The kinds of the worst that somebody can do to a relay: what each sends is in worst-caller.ts. */
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
  'live',
  'mix',
] as const;
export type WorstKind = (typeof worstKinds)[number];
