import { describe } from 'vitest';
import {
  caExtensions,
  extension,
  leafExtensions,
  makeKeys,
  testNowMs,
  toPem,
} from '../../../../parts/evidence/vendors/certificate-maker.ts';
import {
  boolean,
  der,
  enumerated,
  integer,
  octetString,
  oid,
  sequence,
} from '../../../../parts/evidence/vendors/der-writer.ts';
import type { IntelChanges } from '../../../../parts/evidence/intel/intel-machine.ts';
import {
  accepts,
  dayMs,
  expected,
  flipAt,
  neighbour,
  refuses,
  stranger,
  type Variant,
  vendor,
} from '../../../../parts/evidence/intel/tdx-conformance.ts';

const step = 'tdx-certificate';
const malformed = 'malformed: tdx';
type Which = keyof NonNullable<IntelChanges['certificates']>;
type Certificate = NonNullable<NonNullable<IntelChanges['certificates']>[Which]>;
const certificate = (which: Which, change: Certificate): IntelChanges => ({ certificates: { [which]: change } });

/** The quote of another vendor's machine, from its certificates on. */
function strangersPem(): string[] {
  const { quote } = stranger.makeEvidence({ expected }).evidence;
  const text = Buffer.from(quote, 'base64url').toString('latin1');
  return [text.slice(text.indexOf('-----BEGIN'))];
}

describe('chain of the processor', () => {
  const past = { notAfter: testNowMs - 1000 };
  const future = { notBefore: testNowMs + dayMs };
  const names: readonly (readonly [Which, string])[] = [
    ['root', 'root'],
    ['authority', 'authority'],
    ['pck', 'processor key'],
  ];
  const anyCa = 'Intel SGX PCK Any CA';
  const renamed = { pckCrl: { issuer: anyCa } };
  const unknown = extension('1.2.3', true, integer(1));
  refuses([
    ["a root of another's", `untrusted-root: ${step}`, {}, { policy: { roots: [stranger.rootDigest] } }],
    ["a root that is not Intel's", `untrusted-root: ${step}`, {}, { policy: { roots: null } }],
    ["another vendor's chain", `untrusted-root: ${step}`, { pckPem: () => strangersPem() }],
    ...names.map(([which, name]): Variant => [`an expired ${name}`, `expired: ${step}`, certificate(which, past)]),
    ...names.map(([which, name]): Variant => [
      `a ${name} of tomorrow`,
      `not-yet-valid: ${step}`,
      certificate(which, future),
    ]),
    [
      'a processor key signed by a stranger',
      `chain: ${step}`,
      certificate('pck', { signer: stranger.vendor.platform }),
    ],
    ['a processor key signed by the root', `chain: ${step}`, certificate('pck', { signer: vendor.root })],
    ['a processor key signed by a neighbour', `chain: ${step}`, certificate('pck', { signer: neighbour.keys.pck })],
    ['another issuer by name', `chain: ${step}`, certificate('pck', { issuer: 'Intel SGX PCK Processor CA' })],
    ['a processor key of another name', `chain: ${step}`, certificate('pck', { subject: 'Intel SGX TCB Signing' })],
    ['an authority of another name', `chain: ${step}`, certificate('authority', { subject: 'Intel SGX PCK Any CA' })],
    [
      'a chain whose authority has another name throughout',
      `chain: ${step}`,
      { ...renamed, certificates: { authority: { subject: anyCa }, pck: { issuer: anyCa } } },
    ],
    [
      'a processor key that is an authority',
      `chain: ${step}`,
      { pckExtensions: (extensions) => [...caExtensions(), extensions.at(-1)!] },
    ],
    ['an authority signed by a stranger', `chain: ${step}`, certificate('authority', { signer: stranger.vendor.root })],
    ['an authority that is none', `chain: ${step}`, certificate('authority', { extensions: leafExtensions() })],
    ['a root that is no authority', `chain: ${step}`, certificate('root', { extensions: leafExtensions() })],
    ['a root that allows no authority below', `chain: ${step}`, certificate('root', { extensions: caExtensions(0) })],
    [
      'a changed signature on the processor key',
      `chain: ${step}`,
      certificate('pck', { fault: { signature: flipAt(20) } }),
    ],
    [
      'a changed signature on the authority',
      `chain: ${step}`,
      certificate('authority', { fault: { signature: flipAt(20) } }),
    ],
    [
      'a critical extension unknown here',
      `chain: ${step}`,
      certificate('authority', { extensions: [...caExtensions(0), unknown] }),
    ],
    ['a processor key on P-384', 'signature: tdx-quoting-enclave', certificate('pck', { keys: makeKeys('p384') })],
    ["a neighbour's processor key", 'signature: tdx-quoting-enclave', certificate('pck', { keys: neighbour.keys.pck })],
  ]);
  accepts([
    ['a root of the policy made anew with the same key', certificate('root', { serialNumber: 200 })],
    ['a root that ends today', certificate('root', { notAfter: testNowMs + 1000 })],
  ]);
});

describe('text of the chain', () => {
  refuses([
    ['the authority first', malformed, { pckPem: ([pck, authority, root]) => [authority!, pck!, root!] }],
    ['the root first', malformed, { pckPem: (pem) => pem.toReversed() }],
    [
      'the authority in the place of the root',
      `untrusted-root: ${step}`,
      { pckPem: ([pck, authority]) => [pck!, authority!, authority!] },
    ],
    ['no root', malformed, { pckPem: (pem) => pem.slice(0, 2) }],
    ['no authority', malformed, { pckPem: ([pck, , root]) => [pck!, root!] }],
    ['a fourth certificate', malformed, { pckPem: (pem) => [...pem, pem[2]!] }],
    ['no certificates', malformed, { pckChain: '' }],
    ['text before the certificates', malformed, { pckPem: (pem) => ['PCK\n', ...pem] }],
    ['text between the certificates', malformed, { pckPem: ([pck, ...others]) => [pck!, '\n', ...others] }],
    ['text behind the certificates', malformed, { pckPem: (pem) => [...pem, 'x'] }],
    ['a zero byte between the certificates', malformed, { pckPem: ([pck, ...others]) => [pck!, '\0', ...others] }],
    ['lines that end as in Windows', malformed, { pckPem: (pem) => pem.map((text) => text.replaceAll('\n', '\r\n')) }],
    [
      'lines of another length',
      malformed,
      { pckPem: (pem) => pem.map((text) => text.replace(/^(\S{64})\n(\S{10})/m, '$1$2\n')) },
    ],
    [
      'another padding than the length asks for',
      malformed,
      {
        pckPem: (pem) =>
          pem.map((text) =>
            text.replace(/(=*)\n-----END/, (_, pad: string) => `${pad === '=' ? '==' : '='}\n-----END`),
          ),
      },
    ],
    [
      'bytes behind the DER of the root',
      malformed,
      { pckPem: ([pck, authority]) => [pck!, authority!, toPem(Uint8Array.from([...vendor.rootCertificate, 0]))] },
    ],
    [
      'another kind of PEM',
      malformed,
      { pckPem: (pem) => pem.map((text) => text.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')) },
    ],
  ]);
});

describe('Intel’s certificate of the processor', () => {
  const sgx = '1.2.840.113741.1.13.1';
  const replaced = (index: number, value: Uint8Array<ArrayBuffer>): IntelChanges => ({
    sgxMembers: (members) => members.with(index, value),
  });
  const member = (suffix: string, value: Uint8Array) => sequence(oid(`${sgx}.${suffix}`), value);
  const octets = (length: number) => octetString(new Uint8Array(length));
  const tcbNames = [...Array(17).keys()].map((index) => index + 1);
  const tcb = (value: (number: number) => Uint8Array | null, ...more: readonly Uint8Array[]) =>
    member(
      '2',
      sequence(
        ...tcbNames.flatMap((number) => {
          const found = value(number);
          return found === null ? [] : [member(`2.${number}`, found)];
        }),
        member('2.18', octets(16)),
        ...more,
      ),
    );
  refuses([
    ['no SGX extension', malformed, certificate('pck', { extensions: leafExtensions() })],
    ['an empty SGX extension', malformed, { sgxMembers: () => [] }],
    ...['PPID', 'TCB', 'PCE id', 'FMSPC', 'type'].map((name, index): Variant => [
      `no ${name}`,
      malformed,
      { sgxMembers: (members) => members.toSpliced(index, 1) },
    ]),
    ['the FMSPC twice', malformed, { sgxMembers: (members) => [...members, members[3]!] }],
    ['a member that is unknown', malformed, { sgxMembers: (members) => [...members, member('8', octets(1))] }],
    [
      'a member of another family',
      malformed,
      { sgxMembers: (members) => [...members, sequence(oid('1.2.3.9'), octets(1))] },
    ],
    ['an FMSPC under another name', malformed, replaced(3, sequence(oid('1.2.840.113741.1.14.1.4'), octets(6)))],
    ['a name without a value', malformed, replaced(3, sequence(oid(`${sgx}.4`)))],
    ['an FMSPC of 5 bytes', malformed, replaced(3, member('4', octets(5)))],
    ['an FMSPC that is a number', malformed, replaced(3, member('4', integer(4)))],
    ['a PCE id of 3 bytes', malformed, replaced(2, member('3', octets(3)))],
    ['a PPID of 15 bytes', malformed, replaced(0, member('1', octets(15)))],
    ['an unknown type', malformed, replaced(4, member('5', enumerated(3)))],
    ['a type without a value', malformed, replaced(4, member('5', der(0x0a)))],
    ['a type of two bytes', malformed, replaced(4, member('5', der(0x0a, Uint8Array.of(1, 1))))],
    ['a configuration numbered 0', malformed, replaced(6, member('7', sequence(member('7.0', boolean(true)))))],
    ['a type that is a number', malformed, replaced(4, member('5', integer(1)))],
    ['an instance id of 8 bytes', malformed, replaced(5, member('6', octets(8)))],
    ['an unknown configuration', malformed, replaced(6, member('7', sequence(member('7.4', boolean(true)))))],
    ['a configuration that is a number', malformed, replaced(6, member('7', sequence(member('7.1', integer(1)))))],
    [
      'a component above 255',
      malformed,
      replaced(
        1,
        tcb((number) => integer(number === 3 ? 256 : 20)),
      ),
    ],
    [
      'a component too many',
      malformed,
      replaced(
        1,
        tcb(() => integer(20), member('2.19', integer(20))),
      ),
    ],
    [
      'a component too few',
      malformed,
      replaced(
        1,
        tcb((number) => (number === 16 ? null : integer(20))),
      ),
    ],
    [
      'a version of the PCE above 65535',
      malformed,
      replaced(
        1,
        tcb((number) => integer(number === 17 ? 65_536 : 20)),
      ),
    ],
    ['a member with two values', malformed, replaced(3, sequence(oid(`${sgx}.4`), octets(6), octets(6)))],
  ]);
  accepts([
    ['the highest type', { sgx: { sgxType: 2 } }],
    [
      'one TCB in our own writing',
      replaced(
        1,
        tcb(() => integer(20)),
      ),
    ],
    ['a processor with one socket: no instance, no configuration', { sgxMembers: (members) => members.slice(0, 5) }],
  ]);
});
