import { createHash } from 'node:crypto';
import { type KeyPair, publicKeyPoint, signRaw } from '../vendors/certificate-maker.ts';

/** Writes Intel TDX quotes (version 4 and 5) byte for byte; what is wrong in them is what one asks for. */
type Bytes = Uint8Array<ArrayBuffer>;
type Fields = Readonly<Record<string, readonly [offset: number, length: number]>>;

export const headerFields = {
  version: [0, 2],
  attestationKeyType: [2, 2],
  teeType: [4, 4],
  qeSvn: [8, 2],
  pceSvn: [10, 2],
  vendorId: [12, 16],
  userData: [28, 20],
} as const satisfies Fields;
/** The last two are of TDX 1.5 only. */
export const reportFields = {
  teeTcbSvn: [0, 16],
  mrSeam: [16, 48],
  mrSignerSeam: [64, 48],
  seamAttributes: [112, 8],
  tdAttributes: [120, 8],
  xfam: [128, 8],
  mrTd: [136, 48],
  mrConfigId: [184, 48],
  mrOwner: [232, 48],
  mrOwnerConfig: [280, 48],
  rtMr0: [328, 48],
  rtMr1: [376, 48],
  rtMr2: [424, 48],
  rtMr3: [472, 48],
  reportData: [520, 64],
  teeTcbSvn2: [584, 16],
  mrServiceTd: [600, 48],
} as const satisfies Fields;
export const qeReportFields = {
  cpuSvn: [0, 16],
  miscSelect: [16, 4],
  attributes: [48, 16],
  mrEnclave: [64, 32],
  mrSigner: [128, 32],
  isvProdId: [256, 2],
  isvSvn: [258, 2],
  reportData: [320, 64],
} as const satisfies Fields;

/** Contents of fields in hex, little-endian numbers included; what is shorter than its field fills its beginning. */
export type Values<Names extends Fields> = { readonly [Name in keyof Names]?: string };

export type QuoteChanges = {
  readonly version?: number;
  /** Only in version 5: 2 is TDX 1.0, 3 is TDX 1.5. */
  readonly reportType?: number;
  readonly header?: Values<typeof headerFields>;
  readonly report?: Values<typeof reportFields>;
  readonly qeReport?: Values<typeof qeReportFields>;
  readonly qeAuthenticationData?: Bytes;
  readonly certificationType?: number;
  readonly innerCertificationType?: number;
  /** Added to a length field, which then no longer says what follows it. */
  readonly wrongLength?: Partial<
    Record<'report' | 'signatureData' | 'certification' | 'authentication' | 'chain', number>
  >;
  /** Put behind the part of that name, and counted in the lengths around it. */
  readonly padding?: Partial<Record<'report' | 'signatureData' | 'certification' | 'chain', number>>;
  readonly pckChain?: string;
  /** Sign in place of the keys that should. */
  readonly attestationKeys?: KeyPair;
  readonly quoteSigner?: KeyPair;
  readonly qeSigner?: KeyPair;
  /** After everything has been signed. */
  readonly quote?: (quote: Bytes) => Bytes;
};

function write<Names extends Fields>(length: number, fields: Names, values: Values<Names>): Buffer {
  const bytes = Buffer.alloc(length);
  for (const [name, value] of Object.entries<string | undefined>(values)) {
    if (value !== undefined) bytes.write(value, fields[name]![0], fields[name]![1], 'hex');
  }
  return bytes;
}

const uint16 = (value: number) => Buffer.from([value & 255, value >> 8]);
const uint32 = (value: number) => Buffer.from([value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]);
const sized = (bytes: Buffer, wrong = 0) => Buffer.concat([uint32(bytes.length + wrong), bytes]);

/** @param keys - Those of the processor and of its quoting enclave. */
export function writeQuote(
  keys: { readonly pck: KeyPair; readonly attestation: KeyPair },
  changes: QuoteChanges & { readonly report: Values<typeof reportFields>; readonly pckChain: string },
): Bytes {
  const { version = 4, reportType = version === 4 ? 2 : 3, wrongLength = {}, padding = {} } = changes;
  const fill = (part: keyof typeof padding) => Buffer.alloc(padding[part] ?? 0);
  const header = write(48, headerFields, {
    version: uint16(version).toString('hex'),
    attestationKeyType: '0200',
    teeType: '81000000',
    vendorId: '939a7233f79c4ca9940a0db3957f0607',
    userData: '5a'.repeat(20),
    ...changes.header,
  });
  const written = write(648, reportFields, changes.report).subarray(0, reportType === 3 ? 648 : 584);
  const report = Buffer.concat([written, fill('report')]);
  const signed = Buffer.concat([
    header,
    ...(version === 4 ? [] : [uint16(reportType), uint32(report.length + (wrongLength.report ?? 0))]),
    report,
  ]);
  const attestation = changes.attestationKeys ?? keys.attestation;
  const authentication = changes.qeAuthenticationData ?? Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  const named = createHash('sha256').update(publicKeyPoint(attestation)).update(authentication).digest('hex');
  const qeReport = write(384, qeReportFields, {
    cpuSvn: '0404020204010005',
    attributes: '1500000000000000e7',
    mrEnclave: 'e5'.repeat(32),
    mrSigner: 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5',
    isvProdId: '0200',
    isvSvn: '0600',
    reportData: named,
    ...changes.qeReport,
  });
  const certification = Buffer.concat([
    qeReport,
    signRaw(changes.qeSigner ?? keys.pck, qeReport),
    uint16(authentication.length + (wrongLength.authentication ?? 0)),
    authentication,
    uint16(changes.innerCertificationType ?? 5),
    sized(Buffer.concat([Buffer.from(changes.pckChain, 'latin1'), fill('chain')]), wrongLength.chain),
    fill('certification'),
  ]);
  const signatureData = Buffer.concat([
    signRaw(changes.quoteSigner ?? attestation, signed),
    publicKeyPoint(attestation),
    uint16(changes.certificationType ?? 6),
    sized(certification, wrongLength.certification),
    fill('signatureData'),
  ]);
  const quote = Uint8Array.from(Buffer.concat([signed, sized(signatureData, wrongLength.signatureData)]));
  return changes.quote?.(quote) ?? quote;
}
