export type SessionStatus =
  /** Being found out: the Worker looks for a session and a wrapped key. */
  | 'starting'
  | 'signed-out'
  /** A session, but no key in memory: the password opens it. */
  | 'locked'
  | 'unlocked';
