import type { EnclaveVerdict } from '../../../crypto/evidence/verify-enclave.ts';
import { writeProtection } from '../../../crypto/protocol/contents/protection-sentence.ts';

/** Gives what is stored of an accepted verdict with a reply. */
export function sentenceOf(verdict: EnclaveVerdict): string {
  if (verdict.refused) throw new Error(`Refused: ${verdict.code}`);
  const { kind, level, release } = verdict;
  return writeProtection({ kind, level, release: release?.version ?? null });
}
