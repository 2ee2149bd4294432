/** A reason not to start that a person can mend: its message is one sentence, shown as it is, with exit code 1. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
