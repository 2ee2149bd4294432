import { CryptoError } from '../../protocol/bytes/errors.ts';
import { refuse } from '../evidence-step.ts';

/** Reads what a peer sent; what cannot be read refuses at this step. */
export function readOrRefuse<Read>(stepName: string, detail: string, read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (error instanceof CryptoError) refuse('malformed', stepName, detail);
    throw error;
  }
}
