import { createHash, randomBytes } from 'node:crypto';
import type { NvidiaGpuPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { NvidiaGpuCollateral, NvidiaGpuEvidence } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import {
  caExtensions,
  type CertificateRequest,
  certificateDigest,
  extension,
  type KeyPair,
  leafExtensions,
  makeCertificate,
  makeKeys,
  publicKeyInfo,
  testNowMs,
  toPem,
  yearMs,
} from '../vendors/certificate-maker.ts';
import { der, integer, octetString, oid, sequence } from '../vendors/der-writer.ts';
import { makeManifest, type ManifestMeasurement, type ManifestRequest, usualSignature } from './nvidia-manifest.ts';
import {
  type GpuReportFields,
  type Measured,
  noFaults,
  signReport,
  usualHeads,
  vbiosBytes,
  writeReport,
  zeroEnded,
} from './nvidia-report.ts';

/** A machine with NVIDIA GPUs of our own: device root, manifest root, GPUs, driver and VBIOS, with any fault one asks for. */
export type Architecture = 'HOPPER' | 'BLACKWELL';
type Der = Uint8Array<ArrayBuffer>;
type ChainPart = 'leaf' | 'chip' | 'provisioner' | 'identity' | 'root';
/** Faults of the first GPU alone, unless told; each leaves the rest as it should be. */
export type GpuFaults = {
  readonly report?: Partial<GpuReportFields>;
  /** By type; null leaves one out. */
  readonly opaqueFields?: Readonly<Record<number, Uint8Array | null>>;
  /** By index; null leaves one out. */
  readonly measurements?: Readonly<Record<number, Uint8Array | null>>;
  readonly beforeSigning?: (report: Der) => Uint8Array;
  readonly afterSigning?: (report: Der) => Uint8Array;
  readonly signer?: KeyPair;
  readonly certificates?: Partial<Record<ChainPart, Partial<CertificateRequest>>>;
  readonly chain?: (certificates: readonly Der[]) => readonly Uint8Array[];
  readonly architecture?: Architecture;
};
export type NvidiaFaults = GpuFaults & {
  readonly allGpus?: boolean;
  readonly devices?: (devices: NvidiaGpuEvidence['devices']) => NvidiaGpuEvidence['devices'];
  readonly driver?: Partial<ManifestRequest>;
  readonly vbios?: Partial<ManifestRequest>;
  readonly manifestCertificates?: Partial<Record<'leaf' | 'third' | 'second' | 'root', Partial<CertificateRequest>>>;
  readonly manifests?: (texts: readonly string[]) => readonly string[];
};

export const driverVersion = '580.95.05';
const driverIndices = [7, ...Array.from({ length: 20 }, (_, index) => index + 21)];
const vbiosIndices = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12];
export const sha384Of = (text: string) => Uint8Array.from(createHash('sha384').update(text).digest());
/** Every GPU measures this; index 35 only where it has a decoder. */
export const usualDigest = (index: number) => sha384Of(`measurement ${index}`);

/** The firmware's digest in a certificate: composite device id (Hopper) or TCB info (Blackwell). */
export function firmwareExtension(architecture: Architecture, firmwareId: Uint8Array, chip: KeyPair): Der {
  const digest = sequence(oid('2.16.840.1.101.3.4.2.2'), octetString(firmwareId));
  if (architecture === 'HOPPER') {
    return extension('2.23.133.5.4.1', false, sequence(integer(1), publicKeyInfo(chip), digest));
  }
  const zero = sequence(oid('2.16.840.1.101.3.4.2.2'), octetString(new Uint8Array(48)));
  const members = [der(0x80, Buffer.from('NVIDIA')), der(0x83, Uint8Array.of(1)), der(0xa6, digest, zero)];
  return extension('2.23.133.5.4.1.1', false, sequence(...members));
}

export type NvidiaMachine = ReturnType<typeof makeNvidiaMachine>;

/** @param options.gpus - 1 to 16. */
export function makeNvidiaMachine(options: { gpus?: number; architecture?: Architecture } = {}) {
  const { gpus = 1, architecture = 'HOPPER' } = options;
  const chipName = architecture === 'HOPPER' ? 'GH100' : 'GB100';
  const vbiosVersion = architecture === 'HOPPER' ? '96.00.A5.00.01' : '97.00.88.00.0F';
  const keys = { root: makeKeys('p384'), identity: makeKeys('p384'), provisioner: makeKeys('p384') };
  const manifestKeys = Array.from({ length: 4 }, () => makeKeys('p384'));
  const [manifestRootKeys, secondKeys, thirdKeys, manifestSigner] = manifestKeys;
  const root = makeCertificate({ subject: 'Test Device Identity CA', keys: keys.root, extensions: caExtensions() });
  const manifestRoot = makeCertificate({
    subject: 'Test CoRIM signing Root CA',
    keys: manifestRootKeys!,
    extensions: caExtensions(),
  });
  const units = Array.from({ length: gpus }, () => ({
    chip: makeKeys('p384'),
    leaf: makeKeys('p384'),
    serial: randomBytes(8).toString('hex'),
    firmwareId: Uint8Array.from(randomBytes(48)),
  }));
  type Unit = (typeof units)[number];

  function makeChain(unit: Unit, faults: GpuFaults): readonly Uint8Array[] {
    const names = {
      identity: `TEST ${chipName} Identity`,
      provisioner: `TEST ${chipName} Provisioner ICA 1`,
      chip: `${chipName} A01 GSP BROM`,
    };
    const forever = { notBefore: testNowMs - 3 * yearMs, notAfter: Date.UTC(9999, 11, 31, 23, 59, 59) };
    const certificates = [
      makeCertificate({
        subject: `${chipName} A01 GSP FMC LF`,
        issuer: names.chip,
        keys: unit.leaf,
        signer: unit.chip,
        extensions: [leafExtensions()[1]!, firmwareExtension(architecture, unit.firmwareId, unit.chip)],
        ...forever,
        ...faults.certificates?.leaf,
      }),
      makeCertificate({
        subject: names.chip,
        issuer: names.provisioner,
        keys: unit.chip,
        signer: keys.provisioner,
        serialNumber: Buffer.from(unit.serial, 'hex'),
        extensions: caExtensions(),
        ...forever,
        ...faults.certificates?.chip,
      }),
      makeCertificate({
        subject: names.provisioner,
        issuer: names.identity,
        keys: keys.provisioner,
        signer: keys.identity,
        extensions: caExtensions(),
        ...forever,
        ...faults.certificates?.provisioner,
      }),
      makeCertificate({
        subject: names.identity,
        issuer: 'Test Device Identity CA',
        keys: keys.identity,
        signer: keys.root,
        extensions: caExtensions(),
        ...forever,
        ...faults.certificates?.identity,
      }),
      faults.certificates?.root === undefined
        ? root
        : makeCertificate({
            subject: 'Test Device Identity CA',
            keys: keys.root,
            extensions: caExtensions(),
            ...faults.certificates.root,
          }),
    ];
    return faults.chain?.(certificates) ?? certificates;
  }

  function makeReport(unit: Unit, expected: Uint8Array, faults: GpuFaults): Uint8Array {
    const opaque = new Map<number, Uint8Array | null>([
      [6, vbiosBytes(vbiosVersion)],
      [14, Uint8Array.of(0x37, 4, 0, 0)],
      [15, zeroEnded('885', 9)],
      [17, zeroEnded('G520')],
      [18, zeroEnded('0200')],
      [19, new Uint8Array(2)],
      [3, zeroEnded(driverVersion)],
      [11, Uint8Array.of(0x55)],
      [20, unit.firmwareId],
      [21, Uint8Array.of(0x55)],
      [34, Uint8Array.of(1, 0)],
      ...(architecture === 'BLACKWELL' ? ([[35, zeroEnded(chipName, 16)]] as const) : []),
      [36, Uint8Array.of(0, 0)],
    ]);
    for (const [type, value] of Object.entries(faults.opaqueFields ?? {})) opaque.set(Number(type), value);
    const changed = faults.measurements ?? {};
    const measurements = Array.from({ length: 64 }, (_, index): Measured | null => {
      const digest = index in changed ? changed[index]! : index === 35 ? new Uint8Array(48) : usualDigest(index);
      return digest === null ? null : { index, digest };
    }).filter((measured) => measured !== null);
    const unsigned = writeReport({
      ...usualHeads,
      ...noFaults,
      nonce: expected,
      measurements,
      opaqueFields: [...opaque].filter((entry): entry is [number, Uint8Array] => entry[1] !== null),
      ...faults.report,
    });
    const toSign = Uint8Array.from(faults.beforeSigning?.(unsigned) ?? unsigned);
    const signed = signReport(toSign, faults.signer ?? unit.leaf);
    return faults.afterSigning?.(signed) ?? signed;
  }

  function makeManifests(faults: NvidiaFaults): readonly string[] {
    const changes = faults.manifestCertificates ?? {};
    const chain = [
      makeCertificate({
        subject: 'TEST RIM L4 Signer',
        issuer: 'TEST Reference Value L3',
        keys: manifestSigner!,
        signer: thirdKeys!,
        extensions: leafExtensions(),
        ...changes.leaf,
      }),
      makeCertificate({
        subject: 'TEST Reference Value L3',
        issuer: 'TEST Reference Value CA',
        keys: thirdKeys!,
        signer: secondKeys!,
        extensions: caExtensions(0),
        ...changes.third,
      }),
      makeCertificate({
        subject: 'TEST Reference Value CA',
        issuer: 'Test CoRIM signing Root CA',
        keys: secondKeys!,
        signer: manifestRootKeys!,
        extensions: caExtensions(),
        ...changes.second,
      }),
      changes.root === undefined
        ? manifestRoot
        : makeCertificate({
            subject: 'Test CoRIM signing Root CA',
            keys: manifestRootKeys!,
            extensions: caExtensions(),
            ...changes.root,
          }),
    ];
    const common = { ...usualSignature, product: chipName, chain, signer: manifestSigner! };
    const rowsOf = (indices: readonly number[]) => Array.from({ length: 64 }, (_, index) => usualRow(index, indices));
    const texts = [
      makeManifest({ ...common, version: driverVersion, measurements: rowsOf(driverIndices), ...faults.driver }),
      makeManifest({ ...common, version: vbiosVersion, measurements: rowsOf(vbiosIndices), ...faults.vbios }),
    ];
    return faults.manifests?.(texts) ?? texts;
  }

  const roots = [root, manifestRoot].map(certificateDigest);
  return {
    gpus,
    architecture,
    rootDigests: roots,
    /** The section `nvidiaGpu` of a policy that accepts this machine. */
    policy: {
      roots,
      architectures: [architecture],
      minimumDriverVersion: '550.0',
      minimumVbiosVersion: { HOPPER: null, BLACKWELL: null },
      requireGpuRevocation: false,
    } satisfies NvidiaGpuPolicy,
    chipKeys: units.map(({ chip }) => chip),
    leafKeys: units.map(({ leaf }) => leaf),
    rows: { driver: driverIndices, vbios: vbiosIndices },
    versions: { driver: driverVersion, vbios: vbiosVersion },
    /** The keys that issued the chips' certificates, and from there on to the root. */
    issuerKeys: [keys.provisioner, keys.identity, keys.root] as const,
    firmwareIds: units.map(({ firmwareId }) => firmwareId),
    makeManifests,
    makeEvidence({ expected, ...faults }: NvidiaFaults & { readonly expected: Uint8Array }) {
      const devices = units.map((unit, index) => {
        const own = index === 0 || faults.allGpus === true ? faults : {};
        return {
          architecture: own.architecture ?? architecture,
          report: toBase64Url(makeReport(unit, expected, own)),
          certificates: makeChain(unit, own).map(toBase64Url),
        };
      });
      const evidence: NvidiaGpuEvidence = { kind: 'nvidia-gpu', devices: faults.devices?.(devices) ?? devices };
      const collateral: NvidiaGpuCollateral = { kind: 'nvidia-gpu', referenceManifests: [...makeManifests(faults)] };
      return { evidence, collateral };
    },
    /** Prints what `nvattest collect-evidence --format json` does on this machine, asked with `nonce`. */
    printToolOutput(nonce: Uint8Array): string {
      const evidences = units.map((unit) => ({
        arch: architecture,
        certificate: Buffer.from(
          makeChain(unit, {})
            .map((certificate) => toPem(Uint8Array.from(certificate)))
            .join(''),
        ).toString('base64'),
        evidence: Buffer.from(makeReport(unit, nonce, {})).toString('base64'),
        nonce: Buffer.from(nonce).toString('hex'),
      }));
      return `${JSON.stringify({ evidences, result_code: 0, result_message: 'Ok' }, null, 4)}\n`;
    },
  };
}

/** Inactive rows hold zeros, as NVIDIA's do; an active one names a second value too, where its index is even. */
export function usualRow(index: number, active: readonly number[]): ManifestMeasurement {
  if (!active.includes(index)) return { index, active: 'False', digests: ['0'.repeat(96)] };
  const digest = Buffer.from(usualDigest(index)).toString('hex');
  const other = Buffer.from(sha384Of(`other ${index}`)).toString('hex');
  return { index, digests: index % 2 === 0 ? [other, digest] : [digest] };
}
