import { type Bytes, equalBytes, fromBase64Url } from '../../protocol/bytes/bytes.ts';
import { type CheckCode, enforced, refuse, type VerificationStep } from '../policy/evidence-step.ts';
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
  const check = 'tdx-certificate';
  const [pck, authority, root] = chain;
  if (pck.subjectCommonName !== 'Intel SGX PCK Certificate' || pck.isCa || nameAuthority(authority) === null) {
    refuse('chain', check, 'not-processor-certificates');
  }
  await verifyChain({ check, certificates: chain, rootDigests, nowMs, crls: [rootCaCrl, pckCrl] });
  if (!equalBytes(rootCaCrl.issuer, root.subject) || !equalBytes(pckCrl.issuer, authority.subject)) {
    refuse('chain', check, 'lists-of-other-chain');
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
    refuse('chain', check, 'list-of-other-authority');
  }
  await verifyChain({ check, certificates: pckCrlIssuerChain, rootDigests, nowMs, crls: [rootCaCrl] });
  steps.push(enforced(check, 'issued-by-intel'));
}

/**
 * Believes the key that signs Intel's documents about firmware.
 *
 * @returns its certificate.
 * @throws {EvidenceRefused} as above.
 */
export async function verifySigningChain(
  input: Omit<ChainInput, 'steps'> & {
    readonly check: CheckCode;
    readonly chain: readonly Certificate[];
    readonly rootCaCrl: RevocationList;
  },
): Promise<Certificate> {
  const { check, chain, rootCaCrl, rootDigests, nowMs } = input;
  const [signer, root, ...others] = chain;
  const isSigner = signer?.subjectCommonName === 'Intel SGX TCB Signing' && !signer.isCa;
  if (!isSigner || root === undefined || others.length > 0) {
    refuse('chain', check, 'not-signing-certificates');
  }
  await verifyChain({ check, certificates: chain, rootDigests, nowMs, crls: [rootCaCrl] });
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
