import { type Bytes, equalBytes, fromBase64Url } from '../../protocol/bytes/bytes.ts';
import { enforced, refuse, type VerificationStep } from '../evidence-step.ts';
import type { TdxCollateral } from '../../protocol/messages/evidence-messages.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { parseRevocationList, type RevocationList } from '../x509/revocation-list.ts';
import { verifyChain } from '../x509/verify-chain.ts';
import { nameAuthority } from './collateral-need.ts';

/** SHA-256 of the "Intel SGX Root CA" (certificates.trustedservices.intel.com, Intel_SGX_Provisioning_Certification_RootCA.cer). */
export const intelRootDigest = '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3';

type ChainInput = {
  readonly rootDigests: readonly Bytes[];
  readonly nowMs: number;
  readonly steps: VerificationStep[];
};

/**
 * Believes the processor's key: PCK, its authority, Intel's root, none of them revoked.
 *
 * @throws {EvidenceRefused} `chain`, `untrusted-root`, `not-yet-valid`, `expired`, `revoked`, `signature`, `outdated-collateral`.
 */
export async function verifyPckChain(
  input: ChainInput & {
    readonly chain: readonly [pck: Certificate, authority: Certificate, root: Certificate];
    readonly rootCaCrl: RevocationList;
    readonly pckCrl: RevocationList;
    readonly pckCrlIssuerChain: readonly Certificate[];
  },
): Promise<void> {
  const { chain, rootCaCrl, pckCrl, pckCrlIssuerChain, rootDigests, nowMs, steps } = input;
  const stepName = "Processor's certificate";
  const [pck, authority, root] = chain;
  if (pck.subjectCommonName !== 'Intel SGX PCK Certificate' || pck.isCa || nameAuthority(authority) === null) {
    refuse('chain', stepName, 'These are not the certificates of an Intel processor.');
  }
  await verifyChain({ stepName, certificates: chain, rootDigests, nowMs, crls: [rootCaCrl, pckCrl] });
  if (!equalBytes(rootCaCrl.issuer, root.subject) || !equalBytes(pckCrl.issuer, authority.subject)) {
    refuse('chain', stepName, 'The revocation lists are not those of this chain.');
  }
  // The list was just verified with the authority in the quote; the chain that came with the list must say the same.
  const [listIssuer, listRoot, ...others] = pckCrlIssuerChain;
  if (
    listIssuer === undefined ||
    listRoot === undefined ||
    others.length > 0 ||
    !equalBytes(listIssuer.subject, authority.subject) ||
    !equalBytes(listIssuer.subjectPublicKeyInfo, authority.subjectPublicKeyInfo)
  ) {
    refuse('chain', stepName, "The revocation list came with another authority's certificates.");
  }
  await verifyChain({ stepName, certificates: pckCrlIssuerChain, rootDigests, nowMs, crls: [rootCaCrl] });
  steps.push(enforced(stepName, "Issued by Intel, checked to Intel's root, and not revoked."));
}

/**
 * Believes the key that signs Intel's documents about firmware.
 *
 * @returns its certificate.
 * @throws {EvidenceRefused} as above.
 */
export async function verifySigningChain(
  input: Omit<ChainInput, 'steps'> & {
    readonly stepName: string;
    readonly chain: readonly Certificate[];
    readonly rootCaCrl: RevocationList;
  },
): Promise<Certificate> {
  const { stepName, chain, rootCaCrl, rootDigests, nowMs } = input;
  const [signer, root, ...others] = chain;
  const isSigner = signer?.subjectCommonName === 'Intel SGX TCB Signing' && !signer.isCa;
  if (!isSigner || root === undefined || others.length > 0) {
    refuse('chain', stepName, "Not the certificates of Intel's signing key.");
  }
  await verifyChain({ stepName, certificates: chain, rootDigests, nowMs, crls: [rootCaCrl] });
  return signer;
}

/** All that is DER in the collateral. @throws {CryptoError} `malformed`, `too-long`. */
export function parseCollateral(collateral: TdxCollateral) {
  const parseChain = (chain: readonly string[]) => chain.map((encoded) => parseCertificate(fromBase64Url(encoded)));
  return {
    tcbInfoIssuerChain: parseChain(collateral.tcbInfoIssuerChain),
    qeIdentityIssuerChain: parseChain(collateral.qeIdentityIssuerChain),
    pckCrlIssuerChain: parseChain(collateral.pckCrlIssuerChain),
    rootCaCrl: parseRevocationList(fromBase64Url(collateral.rootCaCrl)),
    pckCrl: parseRevocationList(fromBase64Url(collateral.pckCrl)),
  };
}
