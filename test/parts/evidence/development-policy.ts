import { type EnclavePolicy, enclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import * as v from 'valibot';

/** Accepts any machine that says its identity key: what a build without a policy of its own does. */
export const developmentPolicy: EnclavePolicy = v.parse(enclavePolicy, {
  format: 3,
  allowedKinds: ['development'],
  models: null,
  minimum: 'any',
  maximumEvidenceAgeMs: 7_200_000,
  maximumClockDifferenceMs: 86_400_000,
  requireNonceInReport: false,
  releases: [],
  modal: null,
  sevSnp: null,
  tdx: null,
  nvidiaGpu: null,
});
