import { deriveGpuNonce, deriveReportData } from '../../../crypto/evidence/binding.ts';
import { joinEvidenceDigests } from '../../../crypto/evidence/evidence-digest.ts';
import type { NvidiaGpuEvidence } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { fromHex, randomBytes, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { withDeterministicRandom } from './given/deterministic-random.ts';

function makeDevice(architecture: 'HOPPER' | 'BLACKWELL', reportLength: number): NvidiaGpuEvidence['devices'][number] {
  const certificates = [toBase64Url(randomBytes(300)), toBase64Url(randomBytes(31))];
  return { architecture, report: toBase64Url(randomBytes(reportLength)), certificates };
}

function makeBinding(notAfterMs: number, devices: NvidiaGpuEvidence['devices'] | []) {
  const [identityPublicKey, freshness, imageDigest] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const binding = { identityPublicKey, freshness, notAfterMs, imageDigest };
  return {
    identityPublicKey: toHex(identityPublicKey),
    freshness: toHex(freshness),
    notAfterMs,
    imageDigest: toHex(imageDigest),
    devices,
    gpuNonce: toHex(deriveGpuNonce(binding)),
    reportData: toHex(deriveReportData(binding, devices)),
  };
}

function makePair() {
  const [first, second] = [toHex(randomBytes(32)), toHex(randomBytes(32))];
  return { first, second, digest: toHex(joinEvidenceDigests(fromHex(first), fromHex(second))) };
}

/** The frozen vectors of SPEC.md §9.4 and §9.5. */
export function makeEvidenceVectors() {
  return withDeterministicRandom('sotto-v1 evidence', () => ({
    about: 'Frozen vectors of crypto/SPEC.md §9.4 and §9.5; bytes are lower-case hex. Made by `npm run vectors`.',
    bindings: [
      makeBinding(1_795_007_200_000, []),
      makeBinding(1, [makeDevice('HOPPER', 1000)]),
      makeBinding(8_640_000_000_000_000, [makeDevice('BLACKWELL', 1), makeDevice('HOPPER', 77)]),
    ],
    pairs: [makePair(), makePair()],
  }));
}
