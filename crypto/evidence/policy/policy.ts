import * as v from 'valibot';
import { machineKinds } from '../../protocol/messages/evidence-messages.ts';
import { protectionLevel } from '../../protocol/protection-level.ts';
import { bytesField, countField, hashField, modelField } from '../../protocol/messages/fields.ts';

/** A SHA-384 measurement as vendors print it. */
const measurementField = v.pipe(v.string(), v.regex(/^[0-9a-f]{96}$/));
const durationField = v.pipe(countField(31_536_000_000), v.minValue(1));
const idText = v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[!-~]+$/));
/** SHA-256 of root certificates (DER) to trust in place of the vendor's own; null: the vendor's, pinned in the code. */
const rootsField = v.nullable(v.pipe(v.array(hashField), v.minLength(1), v.maxLength(8)));

/** A release of the enclave: its image, and what each kind of machine measures when it runs it. */
export const releaseEntry = v.strictObject({
  version: v.pipe(v.string(), v.regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/)),
  /** Where its manifest and sources can be read. */
  url: v.pipe(v.string(), v.maxLength(512), v.regex(/^https:\/\/[!-~]+$/)),
  imageDigest: hashField,
  sevSnp: v.pipe(v.array(measurementField), v.maxLength(32)),
  tdx: v.pipe(
    v.array(v.strictObject({ mrTd: measurementField, rtMrs: v.pipe(v.array(measurementField), v.length(4)) })),
    v.maxLength(32),
  ),
});

const tcbLevel = v.strictObject({
  bootLoader: countField(255),
  tee: countField(255),
  snp: countField(255),
  microcode: countField(255),
});
const sevSnpPolicy = v.strictObject({
  roots: rootsField,
  /** The least that the firmware of each accepted product must report; a product that is not named is refused. */
  minimumTcb: v.strictObject({
    Milan: v.nullable(tcbLevel),
    Genoa: v.nullable(tcbLevel),
    Turin: v.nullable(v.strictObject({ ...tcbLevel.entries, firmware: countField(255) })),
  }),
  maximumVmpl: countField(3),
  allowSmt: v.boolean(),
});
const tdxPolicy = v.strictObject({
  roots: rootsField,
  tcbStatuses: v.pipe(
    v.array(v.picklist(['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'])),
    v.minLength(1),
  ),
  minimumTcbEvaluationDataNumber: countField(100_000),
});
const formerNvidiaGpuEntries = {
  roots: rootsField,
  architectures: v.pipe(v.array(v.picklist(['HOPPER', 'BLACKWELL'])), v.minLength(1)),
  /** For example `535.104.5`, compared number by number. */
  minimumDriverVersion: v.pipe(v.string(), v.regex(/^\d{1,5}(\.\d{1,5}){1,3}$/)),
};
/** NVIDIA prints it as `96.00.A5.00.01`; it is compared part by part as hexadecimal. null: any. */
const vbiosField = v.nullable(v.pipe(v.string(), v.regex(/^[0-9A-F]{2}(\.[0-9A-F]{2}){4}$/)));
const nvidiaGpuPolicy = v.strictObject({
  ...formerNvidiaGpuEntries,
  /** The least firmware of each architecture, whatever NVIDIA still vouches for. */
  minimumVbiosVersion: v.strictObject({ HOPPER: vbiosField, BLACKWELL: vbiosField }),
  /** NVIDIA must have answered lately that no certificate of a GPU is revoked. A revoked one always refuses. */
  requireGpuRevocation: v.boolean(),
});
const modalPolicy = v.strictObject({
  registrarPublicKey: bytesField(32),
  /** The origin of the registrar's public log, as in its checkpoints. */
  logOrigin: v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[!-*,-~]+$/)),
  logPublicKey: bytesField(32),
  workspaceId: idText,
  environmentId: idText,
  appId: idText,
  functionId: idText,
});

const formerEntries = {
  allowedKinds: v.pipe(v.array(v.picklist(machineKinds)), v.minLength(1)),
  /** Models and the digests of their weights; a null digest list accepts an engine that cannot show its weights. */
  models: v.nullable(
    v.pipe(
      v.array(v.strictObject({ model: modelField, weightsDigests: v.nullable(v.array(hashField)) })),
      v.minLength(1),
    ),
  ),
  /** A person may lower a minimum to this level at most; nothing below it is ever sent to. */
  minimum: protectionLevel,
  /** Longest time for which evidence may say that it holds. */
  maximumEvidenceAgeMs: durationField,
  /** Hardware evidence must be made for the client's very nonce. */
  requireNonceInReport: v.boolean(),
  releases: v.pipe(v.array(releaseEntry), v.maxLength(64)),
  /** A kind whose section is null is refused, whatever `allowedKinds` says. */
  modal: v.nullable(modalPolicy),
  sevSnp: v.nullable(sevSnpPolicy),
  tdx: v.nullable(tdxPolicy),
};

/**
 * A client accepts this (SPEC.md §9.4). Compiled into the client, never sent by a relay. Every field must be there: a missing
 * one refuses, it does not mean "anything". Where anything is meant, `null` says so.
 */
export const enclavePolicy = v.strictObject({
  format: v.literal(3),
  ...formerEntries,
  nvidiaGpu: v.nullable(nvidiaGpuPolicy),
  /** How far an enclave's clock may lie from the client's, where somebody vouches for the enclave. */
  maximumClockDifferenceMs: durationField,
});
/** A policy as documents hold it: those of earlier builds, of format 2, say nothing about clocks, VBIOS and revoked GPUs. */
export const documentedPolicy = v.variant('format', [
  enclavePolicy,
  v.strictObject({
    format: v.literal(2),
    ...formerEntries,
    nvidiaGpu: v.nullable(v.strictObject(formerNvidiaGpuEntries)),
  }),
]);
export type EnclavePolicy = v.InferOutput<typeof enclavePolicy>;
export type Release = v.InferOutput<typeof releaseEntry>;
export type SevSnpPolicy = v.InferOutput<typeof sevSnpPolicy>;
export type TdxPolicy = v.InferOutput<typeof tdxPolicy>;
export type NvidiaGpuPolicy = v.InferOutput<typeof nvidiaGpuPolicy>;
export type ModalPolicy = v.InferOutput<typeof modalPolicy>;
