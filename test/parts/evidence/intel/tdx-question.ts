import { EvidenceRefused, type VerificationStep } from '../../../../crypto/evidence/policy/evidence-step.ts';
import type { TdxPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { verifyTdx } from '../../../../crypto/evidence/tdx/verify-tdx.ts';
import type { TdxCollateral } from '../../../../crypto/protocol/messages/evidence-messages.ts';

/** All that one verification of a TDX quote is asked with. */
export type TdxQuestion = {
  readonly quote: string;
  readonly collateral: TdxCollateral;
  readonly policy: TdxPolicy;
  readonly expected: Uint8Array<ArrayBuffer>;
  readonly nowMs: number;
};

/** @returns `accepted`, or the code of the refusal and the step that failed. Any other error is a defect and is thrown. */
export async function askTdx({ quote, ...question }: TdxQuestion): Promise<string> {
  const steps: VerificationStep[] = [];
  // The binding is checked before and beside the quote (SPEC.md §9.4); its verifier reads the quote alone.
  const evidence = {
    kind: 'tdx' as const,
    identityPublicKey: '',
    freshness: '',
    notAfterMs: 0,
    imageDigest: '',
    quote,
  };
  try {
    await verifyTdx({ ...question, evidence, steps });
    return 'accepted';
  } catch (error) {
    if (!(error instanceof EvidenceRefused)) throw error;
    return `${error.code}: ${error.step.check}`;
  }
}
