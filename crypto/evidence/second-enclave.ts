import { equalBytes } from '../protocol/bytes/bytes.ts';
import type { EnclaveVerdict } from './verify-enclave.ts';

export type AcceptedVerdict = Extract<EnclaveVerdict, { refused: false }>;

/**
 * True if one request may be sealed to both (SPEC.md §9.4): another enclave, of the very same protection. With less than the
 * same, the shield's one sentence would be wrong for one of the two. One enclave under two names is no second one.
 */
export function isSecondEnclave(first: AcceptedVerdict, second: AcceptedVerdict): boolean {
  return !equalBytes(first.identityPublicKey, second.identityPublicKey) && isSameProtection(first, second);
}

/** Kind, level, measurement, release and model: what the shield says of an enclave. */
export function isSameProtection(a: AcceptedVerdict, b: AcceptedVerdict): boolean {
  return (
    a.kind === b.kind &&
    a.level === b.level &&
    a.measurement === b.measurement &&
    a.release?.version === b.release?.version &&
    a.statement.model === b.statement.model &&
    a.statement.weightsDigest === b.statement.weightsDigest &&
    a.statement.engine === b.statement.engine
  );
}
