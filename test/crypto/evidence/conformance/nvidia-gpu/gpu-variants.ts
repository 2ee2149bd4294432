import type { RefusalCode } from '../../../../../crypto/evidence/policy/evidence-step.ts';
import type { NvidiaGpuPolicy } from '../../../../../crypto/evidence/policy/policy.ts';
import { randomBytes } from '../../../../../crypto/protocol/bytes/bytes.ts';
import {
  caExtensions,
  extension,
  leafExtensions,
  makeKeys,
  testNowMs,
  yearMs,
} from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { integer, octetString, oid, sequence } from '../../../../parts/evidence/vendors/der-writer.ts';
import {
  firmwareExtension,
  makeNvidiaMachine,
  type NvidiaFaults,
  usualDigest,
} from '../../../../parts/evidence/nvidia/nvidia-machine.ts';
import { zeroEnded } from '../../../../parts/evidence/nvidia/nvidia-report.ts';

/** Single faults of a GPU's report and of its certificates, each with the code that it must be refused with. */
export type Variant = readonly [
  name: string,
  code: RefusalCode,
  faults: NvidiaFaults | (() => NvidiaFaults),
  changes?: Changes,
];
export type Changes = {
  readonly policy?: Partial<NvidiaGpuPolicy>;
  readonly expected?: Uint8Array;
  readonly nowMs?: number;
};

export const expected = randomBytes(32);
export const hopper = makeNvidiaMachine({ gpus: 2 });
export const otherMachine = makeNvidiaMachine();
export const strangerKeys = makeKeys('p384');

const flipped = (bytes: Uint8Array, place: number) => {
  const changed = Uint8Array.from(bytes);
  changed[place < 0 ? changed.length + place : place]! ^= 1;
  return changed;
};

export const reportVariants: Variant[] = [
  ['a nonce of another enclave', 'nonce', {}, { expected: new Uint8Array(32) }],
  ['one GPU of two that answered another nonce', 'nonce', { report: { nonce: randomBytes(32) } }],
  ['SPDM 1.2 asked', 'malformed', { report: { requestHead: [0x12, 0xe0, 1, 0xff] } }],
  ['another request', 'malformed', { report: { requestHead: [0x11, 0xe1, 1, 0xff] } }],
  ['no signature asked', 'malformed', { report: { requestHead: [0x11, 0xe0, 0, 0xff] } }],
  ['one measurement asked', 'malformed', { report: { requestHead: [0x11, 0xe0, 1, 1] } }],
  ['another certificate slot', 'malformed', { report: { slot: 1 } }],
  ['SPDM 1.2 answered', 'malformed', { report: { responseHead: [0x12, 0x60, 0, 0] } }],
  ['an SPDM error in place of measurements', 'malformed', { report: { responseHead: [0x11, 0x7f, 0, 0] } }],
  ['a first response parameter', 'malformed', { report: { responseHead: [0x11, 0x60, 1, 0] } }],
  ['a second response parameter', 'malformed', { report: { responseHead: [0x11, 0x60, 0, 1] } }],
  ['no measurements', 'malformed', { report: { measurements: [] } }],
  ['fewer blocks counted than there are', 'malformed', { report: { blockCount: 63 } }],
  ['more blocks counted than there are', 'malformed', { report: { blockCount: 65 } }],
  ['a record length that is short', 'malformed', { report: { recordLengthOff: -1 } }],
  ['a record length that is long', 'malformed', { report: { recordLengthOff: 1 } }],
  ['an opaque length that is short', 'malformed', { report: { opaqueLengthOff: -1 } }],
  ['an opaque length that is long', 'malformed', { report: { opaqueLengthOff: 1 } }],
  ['a block of another specification', 'malformed', blockFault({ specification: 2 })],
  ['a block of raw bytes', 'malformed', blockFault({ type: 0x81 })],
  ['a block length that is short', 'malformed', blockFault({ lengthOff: -1 })],
  ['a block length that is long', 'malformed', blockFault({ lengthOff: 1 })],
  ['a digest of 65 bytes', 'malformed', { measurements: { 63: new Uint8Array(65) } }],
  ['a block listed twice', 'malformed', blockFault({ index: 62 })],
  ['a byte behind the signature', 'malformed', { afterSigning: (report) => Uint8Array.of(...report, 0) }],
  ['a signature cut short', 'malformed', { afterSigning: (report) => report.subarray(0, -1) }],
  ['nothing but a request', 'malformed', { afterSigning: (report) => report.subarray(0, 37) }],
  ['a signature with its first bit changed', 'signature', { afterSigning: (report) => flipped(report, -96) }],
  ['a signature with its last bit changed', 'signature', { afterSigning: (report) => flipped(report, -1) }],
  ['a signature of zeros', 'signature', { afterSigning: (report) => report.fill(0, report.length - 96) }],
  ['a measurement changed after signing', 'signature', { afterSigning: (report) => flipped(report, 80) }],
  ["the responder's nonce changed", 'signature', { afterSigning: (report) => flipped(report, 37 + 8 + 64 * 55 + 3) }],
  ['a signature of another key', 'signature', { signer: strangerKeys }],
  ['a signature of the chip key, not of the firmware key', 'signature', () => ({ signer: hopper.chipKeys[0]! })],
  ['a signature of the other GPU', 'signature', () => ({ signer: hopper.leafKeys[1]! })],
];

function blockFault(change: {
  specification?: number;
  type?: number;
  lengthOff?: number;
  index?: number;
}): NvidiaFaults {
  const measurements = Array.from({ length: 64 }, (_, index) => ({ index, digest: usualDigest(index) }));
  measurements[63] = { ...measurements[63]!, ...change };
  return { report: { measurements } };
}

export const fieldVariants: Variant[] = [
  ['no driver version', 'malformed', { opaqueFields: { 3: null } }],
  ['a driver version of letters', 'malformed', { opaqueFields: { 3: zeroEnded('580.x') } }],
  ['a driver version with text behind its end', 'malformed', { opaqueFields: { 3: zeroEnded('580.95.05\0b') } }],
  ['a driver version that is older', 'outdated-firmware', { opaqueFields: { 3: zeroEnded('549.999.99') } }],
  ['no VBIOS version', 'malformed', { opaqueFields: { 6: null } }],
  ['a VBIOS version of seven bytes', 'malformed', { opaqueFields: { 6: new Uint8Array(7) } }],
  ['no project', 'malformed', { opaqueFields: { 17: null } }],
  ['a project that leads out of a URL', 'malformed', { opaqueFields: { 17: zeroEnded('../x?') } }],
  ['no project SKU', 'malformed', { opaqueFields: { 18: null } }],
  ['no chip SKU', 'malformed', { opaqueFields: { 15: null } }],
  ['no decoder status', 'malformed', { opaqueFields: { 11: null } }],
  ['an unknown decoder status', 'malformed', { opaqueFields: { 11: Uint8Array.of(0) } }],
  ['a decoder, and nothing measured of it', 'measurement', { opaqueFields: { 11: Uint8Array.of(0xaa) } }],
  ['a firmware id of 32 bytes', 'malformed', { opaqueFields: { 20: new Uint8Array(32) } }],
  ['a firmware id that is not the certified one', 'chain', { opaqueFields: { 20: new Uint8Array(48) } }],
  ['protected PCIe by its status', 'not-confidential', { opaqueFields: { 21: Uint8Array.of(0xaa) } }],
  ['an unknown protected PCIe status', 'malformed', { opaqueFields: { 21: Uint8Array.of(1) } }],
  ['opaque data of a later version', 'malformed', { opaqueFields: { 34: Uint8Array.of(2, 0) } }],
  ['opaque data version 1 without feature flag', 'malformed', { opaqueFields: { 36: null } }],
  ['a feature flag of nine bytes', 'malformed', { opaqueFields: { 36: new Uint8Array(9) } }],
  ['an empty feature flag', 'malformed', { opaqueFields: { 36: new Uint8Array(0) } }],
  [
    'protected PCIe by its feature flag',
    'not-confidential',
    { allGpus: true, opaqueFields: { 36: Uint8Array.of(2, 0) } },
  ],
  ['an unknown feature flag', 'not-confidential', { allGpus: true, opaqueFields: { 36: Uint8Array.of(3, 0) } }],
  [
    'a feature flag far up',
    'not-confidential',
    { allGpus: true, opaqueFields: { 36: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1) } },
  ],
  ['GPUs in two modes', 'not-confidential', { opaqueFields: { 36: Uint8Array.of(1, 0) } }],
  ['a field of an unknown type', 'malformed', { opaqueFields: { 37: Uint8Array.of(1) } }],
  ['a field of type 0', 'malformed', { opaqueFields: { 0: Uint8Array.of(1) } }],
  ['a field that stands there twice', 'malformed', { beforeSigning: (report) => repeatLastField(report) }],
];

/** The feature flag, six bytes, again; the length of all fields stands behind 64 blocks and the responder's nonce. */
function repeatLastField(report: Uint8Array): Uint8Array {
  const changed = Uint8Array.of(...report, ...report.subarray(-6));
  const view = new DataView(changed.buffer);
  const place = 37 + 8 + 64 * 55 + 32;
  view.setUint16(place, view.getUint16(place, true) + 6, true);
  return changed;
}

export const certificateVariants: Variant[] = [
  ['a certificate that has expired', 'expired', { certificates: { leaf: { notAfter: testNowMs - 1000 } } }],
  ['a certificate of the future', 'not-yet-valid', { certificates: { chip: { notBefore: testNowMs + 60_000 } } }],
  ['an issuer that has expired', 'expired', { certificates: { identity: { notAfter: testNowMs - 1000 } } }],
  ['everything expired, long after', 'expired', {}, { nowMs: testNowMs + 2 * yearMs }],
  ['everything of the future', 'not-yet-valid', {}, { nowMs: testNowMs - 2 * yearMs }],
  ['a leaf signed by a stranger', 'chain', { certificates: { leaf: { signer: strangerKeys } } }],
  ['a chip signed by a stranger', 'chain', { certificates: { chip: { signer: strangerKeys } } }],
  ['a leaf with another issuer name', 'chain', { certificates: { leaf: { issuer: 'GH100 A01' } } }],
  [
    'a leaf that may issue certificates',
    'chain',
    () => ({
      certificates: {
        leaf: {
          extensions: [...caExtensions(), firmwareExtension('HOPPER', hopper.firmwareIds[0]!, hopper.chipKeys[0]!)],
        },
      },
    }),
  ],
  ['a chip that may not issue certificates', 'chain', { certificates: { chip: { extensions: leafExtensions() } } }],
  [
    'a critical extension that nobody knows',
    'chain',
    { certificates: { leaf: { extensions: [leafExtensions()[1]!, extension('1.2.3', true, octetString())] } } },
  ],
  ['a leaf without firmware id', 'chain', { certificates: { leaf: { extensions: [leafExtensions()[1]!] } } }],
  [
    'a firmware id in the form of the other architecture',
    'chain',
    () => ({
      certificates: {
        leaf: {
          extensions: [firmwareExtension('BLACKWELL', hopper.firmwareIds[0]!, hopper.chipKeys[0]!)],
        },
      },
    }),
  ],
  [
    'a firmware id of 32 bytes in the certificate',
    'malformed',
    firmwareFault(sequence(integer(1), integer(2), digestOf(32))),
  ],
  [
    'a firmware extension with too many members',
    'malformed',
    firmwareFault(sequence(integer(1), integer(2), digestOf(48), integer(3))),
  ],
  [
    'a firmware id of another hash',
    'malformed',
    () => firmwareFault(sequence(integer(1), integer(2), digestOf(hopper.firmwareIds[0]!, '2.16.840.1.101.3.4.2.1'))),
  ],
  [
    'a firmware id with something behind it',
    'malformed',
    () =>
      firmwareFault(
        sequence(integer(1), integer(2), digestOf(hopper.firmwareIds[0]!, '2.16.840.1.101.3.4.2.2', integer(1))),
      ),
  ],
  ['a firmware extension that is no DER', 'malformed', firmwareFault(Uint8Array.of(0x30, 0x80, 0, 0))],
  [
    'a chip of another architecture',
    'wrong-machine',
    { certificates: { leaf: { issuer: 'GB100 A01' }, chip: { subject: 'GB100 A01' } } },
  ],
  ['no root', 'chain', { chain: (chain) => chain.slice(0, -1) }],
  ['one certificate alone', 'chain', { chain: (chain) => chain.slice(0, 1) }],
  ['the root twice', 'chain', { chain: (chain) => [...chain, chain.at(-1)!] }],
  ['issuers in the wrong order', 'chain', { chain: ([a, b, c, d, e]) => [a!, c!, b!, d!, e!] }],
  ["the root of another's making, of the same name", 'untrusted-root', { certificates: { root: { serialNumber: 9 } } }],
  ["NVIDIA's own roots, in place of these", 'untrusted-root', {}, { policy: { roots: null } }],
  ['a root that is not in the policy', 'untrusted-root', {}, { policy: { roots: otherMachine.rootDigests } }],
  [
    'a certificate with a byte behind it',
    'malformed',
    { chain: ([leaf, ...rest]) => [Uint8Array.of(...leaf!, 0), ...rest] },
  ],
  [
    'a certificate with a bit of its signature changed',
    'chain',
    { chain: ([leaf, ...rest]) => [flipped(leaf!, -1), ...rest] },
  ],
  ['one GPU listed twice', 'wrong-machine', { devices: ([first]) => [first!, first!] }],
  ['one chip listed twice, under two firmware keys', 'wrong-machine', sameChip],
  [
    'certificates of the other GPU',
    'signature',
    {
      devices: ([a, b]) => [
        { ...a!, certificates: b!.certificates },
        { ...b!, certificates: a!.certificates },
      ],
    },
  ],
  ['a GPU said to be a Blackwell', 'wrong-machine', { architecture: 'BLACKWELL' }],
  [
    'an architecture that the policy does not list',
    'kind-not-allowed',
    {},
    { policy: { architectures: ['BLACKWELL'] } },
  ],
  ['a driver that is not new enough', 'outdated-firmware', {}, { policy: { minimumDriverVersion: '580.95.6' } }],
  [
    'a VBIOS that is not new enough',
    'outdated-firmware',
    {},
    { policy: { minimumVbiosVersion: { HOPPER: '96.00.A5.00.02', BLACKWELL: null } } },
  ],
  [
    'a VBIOS that is older in a part before the last',
    'outdated-firmware',
    {},
    { policy: { minimumVbiosVersion: { HOPPER: '96.00.B0.00.00', BLACKWELL: null } } },
  ],
];

function digestOf(digest: number | Uint8Array, hash = '2.16.840.1.101.3.4.2.2', ...more: Uint8Array[]) {
  return sequence(oid(hash), octetString(typeof digest === 'number' ? new Uint8Array(digest) : digest), ...more);
}

function firmwareFault(value: Uint8Array): NvidiaFaults {
  return {
    certificates: { leaf: { extensions: [leafExtensions()[1]!, extension('2.23.133.5.4.1', false, value)] } },
  };
}

/** The second GPU is the first chip under the second firmware key. */
function sameChip(): NvidiaFaults {
  const [first] = hopper.makeEvidence({ expected }).evidence.devices;
  const forged = hopper.makeEvidence({
    expected,
    allGpus: true,
    certificates: { leaf: { signer: hopper.chipKeys[0]! } },
  }).evidence.devices[1]!;
  return {
    devices: () => [first!, { ...forged, certificates: [forged.certificates[0]!, ...first!.certificates.slice(1)] }],
  };
}
