import { deriveGpuNonce, deriveReportData, type EvidenceBinding } from '../../../crypto/evidence/binding.ts';
import { generateIdentityKeyPair, type IdentityKeyPair } from '../../../crypto/evidence/key-statement.ts';
import { type EnclavePolicy, enclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import type { Attestation, PlainStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type {
  CollateralItem,
  EvidenceItem,
  NvidiaGpuCollateral,
  NvidiaGpuEvidence,
} from '../../../crypto/protocol/messages/evidence-messages.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { type Bytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import * as v from 'valibot';
import { testNowMs } from './vendors/certificate-maker.ts';
import { makeStatementPart } from './statement-part.ts';

type MachinePart = { kind: 'sev-snp'; report: string } | { kind: 'tdx'; quote: string };
export type HardwareAttestation = Omit<Attestation, 'status'>;

/** The image that `hardwarePolicy` lists. */
export const testImageDigest: Bytes = new Uint8Array(32).fill(0x51);

/** A whole answer of an enclave on a test machine: identity, binding, evidence, key statement. */
export async function makeHardwareAttestation(input: {
  /** The client's (32). */
  readonly nonce: Uint8Array;
  /** A machine part's `makeEvidence`. */
  readonly machine: (expected: Bytes) => { evidence: MachinePart; collateral: CollateralItem };
  readonly devices?: (gpuNonce: Bytes) => { evidence: NvidiaGpuEvidence; collateral: NvidiaGpuCollateral };
  readonly identity?: IdentityKeyPair;
  readonly binding?: Partial<EvidenceBinding>;
  readonly statement?: Partial<PlainStatement>;
}): Promise<HardwareAttestation> {
  await aeadReady();
  const { nonce, machine, identity = generateIdentityKeyPair() } = input;
  const binding: EvidenceBinding = {
    identityPublicKey: identity.publicKey,
    freshness: new Uint8Array(32).fill(7),
    notAfterMs: testNowMs + 3_600_000,
    imageDigest: testImageDigest,
    ...input.binding,
  };
  const device = input.devices?.(deriveGpuNonce(binding));
  const { evidence, collateral } = machine(deriveReportData(binding, device?.evidence.devices ?? []));
  const bound: EvidenceItem = {
    ...evidence,
    identityPublicKey: toBase64Url(binding.identityPublicKey),
    freshness: toBase64Url(binding.freshness),
    notAfterMs: binding.notAfterMs,
    imageDigest: toBase64Url(binding.imageDigest),
  };
  return {
    format: 1,
    evidence: device === undefined ? [bound] : [bound, device.evidence],
    collateral: device === undefined ? [collateral] : [collateral, device.collateral],
    ...makeStatementPart({ nonce, identity, changes: input.statement }),
  };
}

/** Accepts hardware alone; one release, of `testImageDigest`, with the measurements given. */
export function hardwarePolicy(
  changes: Partial<EnclavePolicy> & { readonly measured: Pick<EnclavePolicy['releases'][number], 'sevSnp' | 'tdx'> },
): EnclavePolicy {
  const { measured, ...rest } = changes;
  return v.parse(enclavePolicy, {
    format: 3,
    allowedKinds: ['sev-snp', 'tdx'],
    models: null,
    minimum: 'hardware',
    maximumEvidenceAgeMs: 7_200_000,
    maximumClockDifferenceMs: 86_400_000,
    requireNonceInReport: false,
    releases: [
      {
        version: '1.0.0-test',
        url: 'https://releases.example/1.0.0-test',
        imageDigest: toBase64Url(testImageDigest),
        ...measured,
      },
    ],
    modal: null,
    sevSnp: null,
    tdx: null,
    nvidiaGpu: null,
    ...rest,
  });
}
