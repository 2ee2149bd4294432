import * as v from 'valibot';
import { bytesField, countField, hashField, timeMsField } from './fields.ts';

/** Kinds that vouch for the machine and name the identity key; one of them begins every list of evidence. */
export const machineKinds = ['development', 'modal', 'sev-snp', 'tdx'] as const;
export const evidenceKinds = [...machineKinds, 'nvidia-gpu'] as const;

/** Machine and device evidence is bound to these (SPEC.md §9.5). */
const bindingEntries = {
  identityPublicKey: bytesField(32),
  /** The enclave's own, renewed with the evidence; the client's nonce where that was asked for. */
  freshness: hashField,
  notAfterMs: timeMsField,
  /** SHA-256 of the worker's bundled file. */
  imageDigest: hashField,
};
const certificateField = bytesField(1, 8192);
const certificates = v.pipe(v.array(certificateField), v.minLength(1), v.maxLength(8));

/** Claims nothing: the identity key, stated by the machine itself. */
export const developmentEvidence = v.strictObject({
  kind: v.literal('development'),
  identityPublicKey: bytesField(32),
});
/** A registrar's statement about the identity key, and its place in the public log (SPEC.md §9.6). */
export const modalEvidence = v.strictObject({
  kind: v.literal('modal'),
  identityPublicKey: bytesField(32),
  /** Canonical JSON of `registrarStatement`. */
  statement: bytesField(1, 4096),
  signature: bytesField(64),
  /** C2SP signed checkpoint of the log, as text. */
  checkpoint: v.pipe(v.string(), v.minLength(1), v.maxLength(2048)),
  leafIndex: countField(),
  /** Siblings from the leaf to the root. */
  inclusionProof: v.pipe(v.array(hashField), v.maxLength(63)),
});
/** An AMD attestation report with `report_data` bound to the identity key (SPEC.md §9.7). */
export const sevSnpEvidence = v.strictObject({
  kind: v.literal('sev-snp'),
  ...bindingEntries,
  report: bytesField(1184),
});
/** An Intel TDX quote with its PCK chain inside (SPEC.md §9.8). */
export const tdxEvidence = v.strictObject({ kind: v.literal('tdx'), ...bindingEntries, quote: bytesField(1, 16_384) });
/** SPDM measurement reports of every GPU of the machine (SPEC.md §9.9). */
export const nvidiaGpuEvidence = v.strictObject({
  kind: v.literal('nvidia-gpu'),
  devices: v.pipe(
    v.array(
      v.strictObject({
        architecture: v.picklist(['HOPPER', 'BLACKWELL']),
        /** The SPDM request and the signed response, as the driver gives them. */
        report: bytesField(1, 16_384),
        /** DER, the device's own first. */
        certificates,
      }),
    ),
    v.minLength(1),
    v.maxLength(16),
  ),
});
export const evidenceItem = v.variant('kind', [
  developmentEvidence,
  modalEvidence,
  sevSnpEvidence,
  tdxEvidence,
  nvidiaGpuEvidence,
]);
/** The machine's evidence, and its devices'. */
export const evidenceList = v.pipe(v.array(evidenceItem), v.minLength(1), v.maxLength(2));

const revocationListField = bytesField(1, 65_536);
/** Signed by the vendor, so it may come by way of the relay; believed for its signatures and dates alone. */
export const sevSnpCollateral = v.strictObject({
  kind: v.literal('sev-snp'),
  vcek: certificateField,
  ask: certificateField,
  ark: certificateField,
  /** AMD's revocation list of the product, signed by the ARK. */
  revocationList: v.exactOptional(revocationListField),
});
export const tdxCollateral = v.strictObject({
  kind: v.literal('tdx'),
  /** The very text that Intel signed, of the member `tcbInfo`. */
  tcbInfo: v.pipe(v.string(), v.minLength(2), v.maxLength(131_072)),
  tcbInfoSignature: bytesField(64),
  tcbInfoIssuerChain: certificates,
  /** The very text of the member `enclaveIdentity`. */
  qeIdentity: v.pipe(v.string(), v.minLength(2), v.maxLength(32_768)),
  qeIdentitySignature: bytesField(64),
  qeIdentityIssuerChain: certificates,
  rootCaCrl: revocationListField,
  pckCrl: revocationListField,
  pckCrlIssuerChain: certificates,
});
export const nvidiaGpuCollateral = v.strictObject({
  kind: v.literal('nvidia-gpu'),
  /** NVIDIA's signed reference manifests (SWID tags, XML): driver and VBIOS. */
  referenceManifests: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(262_144))), v.maxLength(8)),
  /** NVIDIA's signed answers (OCSP, DER) about certificates of the GPUs: three a GPU at most. */
  revocationAnswers: v.exactOptional(v.pipe(v.array(bytesField(1, 8192)), v.maxLength(48))),
});
export const collateralItem = v.variant('kind', [sevSnpCollateral, tdxCollateral, nvidiaGpuCollateral]);
export const collateralList = v.pipe(v.array(collateralItem), v.maxLength(2));

/** An OCSP request says this of one certificate (RFC 6960 §4.1.1), its hashes SHA-384. */
const revocationId = v.strictObject({
  issuerNameHash: bytesField(48),
  issuerKeyHash: bytesField(48),
  serialNumber: bytesField(1, 20),
});
/** The worker asks the relay to fetch these for a client, from the vendors' public services. */
export const collateralNeed = v.variant('kind', [
  v.strictObject({
    kind: v.literal('sev-snp'),
    product: v.picklist(['Milan', 'Genoa', 'Turin']),
    chipId: bytesField(8, 64),
    tcb: v.strictObject({
      bootLoader: countField(255),
      tee: countField(255),
      snp: countField(255),
      microcode: countField(255),
      /** Turin and later only. */
      firmware: v.nullable(countField(255)),
    }),
  }),
  v.strictObject({
    kind: v.literal('tdx'),
    fmspc: v.pipe(v.string(), v.length(12), v.regex(/^[0-9a-f]+$/)),
    ca: v.picklist(['platform', 'processor']),
  }),
  v.strictObject({
    kind: v.literal('nvidia-gpu'),
    manifestIds: v.pipe(
      v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[A-Za-z0-9._-]+$/))),
      v.minLength(1),
      v.maxLength(8),
    ),
    revocationIds: v.exactOptional(v.pipe(v.array(revocationId), v.minLength(1), v.maxLength(48))),
  }),
]);
export const collateralNeeds = v.pipe(v.array(collateralNeed), v.maxLength(2));

/** A registrar signs this of an enclave on Modal, as canonical JSON (SPEC.md §9.6). */
const modalIdField = v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[!-~]+$/));
export const registrarStatement = v.strictObject({
  format: v.literal(1),
  platform: v.literal('modal'),
  identityPublicKey: bytesField(32),
  workspaceId: modalIdField,
  environmentId: modalIdField,
  appId: modalIdField,
  functionId: modalIdField,
  containerId: modalIdField,
  issuedAtMs: timeMsField,
  notAfterMs: timeMsField,
});

export type MachineKind = (typeof machineKinds)[number];
export type EvidenceKind = (typeof evidenceKinds)[number];
export type EvidenceItem = v.InferOutput<typeof evidenceItem>;
export type ModalEvidence = v.InferOutput<typeof modalEvidence>;
export type SevSnpEvidence = v.InferOutput<typeof sevSnpEvidence>;
export type TdxEvidence = v.InferOutput<typeof tdxEvidence>;
export type NvidiaGpuEvidence = v.InferOutput<typeof nvidiaGpuEvidence>;
export type CollateralItem = v.InferOutput<typeof collateralItem>;
export type SevSnpCollateral = v.InferOutput<typeof sevSnpCollateral>;
export type TdxCollateral = v.InferOutput<typeof tdxCollateral>;
export type NvidiaGpuCollateral = v.InferOutput<typeof nvidiaGpuCollateral>;
export type RevocationId = v.InferOutput<typeof revocationId>;
export type CollateralNeed = v.InferOutput<typeof collateralNeed>;
export type RegistrarStatement = v.InferOutput<typeof registrarStatement>;
