import { verificationOperation } from '../enclave/later-verification.ts';
import type { VerificationView } from '../enclave/protection-views.ts';
import { feature, type FeatureVault } from './feature.ts';

/** Keeps what vouched for the enclave of a turn, and reads it again. */
export const verification = feature({
  operations: [verificationOperation],
  commands: ({ protection }: FeatureVault) => ({
    /** The document of one turn, or with null the shield's own; null when there is none. */
    readVerification: ({ turnId }: { readonly turnId: string | null }): Promise<VerificationView | null> =>
      protection.readVerification(turnId),
  }),
});
