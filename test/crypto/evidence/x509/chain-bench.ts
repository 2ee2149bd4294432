import { EvidenceRefused } from '../../../../crypto/evidence/policy/evidence-step.ts';
import { parseCertificate } from '../../../../crypto/evidence/x509/certificate.ts';
import { parseRevocationList } from '../../../../crypto/evidence/x509/revocation-list.ts';
import { verifyChain } from '../../../../crypto/evidence/x509/verify-chain.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { sha256 } from '../../../../crypto/protocol/bytes/hash.ts';
import {
  caExtensions,
  type CertificateRequest,
  type KeyKind,
  leafExtensions,
  makeCertificate,
  makeKeys,
  makeRevocationList,
  type RevocationListRequest,
  testNowMs,
} from '../../../parts/evidence/vendors/certificate-maker.ts';

export type Der = Uint8Array<ArrayBuffer>;
export type Requests = Record<'leaf' | 'middle' | 'root', Partial<CertificateRequest>>;

/** A chain of three whose keys are of these kinds. */
export function makePki(kinds: readonly [KeyKind, KeyKind, KeyKind] = ['p256', 'p384', 'p384']) {
  const [leafKeys, middleKeys, rootKeys] = [makeKeys(kinds[0]), makeKeys(kinds[1]), makeKeys(kinds[2])];
  const root = makeCertificate({ subject: 'Root', keys: rootKeys, extensions: caExtensions() });
  const chain = (requests: Partial<Requests> = {}): Der[] => [
    makeCertificate({
      subject: 'Leaf',
      issuer: 'Middle',
      keys: leafKeys,
      signer: middleKeys,
      serialNumber: 300,
      extensions: leafExtensions(),
      ...requests.leaf,
    }),
    makeCertificate({
      subject: 'Middle',
      issuer: 'Root',
      keys: middleKeys,
      signer: rootKeys,
      serialNumber: 200,
      extensions: caExtensions(0),
      ...requests.middle,
    }),
    requests.root === undefined
      ? root
      : makeCertificate({ subject: 'Root', keys: rootKeys, extensions: caExtensions(), ...requests.root }),
  ];
  const list = (changes: Partial<RevocationListRequest> = {}) =>
    makeRevocationList({ issuer: 'Root', signer: rootKeys, ...changes });
  return { chain, list, root, leafKeys, middleKeys, rootKeys };
}

export const pki = makePki();
export const other = makePki();

export async function verdict(
  chain: readonly Der[],
  changes: { rootDigests?: Der[]; nowMs?: number; lists?: Der[]; understood?: string[] } = {},
): Promise<string> {
  try {
    await verifyChain({
      check: 'snp-certificates',
      certificates: chain.map((der) => parseCertificate(der)),
      rootDigests: changes.rootDigests ?? chain.slice(-1).map((der) => sha256(der)),
      nowMs: changes.nowMs ?? testNowMs,
      crls: (changes.lists ?? []).map((der) => parseRevocationList(der)),
      understood: changes.understood ?? [],
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof EvidenceRefused || error instanceof CryptoError) return error.code;
    throw error;
  }
}
