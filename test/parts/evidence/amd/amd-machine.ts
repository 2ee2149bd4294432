import { randomBytes } from 'node:crypto';
import type { SevSnpPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { SevSnpCollateral } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import {
  caExtensions,
  type CertificateRequest,
  certificateDigest,
  extension,
  type KeyPair,
  makeCertificate,
  makeKeys,
  makeRevocationList,
  type RevocationListRequest,
  signRaw,
} from '../vendors/certificate-maker.ts';
import { ia5String, integer } from '../vendors/der-writer.ts';

/** An AMD machine of our own: root, chip key and reports as AMD 56860 and 57230 have them, with any fault one asks for. */
export type Product = 'Milan' | 'Genoa' | 'Turin';
export type Tcb = { bootLoader: number; tee: number; snp: number; microcode: number; firmware: number };

/** A report says these; bytes that are not named are zero. */
export type ReportFields = {
  version: number;
  guestPolicy: bigint;
  vmpl: number;
  algorithm: number;
  platformInfo: number;
  /** Author key enabled (1), chip key masked (2), signing key (4 × 0 VCEK, 1 VLEK, 7 none). */
  keyInfo: number;
  reportData: Uint8Array;
  measurement: Uint8Array;
  migrationAgentId: Uint8Array;
  cpu: readonly [family: number, model: number, stepping: number] | null;
  chipId: Uint8Array;
  currentTcb: Tcb;
  reportedTcb: Tcb;
  committedTcb: Tcb;
  launchTcb: Tcb;
  /** Build, minor, major. */
  currentAbi: readonly [number, number, number];
  committedAbi: readonly [number, number, number];
};
/** Faults of one answer; each alone leaves the rest as it should be. */
export type SnpFaults = {
  readonly report?: Partial<ReportFields>;
  /** Changes the bytes before they are signed. */
  readonly beforeSigning?: (report: DataView) => void;
  readonly reportSigner?: KeyPair;
  readonly afterSigning?: (report: Uint8Array<ArrayBuffer>) => Uint8Array;
  readonly vcek?: Partial<CertificateRequest>;
  readonly ask?: Partial<CertificateRequest>;
  readonly ark?: Partial<CertificateRequest>;
  /** Extensions of the VCEK by the last arcs of their names; null leaves one out. */
  readonly vcekExtensions?: Readonly<Record<string, Uint8Array<ArrayBuffer> | null>>;
  /** Whole extensions behind AMD's own. */
  readonly moreVcekExtensions?: readonly Uint8Array<ArrayBuffer>[];
  readonly revocationList?: Partial<RevocationListRequest>;
};

const oidPrefix = '1.3.6.1.4.1.3704.1';
const cpus = { Milan: [0x19, 0x01, 1], Genoa: [0x19, 0x11, 1], Turin: [0x1a, 0x02, 1] } as const;
/** SMT allowed, the bit that is always one, interface 1.55. */
export const usualGuestPolicy = 0x3_0137n;
export const minimumTcb = { bootLoader: 3, tee: 1, snp: 20, microcode: 70 } as const;

export type AmdMachine = ReturnType<typeof makeAmdMachine>;
type Authority = { readonly ark: KeyPair; readonly ask: KeyPair; readonly root: Uint8Array<ArrayBuffer> };
const authorities = new Map<Product, Authority>();

/** One test root a product, made when first needed: RSA keys take their time. */
function authorityOf(product: Product): Authority {
  const made = authorities.get(product);
  if (made !== undefined) return made;
  const ark = makeKeys('rsa');
  const root = makeCertificate({ subject: `ARK-${product}`, keys: ark, extensions: caExtensions() });
  const authority = { ark, ask: makeKeys('rsa'), root };
  authorities.set(product, authority);
  return authority;
}

/** Two machines of a product differ in chip and key, and share their root. */
export function makeAmdMachine(product: Product = 'Genoa') {
  const authority = authorityOf(product);
  const chipKeys = makeKeys('p384');
  const chipId = new Uint8Array(64);
  chipId.set(randomBytes(product === 'Turin' ? 8 : 64));
  const measurement = new Uint8Array(randomBytes(48));
  const tcb: Tcb = { bootLoader: 4, tee: 1, snp: 24, microcode: 219, firmware: product === 'Turin' ? 2 : 0 };

  const usualFields: Omit<ReportFields, 'reportData'> = {
    version: product === 'Turin' ? 5 : 3,
    guestPolicy: usualGuestPolicy,
    vmpl: 0,
    algorithm: 1,
    platformInfo: 0b10_0101,
    keyInfo: 0,
    measurement,
    migrationAgentId: new Uint8Array(32).fill(0xff),
    cpu: cpus[product],
    chipId,
    currentTcb: tcb,
    reportedTcb: tcb,
    committedTcb: tcb,
    launchTcb: tcb,
    currentAbi: [29, 55, 1],
    committedAbi: [29, 55, 1],
  };

  /** The report as the processor gives it, signed. */
  function makeReport(reportData: Uint8Array, faults: SnpFaults = {}): Uint8Array {
    const report = writeReport({ ...usualFields, reportData, ...faults.report }, product);
    faults.beforeSigning?.(new DataView(report.buffer));
    const signature = signRaw(faults.reportSigner ?? chipKeys, report.subarray(0, 0x2a0));
    report.set(signature.subarray(0, 48).toReversed(), 0x2a0);
    report.set(signature.subarray(48, 96).toReversed(), 0x2e8);
    return faults.afterSigning?.(report) ?? report;
  }

  function makeVcek(faults: SnpFaults = {}): Uint8Array<ArrayBuffer> {
    const { firmware, bootLoader, tee, snp, microcode } = tcb;
    const values: Record<string, Uint8Array<ArrayBuffer> | null> = {
      '1': integer(product === 'Turin' ? 1 : 0),
      '2': ia5String(product === 'Milan' ? 'Milan-B0' : product),
      '3.1': integer(bootLoader),
      '3.2': integer(tee),
      '3.3': integer(snp),
      ...(product === 'Turin' ? { '3.9': integer(firmware) } : { '3.4': integer(0) }),
      '3.5': integer(0),
      '3.6': integer(0),
      '3.7': integer(0),
      '3.8': integer(microcode),
      '4': chipId.slice(0, product === 'Turin' ? 8 : 64),
      ...faults.vcekExtensions,
    };
    const extensions = Object.entries(values).flatMap(([arcs, value]) =>
      value === null ? [] : [extension(`${oidPrefix}.${arcs}`, false, value)],
    );
    return makeCertificate({
      subject: 'SEV-VCEK',
      issuer: `SEV-${product}`,
      keys: chipKeys,
      signer: authority.ask,
      serialNumber: 0,
      extensions: [...extensions, ...(faults.moreVcekExtensions ?? [])],
      ...faults.vcek,
    });
  }

  function makeAsk(faults: SnpFaults = {}): Uint8Array<ArrayBuffer> {
    return makeCertificate({
      subject: `SEV-${product}`,
      issuer: `ARK-${product}`,
      keys: authority.ask,
      signer: authority.ark,
      serialNumber: 65_537,
      extensions: caExtensions(0),
      ...faults.ask,
    });
  }

  function makeList(faults: SnpFaults = {}): Uint8Array<ArrayBuffer> {
    return makeRevocationList({
      issuer: `ARK-${product}`,
      signer: authority.ark,
      revoked: [7],
      ...faults.revocationList,
    });
  }

  function makeArk(faults: SnpFaults): Uint8Array<ArrayBuffer> {
    if (faults.ark === undefined) return authority.root;
    return makeCertificate({
      subject: `ARK-${product}`,
      keys: authority.ark,
      extensions: caExtensions(),
      ...faults.ark,
    });
  }

  /** The relay adds it so; with a revocation list where that is asked for. */
  function makeCollateral(faults: SnpFaults = {}): SevSnpCollateral {
    return {
      kind: 'sev-snp',
      vcek: toText(makeVcek(faults)),
      ask: toText(makeAsk(faults)),
      ark: toText(makeArk(faults)),
      ...(faults.revocationList === undefined ? {} : { revocationList: toText(makeList(faults)) }),
    };
  }

  return {
    product,
    chipId,
    /** The processor's own keys: they sign what a report signs. */
    chipKeys,
    authority,
    tcb,
    /** For `policy.sevSnp.roots`. */
    rootDigest: certificateDigest(authority.root),
    /** A release lists it so. */
    measurement: Buffer.from(measurement).toString('hex'),
    /** Accepts this machine under its test root, and nothing else. */
    policy: {
      roots: [certificateDigest(authority.root)],
      minimumTcb: { Milan: null, Genoa: null, Turin: null, [product]: { ...minimumTcb, ...firmwareOf(product) } },
      maximumVmpl: 0,
      allowSmt: true,
    } satisfies SevSnpPolicy,
    /** AMD's key distribution service would answer these, in DER. */
    certificates: { vcek: makeVcek(), ask: makeAsk(), ark: authority.root },
    revocationList: makeList(),
    makeReport,
    makeCollateral,
    /** Evidence without its binding, and the collateral that belongs to it. */
    makeEvidence({ expected, ...faults }: SnpFaults & { readonly expected: Uint8Array }) {
      return {
        evidence: { kind: 'sev-snp' as const, report: toText(makeReport(expected, faults)) },
        collateral: makeCollateral(faults),
      };
    },
  };
}

function firmwareOf(product: Product): { firmware?: number } {
  return product === 'Turin' ? { firmware: 1 } : {};
}

function writeReport(fields: ReportFields, product: Product): Uint8Array<ArrayBuffer> {
  const report = new Uint8Array(1184);
  const view = new DataView(report.buffer);
  const writeTcb = (offset: number, { bootLoader, tee, snp, microcode, firmware }: Tcb) =>
    report.set(
      product === 'Turin'
        ? [firmware, bootLoader, tee, snp, 0, 0, 0, microcode]
        : [bootLoader, tee, 0, 0, 0, 0, snp, microcode],
      offset,
    );
  view.setUint32(0x000, fields.version, true);
  view.setBigUint64(0x008, fields.guestPolicy, true);
  view.setUint32(0x030, fields.vmpl, true);
  view.setUint32(0x034, fields.algorithm, true);
  writeTcb(0x038, fields.currentTcb);
  view.setUint32(0x040, fields.platformInfo, true);
  view.setUint32(0x048, fields.keyInfo, true);
  report.set(fields.reportData, 0x050);
  report.set(fields.measurement, 0x090);
  report.set(randomBytes(32), 0x140);
  report.set(fields.migrationAgentId, 0x160);
  writeTcb(0x180, fields.reportedTcb);
  if (fields.version >= 3 && fields.cpu !== null) report.set(fields.cpu, 0x188);
  report.set(fields.chipId, 0x1a0);
  writeTcb(0x1e0, fields.committedTcb);
  report.set(fields.currentAbi, 0x1e8);
  report.set(fields.committedAbi, 0x1ec);
  writeTcb(0x1f0, fields.launchTcb);
  return report;
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
