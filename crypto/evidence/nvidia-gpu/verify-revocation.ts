import type { NvidiaGpuCollateral } from '../../protocol/messages/evidence-messages.ts';
import { fromBase64Url, toHex } from '../../protocol/bytes/bytes.ts';
import { enforced, notOffered, refuse, type VerificationStep } from '../policy/evidence-step.ts';
import type { NvidiaGpuPolicy } from '../policy/policy.ts';
import { parseRevocationAnswer, type RevocationAnswer } from '../x509/revocation-answer.ts';
import { type RevocationFinding, verifyRevocationAnswer } from '../x509/verify-revocation-answer.ts';
import type { GpuDevice } from './device/gpu-device.ts';
import { readOrRefuse } from '../policy/read-or-refuse.ts';
import { type IssuedCertificate, listRevocable } from './revocation-ids.ts';

const check = 'gpu-revocation';
const missing = 'gpu-answer-missing';
const unknown = 'gpu-certificate-unknown';
const stale = 'gpu-answer-outdated';

/**
 * Looks at what NVIDIA answered about the certificates of the GPUs, whose chains are verified already (SPEC.md §9.9).
 *
 * @throws {EvidenceRefused} `revoked` whatever the policy says; `collateral-missing`, `outdated-collateral` where it asks for
 *   answers; `malformed`, `chain`, `signature` for an answer that is none of NVIDIA's.
 */
export async function verifyRevocation(input: {
  readonly devices: readonly GpuDevice[];
  readonly collateral: NvidiaGpuCollateral;
  readonly policy: NvidiaGpuPolicy;
  readonly nowMs: number;
}): Promise<VerificationStep> {
  const { devices, collateral, policy, nowMs } = input;
  const answers = (collateral.revocationAnswers ?? []).map((encoded) =>
    readOrRefuse(check, 'gpu-answer-unreadable', () => parseRevocationAnswer(fromBase64Url(encoded))),
  );
  const findings: (RevocationFinding | null)[] = [];
  // Chips of one sort share their issuers: each certificate is looked at once.
  const certificates = new Map<string, IssuedCertificate>();
  for (const { certificates: chain } of devices) {
    for (const each of listRevocable(chain)) certificates.set(toHex(each.certificate.raw), each);
  }
  for (const each of certificates.values()) findings.push(await findWhatCounts(answers, each, nowMs));

  if (findings.every((finding) => finding === 'good')) {
    return enforced(check, 'gpu-revoked-none');
  }
  const [code, detail] = findings.includes(null)
    ? (['collateral-missing', missing] as const)
    : findings.includes('unknown')
      ? (['collateral-missing', unknown] as const)
      : (['outdated-collateral', stale] as const);
  return policy.requireGpuRevocation ? refuse(code, check, detail) : notOffered(check, detail);
}

/** Picks one finding from all answers about one certificate; a fresh one outweighs a stale one. @returns null for none. */
async function findWhatCounts(
  answers: readonly RevocationAnswer[],
  { certificate, issuer }: IssuedCertificate,
  nowMs: number,
): Promise<RevocationFinding | null> {
  const found = new Set<RevocationFinding>();
  for (const answer of answers) {
    const finding = await verifyRevocationAnswer({ answer, certificate, issuer, nowMs, check });
    if (finding !== null) found.add(finding);
  }
  return (['unknown', 'good', 'stale'] as const).find((finding) => found.has(finding)) ?? null;
}
