import type { TdxCollateral } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import {
  caExtensions,
  certificateDigest,
  type CertificateRequest,
  extension,
  type KeyPair,
  leafExtensions,
  makeCertificate,
  makeKeys,
  makeRevocationList,
  type RevocationListRequest,
  signRaw,
  testNowMs,
  toPem,
} from '../vendors/certificate-maker.ts';
import { boolean, enumerated, integer, octetString, oid, sequence } from '../vendors/der-writer.ts';
import { type QuoteChanges, writeQuote } from './intel-quote.ts';

/** A vendor of our own in Intel's place, and TDX machines that it certifies: genuine in all but the root. */
type Der = Uint8Array<ArrayBuffer>;
const names = {
  root: 'Intel SGX Root CA',
  platform: 'Intel SGX PCK Platform CA',
  processor: 'Intel SGX PCK Processor CA',
  pck: 'Intel SGX PCK Certificate',
  signing: 'Intel SGX TCB Signing',
} as const;
export const intelSerials = { root: 100, authority: 101, signing: 102, pck: 103 } as const;
const dayMs = 86_400_000;
const isoDate = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** Keys of a vendor and its root; two vendors differ in all of them. */
export function makeIntelVendor() {
  const root = makeKeys('p256');
  return {
    root,
    rootRequest: rootOf(root),
    rootCertificate: makeCertificate(rootOf(root)),
    platform: makeKeys('p256'),
    processor: makeKeys('p256'),
    signing: makeKeys('p256'),
  };
}
export type IntelVendor = ReturnType<typeof makeIntelVendor>;
const rootOf = (keys: KeyPair) => ({
  subject: names.root,
  keys,
  serialNumber: intelSerials.root,
  extensions: caExtensions(1),
});

/** The certificate says this of a processor (SGX PCK Certificate and CRL Profile Specification, 1.3.5). */
export type SgxExtension = {
  readonly fmspc: string;
  readonly pceId: string;
  readonly pceSvn: number;
  readonly componentSvns: readonly number[];
  readonly sgxType: number;
};
const sgxOid = '1.2.840.113741.1.13.1';
const pair = (suffix: string, value: Der) => sequence(oid(`${sgxOid}.${suffix}`), value);
const octets = (hex: string) => octetString(Buffer.from(hex, 'hex'));

/** @returns members in the order in which Intel writes them: PPID, TCB, PCEID, FMSPC, type, instance, configuration. */
export function sgxMembers(sgx: SgxExtension): Der[] {
  const svns = sgx.componentSvns.map((svn, index) => pair(`2.${index + 1}`, integer(svn)));
  return [
    pair('1', octets('26'.repeat(16))),
    pair('2', sequence(...svns, pair('2.17', integer(sgx.pceSvn)), pair('2.18', octets('04'.repeat(16))))),
    pair('3', octets(sgx.pceId)),
    pair('4', octets(sgx.fmspc)),
    pair('5', enumerated(sgx.sgxType)),
    pair('6', octets('70'.repeat(16))),
    pair('7', sequence(...[1, 2, 3].map((number) => pair(`7.${number}`, boolean(number !== 2))))),
  ];
}

export type IntelChanges = QuoteChanges & {
  readonly nowMs?: number;
  readonly sgx?: Partial<SgxExtension>;
  readonly sgxMembers?: (members: readonly Der[]) => readonly Der[];
  readonly pckExtensions?: (extensions: readonly Der[]) => readonly Der[];
  readonly certificates?: Partial<Record<'root' | 'authority' | 'pck' | 'signing', Partial<CertificateRequest>>>;
  /** Certificates of the quote, in PEM or not, before they are joined. */
  readonly pckPem?: (pem: readonly string[]) => readonly string[];
  readonly rootCaCrl?: Partial<RevocationListRequest>;
  readonly pckCrl?: Partial<RevocationListRequest>;
  /** Alters what is signed: its value, then its text. */
  readonly tcbInfo?: (tcbInfo: TcbInfoSample) => unknown;
  readonly tcbInfoText?: (text: string) => string;
  readonly qeIdentity?: (qeIdentity: QeIdentitySample) => unknown;
  readonly qeIdentityText?: (text: string) => string;
  readonly documentSigner?: KeyPair;
  /** After everything has been signed. */
  readonly collateral?: (collateral: TdxCollateral) => TdxCollateral;
};

const registers = {
  mrTd: 'a0'.repeat(48),
  rtMr0: 'b0'.repeat(48),
  rtMr1: 'b1'.repeat(48),
  rtMr2: 'b2'.repeat(48),
  rtMr3: '00'.repeat(48),
};

/** @param options.ca - Which of Intel's two authorities certified the processor. */
export function makeIntelMachine(
  options: { vendor?: IntelVendor; ca?: 'platform' | 'processor'; fmspc?: string; serialNumber?: number } = {},
) {
  const { vendor = makeIntelVendor(), ca = 'platform', fmspc = '90c06f000000' } = options;
  const { serialNumber = intelSerials.pck } = options;
  const keys = { pck: makeKeys('p256'), attestation: makeKeys('p256') };

  function makeCertificates({ certificates = {}, ...changes }: IntelChanges) {
    const sgx = {
      fmspc,
      pceId: '0000',
      pceSvn: 13,
      componentSvns: [4, 4, 2, 2, 4, 1, 0, 5],
      sgxType: 1,
      ...changes.sgx,
    };
    const componentSvns = Array.from({ length: 16 }, (_, index) => sgx.componentSvns[index] ?? 0);
    const members = sgxMembers({ ...sgx, componentSvns });
    const sgxExtension = extension(sgxOid, false, sequence(...(changes.sgxMembers?.(members) ?? members)));
    const pckExtensions = [...leafExtensions(), sgxExtension];
    const issued = { issuer: names.root, signer: vendor.root };
    return {
      root:
        certificates.root === undefined
          ? vendor.rootCertificate
          : makeCertificate({ ...vendor.rootRequest, ...certificates.root }),
      authority: makeCertificate({
        ...issued,
        subject: names[ca],
        keys: vendor[ca],
        serialNumber: intelSerials.authority,
        extensions: caExtensions(0),
        ...certificates.authority,
      }),
      signing: makeCertificate({
        ...issued,
        subject: names.signing,
        keys: vendor.signing,
        serialNumber: intelSerials.signing,
        extensions: leafExtensions(),
        ...certificates.signing,
      }),
      pck: makeCertificate({
        issuer: names[ca],
        signer: vendor[ca],
        subject: names.pck,
        keys: keys.pck,
        serialNumber,
        extensions: changes.pckExtensions?.(pckExtensions) ?? pckExtensions,
        ...certificates.pck,
      }),
    };
  }

  function makeCollateral(der: ReturnType<typeof makeCertificates>, changes: IntelChanges): TdxCollateral {
    const { nowMs = testNowMs, documentSigner = vendor.signing } = changes;
    const tcbInfo = sampleTcbInfo(nowMs, fmspc);
    changes.tcbInfo?.(tcbInfo);
    const qeIdentity = sampleQeIdentity(nowMs);
    changes.qeIdentity?.(qeIdentity);
    const texts = { tcbInfo: JSON.stringify(tcbInfo), qeIdentity: JSON.stringify(qeIdentity) };
    texts.tcbInfo = changes.tcbInfoText?.(texts.tcbInfo) ?? texts.tcbInfo;
    texts.qeIdentity = changes.qeIdentityText?.(texts.qeIdentity) ?? texts.qeIdentity;
    const dates = { thisUpdate: nowMs - dayMs, nextUpdate: nowMs + 29 * dayMs };
    const crl = (request: RevocationListRequest) => base64Url(makeRevocationList({ ...dates, ...request }));
    const signingChain = [der.signing, der.root].map(base64Url);
    const collateral = {
      kind: 'tdx' as const,
      ...texts,
      tcbInfoSignature: base64Url(signRaw(documentSigner, Buffer.from(texts.tcbInfo))),
      tcbInfoIssuerChain: signingChain,
      qeIdentitySignature: base64Url(signRaw(documentSigner, Buffer.from(texts.qeIdentity))),
      qeIdentityIssuerChain: signingChain,
      rootCaCrl: crl({ issuer: names.root, signer: vendor.root, ...changes.rootCaCrl }),
      pckCrl: crl({ issuer: names[ca], signer: vendor[ca], revoked: [9001, 9002], ...changes.pckCrl }),
      pckCrlIssuerChain: [der.authority, der.root].map(base64Url),
    };
    return changes.collateral?.(collateral) ?? collateral;
  }

  return {
    vendor,
    keys,
    need: { kind: 'tdx' as const, fmspc, ca },
    rootDigest: certificateDigest(vendor.rootCertificate),
    /** A release names it so. */
    tdxRelease: {
      mrTd: registers.mrTd,
      rtMrs: [registers.rtMr0, registers.rtMr1, registers.rtMr2, registers.rtMr3],
    },
    measurement: Object.values(registers).join(' '),
    /** @returns the evidence without its binding, the collateral, and the digest of the root that both end at. */
    makeEvidence(input: IntelChanges & { readonly expected: Uint8Array }) {
      const { expected, ...changes } = input;
      const der = makeCertificates(changes);
      const pem = [der.pck, der.authority, der.root].map((certificate) => toPem(certificate));
      const report = {
        teeTcbSvn: '050106',
        tdAttributes: '0000001000000000',
        xfam: 'e702060000000000',
        mrSeam: '5e'.repeat(48),
        teeTcbSvn2: '070106',
        ...registers,
        reportData: Buffer.from(expected).toString('hex'),
        ...changes.report,
      };
      const pckChain = changes.pckChain ?? (changes.pckPem?.(pem) ?? pem).join('');
      return {
        evidence: { kind: 'tdx' as const, quote: base64Url(writeQuote(keys, { ...changes, report, pckChain })) },
        collateral: makeCollateral(der, changes),
        rootDigest: certificateDigest(der.root),
      };
    },
  };
}
export type IntelMachine = ReturnType<typeof makeIntelMachine>;

/** Levels whose rating depends on the PCE's version alone: 13 is up to date, 7 revoked. */
export const pceSvnOfStatus = {
  UpToDate: 13,
  SWHardeningNeeded: 12,
  ConfigurationNeeded: 11,
  ConfigurationAndSWHardeningNeeded: 10,
  OutOfDate: 9,
  OutOfDateConfigurationNeeded: 8,
  Revoked: 7,
} as const;

const components = (...svns: number[]) => Array.from({ length: 16 }, (_, index) => ({ svn: svns[index] ?? 0 }));
const moduleLevel = (isvsvn: number, tcbStatus: string) => ({ tcb: { isvsvn }, tcbDate: isoDate(0), tcbStatus });
const moduleSigner = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) };

export type TcbInfoSample = ReturnType<typeof sampleTcbInfo>;
function sampleTcbInfo(nowMs: number, fmspc: string) {
  return {
    id: 'TDX',
    version: 3,
    issueDate: isoDate(nowMs - dayMs),
    nextUpdate: isoDate(nowMs + 29 * dayMs),
    fmspc: fmspc.toUpperCase(),
    pceId: '0000',
    tcbType: 0,
    tcbEvaluationDataNumber: 18,
    tdxModule: { ...moduleSigner },
    tdxModuleIdentities: [
      { id: 'TDX_03', ...moduleSigner, tcbLevels: [moduleLevel(3, 'UpToDate')] },
      {
        id: 'TDX_01',
        ...moduleSigner,
        tcbLevels: [moduleLevel(5, 'UpToDate'), moduleLevel(4, 'OutOfDate'), moduleLevel(2, 'Revoked')],
      },
    ],
    tcbLevels: Object.entries(pceSvnOfStatus).map(([tcbStatus, pcesvn]) => ({
      tcb: {
        sgxtcbcomponents: components(4, 4, 2, 2, 4, 1, 0, 5),
        pcesvn,
        tdxtcbcomponents: components(5, 0, 6),
      },
      tcbDate: isoDate(0),
      tcbStatus,
      advisoryIDs: ['INTEL-SA-00837'],
    })),
  };
}

export type QeIdentitySample = ReturnType<typeof sampleQeIdentity>;
function sampleQeIdentity(nowMs: number) {
  return {
    id: 'TD_QE',
    version: 2,
    issueDate: isoDate(nowMs - dayMs),
    nextUpdate: isoDate(nowMs + 29 * dayMs),
    tcbEvaluationDataNumber: 18,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: 'DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5',
    isvprodid: 2,
    tcbLevels: [moduleLevel(6, 'UpToDate'), moduleLevel(5, 'OutOfDate'), moduleLevel(3, 'Revoked')],
  };
}
