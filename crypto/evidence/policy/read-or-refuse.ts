import { CryptoError } from '../../protocol/bytes/errors.ts';
import { type CheckCode, type PlainDetail, refuse } from './evidence-step.ts';

/** Reads what a peer sent; what cannot be read refuses at this check. */
export function readOrRefuse<Read>(check: CheckCode, detail: PlainDetail, read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (error instanceof CryptoError) return refuse('malformed', check, detail);
    throw error;
  }
}
