/** Who has to change something, so that nobody is accused who did nothing. */
export type Cause =
  /** A person typed it, or asked for it. */
  | 'person'
  /** This browser or device. */
  | 'browser'
  /** The network, or a machine in it that answers in the relay's place. */
  | 'way'
  | 'relay'
  | 'enclave'
  /** The model, or the server that runs it for the enclave. */
  | 'model'
  /** Another device of the same account. */
  | 'other-device';

/** One failure as a person reads it: what happened, whose doing it is, and what to do. Each place adds what was kept. */
export type CodeText = {
  readonly cause: Cause;
  /** One sentence; it names the cause where that is neither the person nor plain. */
  readonly sentence: string;
  /** One or two sentences. */
  readonly wayOut: string;
  /** The same question would fail again: no button offers to ask it again. */
  readonly isForGood?: true;
};
