import { integer } from '../../../../parts/evidence/vendors/der-writer.ts';
import {
  cut,
  expected,
  extend,
  flip,
  machine,
  type Refusal,
  report,
  setBefore,
  sibling,
  strangers,
  turin,
} from './sev-snp-bench.ts';

const earlierReport = machine.makeReport(expected);

/** Faults in the form of a report. */
export const forms: readonly Refusal[] = [
  ['a report cut by a byte', 'malformed', { reportBytes: cut }],
  ['a report with a byte behind it', 'malformed', { reportBytes: extend }],
  ['no report', 'malformed', { reportBytes: () => new Uint8Array() }],
  ['two reports in one', 'malformed', { reportBytes: (bytes) => Uint8Array.of(...bytes, ...bytes) }],
  ['a report of zeros', 'malformed', { reportBytes: () => new Uint8Array(1184) }],
  ['report version 0', 'malformed', report({ version: 0 })],
  ['report version 1', 'malformed', report({ version: 1 })],
  ['report version 6', 'malformed', report({ version: 6 })],
  ['report version 2^32 - 1', 'malformed', report({ version: 0xffff_ffff })],
  ['signature algorithm 0', 'malformed', report({ algorithm: 0 })],
  ['signature algorithm 2', 'malformed', report({ algorithm: 2 })],
  ['reserved bits of the key information', 'malformed', report({ keyInfo: 0x20 })],
  ['the top bit of the key information', 'malformed', report({ keyInfo: 0x8000_0000 })],
  ['a digest of an author key without author key', 'malformed', setBefore(0x110)],
  ['CPUID bytes in version 2', 'malformed', { ...report({ version: 2 }), ...setBefore(0x188, 0x19) }],
  ['a mitigation vector in version 4', 'malformed', { ...report({ version: 4 }), ...setBefore(0x1f8) }],
  ...[0x4c, 0x4f, 0x18b, 0x19f, 0x1eb, 0x1ef, 0x1f8, 0x208, 0x29f].map((offset): Refusal => [
    `a reserved byte at 0x${offset.toString(16)}`,
    'malformed',
    setBefore(offset),
  ]),
  ...[0x208, 0x29f].map((offset): Refusal => [
    `a reserved byte at 0x${offset.toString(16)} in version 5`,
    'malformed',
    { on: turin, ...setBefore(offset) },
  ]),
  ...[0x2d0, 0x2e7, 0x318, 0x32f, 0x330, 0x49f].map((offset): Refusal => [
    `a byte that is not zero behind R or S, at 0x${offset.toString(16)}`,
    'malformed',
    { afterSigning: flip(offset) },
  ]),
  ['reserved bytes of the current TCB', 'malformed', setBefore(0x3a)],
  ['reserved bytes of the committed TCB', 'malformed', setBefore(0x1e5)],
  ['reserved bytes of the launch TCB', 'malformed', setBefore(0x1f3)],
  ['reserved bytes of the current TCB of Turin', 'malformed', { on: turin, ...setBefore(0x3c) }],
  [
    'reserved bytes of the reported TCB, certified',
    'malformed',
    { ...setBefore(0x182), vcekExtensions: { '3.4': integer(1) } },
  ],
];

/** Faults in its signature. */
export const signatures: readonly Refusal[] = [
  ['a report that the host had left unsigned', 'signature', report({ keyInfo: 2 })],
  ['a report signed by no key', 'signature', report({ keyInfo: 7 << 2 })],
  ['a report signed by a VLEK', 'unsupported', report({ keyInfo: 1 << 2 })],
  ...[2, 3, 4, 5, 6].map((key): Refusal => [
    `a report signed by reserved key ${key}`,
    'unsupported',
    report({ keyInfo: key << 2 }),
  ]),
  ...(
    [
      ['guest SVN', 0x04],
      ['guest policy', 0x08],
      ['family id', 0x10],
      ['image id', 0x20],
      ['VMPL', 0x30],
      ['current TCB', 0x38],
      ['platform information', 0x41],
      ['author key flag', 0x48],
      ['report data', 0x50],
      ['last byte of the report data', 0x8f],
      ['measurement', 0x90],
      ['last byte of the measurement', 0xbf],
      ['host data', 0xc0],
      ['id key digest', 0xe0],
      ['report id', 0x140],
      ['migration agent id', 0x160],
      ['reported TCB', 0x180],
      ['stepping', 0x18a],
      ['chip id', 0x1a0],
      ['committed TCB', 0x1e0],
      ['current build', 0x1e8],
      ['committed version', 0x1ed],
      ['launch TCB', 0x1f0],
      ['first byte of R', 0x2a0],
      ['last byte of R', 0x2cf],
      ['first byte of S', 0x2e8],
      ['last byte of S', 0x317],
    ] as const
  ).map(([name, offset]): Refusal => [`a flipped bit: ${name}`, 'signature', { reportBytes: flip(offset) }]),
  ['the signature of another key', 'signature', { reportSigner: strangers.p384 }],
  ['the signature of the chip next door', 'signature', { reportSigner: sibling.chipKeys }],
  ['R and S changed over', 'signature', { reportBytes: swapNumbers }],
  ['R and S written big-endian', 'signature', { reportBytes: reverseNumbers }],
  ['R and S zero', 'signature', { reportBytes: (bytes) => bytes.fill(0, 0x2a0) }],
  ['the signature of an earlier report', 'signature', { reportBytes: withEarlierSignature }],
  ["another chip's whole report", 'signature', { reportBytes: () => sibling.makeReport(expected) }],
];

function swapNumbers(bytes: Uint8Array<ArrayBuffer>) {
  const [r, s] = [bytes.slice(0x2a0, 0x2d0), bytes.slice(0x2e8, 0x318)];
  bytes.set(s, 0x2a0);
  bytes.set(r, 0x2e8);
  return bytes;
}
function reverseNumbers(bytes: Uint8Array<ArrayBuffer>) {
  bytes.subarray(0x2a0, 0x2d0).reverse();
  bytes.subarray(0x2e8, 0x318).reverse();
  return bytes;
}
function withEarlierSignature(bytes: Uint8Array<ArrayBuffer>) {
  bytes.set(earlierReport.subarray(0x2a0), 0x2a0);
  return bytes;
}
