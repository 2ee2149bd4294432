import type { NvidiaGpuEvidence } from '../../../protocol/messages/evidence-messages.ts';
import { type Bytes, equalBytes, fromBase64Url } from '../../../protocol/bytes/bytes.ts';
import { refuse } from '../../policy/evidence-step.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { verifySignature } from '../../x509/signature.ts';
import { verifyChain } from '../../x509/verify-chain.ts';
import { readCertifiedFirmware } from './firmware-identity.ts';
import { type GpuReport, parseGpuReport } from './gpu-report.ts';
import { nameChip } from './manifest-ids.ts';
import { readOrRefuse } from '../../policy/read-or-refuse.ts';

/** One GPU as it came, read but not yet believed. */
export type GpuDevice = {
  readonly architecture: 'HOPPER' | 'BLACKWELL';
  /** The chip's name in its reference manifests. */
  readonly chip: string;
  readonly report: GpuReport;
  readonly certificates: readonly Certificate[];
  /** The one that signs reports, under the firmware that runs. */
  readonly leaf: Certificate;
  /** The one that is burnt into the chip. */
  readonly chipCertificate: Certificate;
};

/** Firmware, chip, provisioner, architecture, root (NVIDIA nvtrust, MAX_CERT_CHAIN_LENGTH). */
const chainLength = 5;

/** Reads reports and certificates; nothing is verified yet. @throws {EvidenceRefused} for what cannot be read. */
export function readDevices(devices: NvidiaGpuEvidence['devices']): GpuDevice[] {
  return devices.map(({ architecture, report: encoded, certificates: encodedCertificates }) => {
    const report = readOrRefuse('gpu-evidence', 'gpu-report-unreadable', () => parseGpuReport(fromBase64Url(encoded)));
    const certificates = readOrRefuse('gpu-evidence', 'gpu-certificate-unreadable', () =>
      encodedCertificates.map((der) => parseCertificate(fromBase64Url(der))),
    );
    const [leaf, chipCertificate] = certificates;
    if (leaf === undefined || chipCertificate === undefined || certificates.length !== chainLength) {
      refuse('chain', 'gpu-certificates', 'not-gpu-certificates');
    }
    return { architecture, chip: nameChip(architecture, report), report, certificates, leaf, chipCertificate };
  });
}

/** Each GPU is one of NVIDIA's, of the architecture that it is said to be, and there once. */
export async function verifyIdentities(devices: readonly GpuDevice[], roots: readonly Bytes[], nowMs: number) {
  for (const { architecture, certificates, leaf, chipCertificate } of devices) {
    await verifyChain({ check: 'gpu-certificates', certificates, rootDigests: roots, nowMs });
    if (leaf.isCa) refuse('chain', 'gpu-certificates', 'gpu-key-of-authority');
    // `GH100 A01 GSP BROM`, `GB100 A01 GSP BROM`: what NVIDIA calls the hardware model.
    const prefix = architecture === 'HOPPER' ? 'GH' : 'GB';
    if (chipCertificate.subjectCommonName?.startsWith(prefix) !== true) {
      refuse('wrong-machine', 'gpu-certificates', 'gpu-of-other-architecture');
    }
  }
  for (const keyOf of [
    ({ leaf }: GpuDevice) => leaf.subjectPublicKeyInfo,
    ({ chipCertificate }: GpuDevice) => chipCertificate.subjectPublicKeyInfo,
  ]) {
    const isTwice = devices.some((device, index) =>
      devices.slice(index + 1).some((other) => equalBytes(keyOf(device), keyOf(other))),
    );
    if (isTwice) refuse('wrong-machine', 'gpu-certificates', 'gpu-twice');
  }
}

/** The firmware that each report names is the one that its key was certified for. @returns whether all name one. */
export function verifyFirmwareIdentities(devices: readonly GpuDevice[]): boolean {
  for (const { architecture, leaf, report } of devices) {
    if (report.firmwareId === null) continue;
    const certified = readOrRefuse('gpu-firmware', 'gpu-firmware-unreadable', () =>
      readCertifiedFirmware(leaf, architecture),
    );
    if (certified === null || !equalBytes(certified, report.firmwareId)) {
      refuse('chain', 'gpu-firmware', 'gpu-firmware-of-other-certificate');
    }
  }
  return devices.every(({ report }) => report.firmwareId !== null);
}

/** @throws {EvidenceRefused} `signature` where a report is not signed by the key of its own chain's leaf. */
export async function verifyReportSignatures(devices: readonly GpuDevice[]): Promise<void> {
  for (const { leaf, report } of devices) {
    const isSigned = await verifySignature({
      subjectPublicKeyInfo: leaf.subjectPublicKeyInfo,
      algorithm: 'ecdsa-p384-sha384',
      signature: report.signature,
      message: report.signed,
    });
    if (!isSigned) refuse('signature', 'gpu-signature', 'gpu-report-not-signed');
  }
}
