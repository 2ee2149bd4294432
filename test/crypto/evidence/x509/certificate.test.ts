import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../../crypto/evidence/x509/certificate.ts';
import { toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import {
  algorithmIdentifier,
  caExtensions,
  type CertificateFault,
  type CertificateRequest,
  extension,
  leafExtensions,
  makeCertificate,
  makeKeys,
  name,
  publicKeyInfo,
  testNowMs,
} from '../../../parts/evidence/vendors/certificate-maker.ts';
import {
  bitString,
  boolean,
  context,
  der,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from '../../../parts/evidence/vendors/der-writer.ts';
import { mutate, seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';

const keys = makeKeys('p256');
const make = (changes: Partial<CertificateRequest> = {}) =>
  makeCertificate({ subject: 'Someone', issuer: 'Somebody', keys, extensions: leafExtensions(), ...changes });
const fields = (change: NonNullable<CertificateFault['fields']>) => make({ fault: { fields: change } });
const replace = (index: number, value: Uint8Array<ArrayBuffer>) =>
  fields((all) => all.map((field, at) => (at === index ? value : field)));

describe('parseCertificate', () => {
  test('reads what the platform reads', () => {
    for (const kind of ['p256', 'p384', 'rsa'] as const) {
      const signer = makeKeys(kind);
      const raw = make({ signer, serialNumber: Uint8Array.of(0x80, 1, 2), notAfter: Date.UTC(2051, 0, 1) });
      const read = parseCertificate(raw);
      const platform = new X509Certificate(raw);
      expect(read.raw).toBe(raw);
      expect(toHex(read.serialNumber)).toBe(platform.serialNumber.toLowerCase());
      expect(read.notBeforeMs).toBe(platform.validFromDate.getTime());
      expect(read.notAfterMs).toBe(platform.validToDate.getTime());
      expect(`CN=${read.subjectCommonName}`).toBe(platform.subject);
      expect(read.subjectPublicKeyInfo).toEqual(publicKeyInfo(keys));
      expect(read.issuer).toEqual(name('Somebody'));
      expect(read.subject).toEqual(name('Someone'));
      expect(read.signatureAlgorithm).toEqual(algorithmIdentifier(signer.kind));
      expect(platform.verify(signer.publicKey)).toBe(true);
    }
  });

  test('reads basic constraints and key usage', () => {
    const leaf = parseCertificate(make());
    expect([leaf.isCa, leaf.pathLength]).toEqual([false, null]);
    expect(leaf.keyUsage).toEqual({ digitalSignature: true, certificateSigning: false, revocationListSigning: false });
    expect([...leaf.extensions].map(([id, { critical }]) => [id, critical])).toEqual([
      ['2.5.29.19', true],
      ['2.5.29.15', true],
    ]);
    const authority = parseCertificate(make({ extensions: caExtensions(3) }));
    expect([authority.isCa, authority.pathLength]).toEqual([true, 3]);
    expect(authority.keyUsage).toEqual({
      digitalSignature: false,
      certificateSigning: true,
      revocationListSigning: true,
    });
    expect(parseCertificate(make({ extensions: caExtensions() })).pathLength).toBeNull();
    const bare = parseCertificate(make({ extensions: [] }));
    expect([bare.isCa, bare.pathLength, bare.keyUsage, bare.extensions.size]).toEqual([false, null, null, 0]);
  });

  test('reads the common name among other attributes, and limits by the byte', () => {
    const organization = set(sequence(oid('2.5.4.10'), utf8String('Vendor')));
    const both = parseCertificate(make({ subject: sequence(organization, commonName(utf8String('Someone'))) }));
    expect(both.subjectCommonName).toBe('Someone');
    expect(parseCertificate(make({ subject: sequence(organization) })).subjectCommonName).toBeNull();
    expect(parseCertificate(make({ subject: 'x'.repeat(128) })).subjectCommonName?.length).toBe(128);
    const serialNumber = new Uint8Array(20).fill(1);
    expect(parseCertificate(make({ serialNumber })).serialNumber).toEqual(serialNumber);
    const extensions = Array.from({ length: 32 }, (_, i) => extension(`1.2.${i}`, false, octetString()));
    expect(parseCertificate(make({ extensions })).extensions.size).toBe(32);
  });

  const two = [extension('1.2.3', false, octetString()), extension('1.2.3', false, octetString())];
  const refused: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
    ['nothing', new Uint8Array()],
    ['a byte behind it', Uint8Array.of(...make(), 0)],
    ['a cut end', make().slice(0, -1)],
    ['no signature', make({ fault: { parts: (parts) => parts.slice(0, 2) } })],
    ['a fourth part', make({ fault: { parts: (parts) => [...parts, integer(1)] } })],
    ['a signature that is no BIT STRING', make({ fault: { parts: ([a, b]) => [a!, b!, octetString()] } })],
    ['a signature with unused bits', make({ fault: { parts: ([a, b]) => [a!, b!, bitString(Uint8Array.of(0), 3)] } })],
    ['no version (1)', fields((all) => all.slice(1))],
    ['version 2', replace(0, context(0, integer(1)))],
    ['version 4', replace(0, context(0, integer(3)))],
    ['two versions', replace(0, context(0, integer(2), integer(2)))],
    ['a negative serial number', replace(1, der(0x02, Uint8Array.of(0x80)))],
    ['a serial number of 21 bytes', replace(1, integer(new Uint8Array(21).fill(1)))],
    ['another algorithm inside', make({ fault: { innerAlgorithm: algorithmIdentifier('p384') } })],
    ['another algorithm outside', make({ fault: { outerAlgorithm: algorithmIdentifier('p384') } })],
    ['an issuer that is no name', replace(3, utf8String('Somebody'))],
    ['a validity without end', replace(4, sequence(time(testNowMs)))],
    ['a validity of three times', replace(4, sequence(time(testNowMs), time(testNowMs), time(testNowMs)))],
    ['a validity that is no time', replace(4, sequence(time(testNowMs), integer(1)))],
    [
      'a subject of two common names',
      make({ subject: sequence(...[1, 2].map(() => commonName(utf8String('Someone')))) }),
    ],
    ['a common name of bits', make({ subject: sequence(commonName(bitString(Uint8Array.of(1)))) })],
    ['a common name that is no text', make({ subject: sequence(commonName(der(0x0c, Uint8Array.of(0xff)))) })],
    ['a common name of 129 bytes', make({ subject: 'x'.repeat(129) })],
    [
      'a name with an attribute of three',
      make({ subject: sequence(set(sequence(oid('2.5.4.3'), utf8String('x'), utf8String('x')))) }),
    ],
    ['a name with an attribute of one', make({ subject: sequence(set(sequence(oid('2.5.4.10')))) })],
    ['a key that is no SEQUENCE', replace(6, bitString(new Uint8Array(65)))],
    ['unique identifiers', fields((all) => [...all.slice(0, 7), der(0x81, Uint8Array.of(0, 1)), all[7]!])],
    ['a field behind the extensions', fields((all) => [...all, integer(1)])],
    ['extensions under another tag', replace(7, context(2, sequence(...leafExtensions())))],
    ['no extensions in their list', replace(7, context(3, sequence()))],
    ['two lists of extensions', replace(7, context(3, sequence(...leafExtensions()), sequence(...leafExtensions())))],
    ['an extension twice', make({ extensions: two })],
    [
      '33 extensions',
      make({ extensions: Array.from({ length: 33 }, (_, i) => extension(`1.2.${i}`, false, octetString())) }),
    ],
    ['an extension without value', make({ extensions: [sequence(oid('1.2.3'))] })],
    [
      'an extension of four',
      make({ extensions: [sequence(oid('1.2.3'), boolean(true), octetString(), octetString())] }),
    ],
    ['a critical flag of 01', make({ extensions: [sequence(oid('1.2.3'), der(1, Uint8Array.of(1)), octetString())] })],
    [
      'basic constraints with a byte behind them',
      make({ extensions: [extension('2.5.29.19', true, Uint8Array.of(0x30, 0, 0))] }),
    ],
    ['a path length without authority', make({ extensions: [extension('2.5.29.19', true, sequence(integer(1)))] })],
    [
      'a third constraint',
      make({ extensions: [extension('2.5.29.19', true, sequence(boolean(true), integer(1), integer(1)))] }),
    ],
    [
      'a negative path length',
      make({ extensions: [extension('2.5.29.19', true, sequence(boolean(true), der(2, Uint8Array.of(0xff))))] }),
    ],
    ['a key usage of three bytes', make({ extensions: [extension('2.5.29.15', true, bitString(new Uint8Array(3)))] })],
  ];
  test.each(refused)('refuses %s', (_name, raw) => {
    expect(() => parseCertificate(raw)).toThrow(expect.objectContaining({ code: 'malformed' }));
    expect(parseCertificate(make()).subjectCommonName).toBe('Someone');
  });

  test('refuses what is longer than 8 KiB before it reads it', () => {
    // RSA signatures are always as long as their key.
    const signer = makeKeys('rsa');
    const padded = (length: number) =>
      make({ signer, extensions: [extension('1.2.3', false, new Uint8Array(length))] });
    const room = 8192 - padded(7000).length;
    expect(parseCertificate(padded(7000 + room)).raw.length).toBe(8192);
    expect(() => parseCertificate(padded(7001 + room))).toThrow(expect.objectContaining({ code: 'too-long' }));
  });

  test('ends with a certificate or a CryptoError, whatever comes', () => {
    const next = seededNumbers(3);
    const whole = make({ extensions: caExtensions(1) });
    let [read, refusals] = [0, 0];
    for (let round = 0; round < 4000; round++) {
      try {
        parseCertificate(mutate(whole, next));
        read++;
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        refusals++;
      }
    }
    expect(Math.min(read, refusals)).toBeGreaterThan(100);
  });
});

function commonName(value: Uint8Array<ArrayBuffer>) {
  return set(sequence(oid('2.5.4.3'), value));
}
