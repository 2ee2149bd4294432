import { describe, expect, test } from 'vitest';
import {
  ecdsaDerToRaw,
  ecPublicKeyInfo,
  nameSignatureAlgorithm,
  verifyDerSignature,
  verifySignature,
} from '../../../../crypto/evidence/x509/signature.ts';
import { concat, encodeUtf8, fromHex, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import {
  algorithmIdentifier,
  makeKeys,
  pssIdentifier,
  publicKeyInfo,
  publicKeyPoint,
  signDer,
  signRaw,
} from '../../../parts/evidence/vendors/certificate-maker.ts';
import { integer, oid, sequence } from '../../../parts/evidence/vendors/der-writer.ts';

const message = encodeUtf8('sample');
const malformed = expect.objectContaining({ code: 'malformed' });

describe('verifySignature', () => {
  // RFC 6979 A.2.5 and A.2.6, message "sample".
  const published = [
    {
      algorithm: 'ecdsa-p256-sha256',
      point:
        '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6' +
        '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
      signature:
        'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
        'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
    },
    {
      algorithm: 'ecdsa-p384-sha384',
      point:
        'ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13' +
        '8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720',
      signature:
        '94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46' +
        '99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8',
    },
  ] as const;

  test.each(published)('accepts the vector of RFC 6979 for $algorithm', async ({ algorithm, point, signature }) => {
    const subjectPublicKeyInfo = ecPublicKeyInfo(fromHex(point));
    const input = { subjectPublicKeyInfo, algorithm, signature: fromHex(signature), message };
    expect(await verifySignature(input)).toBe(true);
    expect(await verifySignature({ ...input, message: encodeUtf8('simple') })).toBe(false);
    expect(await verifySignature({ ...input, signature: fromHex(signature).reverse() })).toBe(false);
    expect(await verifySignature({ ...input, signature: fromHex(signature).slice(1) })).toBe(false);
    expect(await verifySignature({ ...input, signature: new Uint8Array(signature.length / 2) })).toBe(false);
  });

  test.each(['p256', 'p384', 'rsa'] as const)('%s: accepts its own algorithm alone', async (kind) => {
    const keys = makeKeys(kind);
    const signature = kind === 'rsa' ? signDer(keys, message) : signRaw(keys, message);
    const algorithms = ['ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'rsa-pss-sha384'] as const;
    const results = [];
    for (const algorithm of algorithms) {
      results.push(await verifySignature({ subjectPublicKeyInfo: publicKeyInfo(keys), algorithm, signature, message }));
    }
    expect(results).toEqual([kind === 'p256', kind === 'p384', kind === 'rsa']);
  });

  test('says no, rather than to throw, to what is no key', async () => {
    const keys = makeKeys('p384');
    const signature = signRaw(keys, message);
    const info = publicKeyInfo(keys);
    const offCurve = info.slice();
    offCurve[offCurve.length - 1]! ^= 1;
    const infinity = info.slice(0, -97);
    for (const key of [offCurve, infinity, new Uint8Array(), info.slice(1), concat(info, info)]) {
      const input = { algorithm: 'ecdsa-p384-sha384' as const, signature, message };
      expect(await verifySignature({ ...input, subjectPublicKeyInfo: key })).toBe(false);
      expect(await verifySignature({ ...input, subjectPublicKeyInfo: info })).toBe(true);
    }
  });

  test('RSA-PSS: a salt of 48 bytes and no other', async () => {
    const keys = makeKeys('rsa');
    const accepts = async (saltLength: number) =>
      verifySignature({
        subjectPublicKeyInfo: publicKeyInfo(keys),
        algorithm: 'rsa-pss-sha384',
        signature: signDer(keys, message, saltLength),
        message,
      });
    expect(await Promise.all([accepts(48), accepts(0), accepts(32), accepts(47), accepts(64)])).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('nameSignatureAlgorithm', () => {
  test('knows the identifiers of the vendors', () => {
    expect(nameSignatureAlgorithm(algorithmIdentifier('p256'))).toBe('ecdsa-p256-sha256');
    expect(nameSignatureAlgorithm(algorithmIdentifier('p384'))).toBe('ecdsa-p384-sha384');
    expect(nameSignatureAlgorithm(pssIdentifier())).toBe('rsa-pss-sha384');
    expect(nameSignatureAlgorithm(pssIdentifier({ withTrailer: false }))).toBe('rsa-pss-sha384');
  });

  test.each([
    ['RSASSA-PKCS1-v1_5', sequence(oid('1.2.840.113549.1.1.12'), Uint8Array.of(5, 0))],
    ['ECDSA with SHA-1', sequence(oid('1.2.840.10045.4.1'))],
    ['ECDSA with SHA-512', sequence(oid('1.2.840.10045.4.3.4'))],
    ['ECDSA with a parameter', sequence(oid('1.2.840.10045.4.3.3'), Uint8Array.of(5, 0))],
    ['PSS without parameters (SHA-1)', sequence(oid('1.2.840.113549.1.1.10'), sequence())],
    ['PSS with SHA-256', pssIdentifier({ hash: sequence(oid('2.16.840.1.101.3.4.2.1'), Uint8Array.of(5, 0)) })],
    ['PSS with a salt of 32', pssIdentifier({ saltLength: 32 })],
    ['nothing', new Uint8Array()],
    ['a long text', new Uint8Array(8000)],
  ])('refuses %s', (_name, identifier) => {
    expect(nameSignatureAlgorithm(identifier)).toBeNull();
  });
});

describe('ecdsaDerToRaw', () => {
  test('pads short numbers and drops the zero of the sign', () => {
    const raw = ecdsaDerToRaw(sequence(integer(1), integer(new Uint8Array(32).fill(0xff))), 32);
    expect(toHex(raw)).toBe(`${'00'.repeat(31)}01${'ff'.repeat(32)}`);
  });

  test('agrees with the raw form that the platform writes', async () => {
    for (const kind of ['p256', 'p384'] as const) {
      const keys = makeKeys(kind);
      const subjectPublicKeyInfo = ecPublicKeyInfo(publicKeyPoint(keys));
      expect(subjectPublicKeyInfo).toEqual(publicKeyInfo(keys));
      const input = { subjectPublicKeyInfo, algorithm: algorithmIdentifier(kind), message };
      for (let round = 0; round < 40; round++) {
        const signature = signDer(keys, message);
        expect(await verifyDerSignature({ ...input, signature })).toBe(true);
      }
      expect(await verifyDerSignature({ ...input, signature: signRaw(keys, message) })).toBe(false);
    }
  });

  test.each([
    ['one number', sequence(integer(1))],
    ['three numbers', sequence(integer(1), integer(1), integer(1))],
    ['a number that is too long', sequence(integer(1), integer(new Uint8Array(33).fill(1)))],
    ['a first number that is too long', sequence(integer(new Uint8Array(33).fill(1)), integer(1))],
    ['a negative number', sequence(integer(1), Uint8Array.of(2, 1, 0x80))],
    ['a needless zero', sequence(integer(1), Uint8Array.of(2, 2, 0, 1))],
    ['a byte behind', concat(sequence(integer(1), integer(1)), new Uint8Array(1))],
    ['a long length', Uint8Array.of(0x30, 0x81, 6, 2, 1, 1, 2, 1, 1)],
    ['nothing', new Uint8Array()],
  ])('refuses %s', (_name, signature) => {
    expect(() => ecdsaDerToRaw(signature, 32)).toThrow(malformed);
  });

  test('a key is a point of 64 or 96 bytes', () => {
    for (const length of [0, 63, 65, 95, 97, 132]) {
      expect(() => ecPublicKeyInfo(new Uint8Array(length))).toThrow(malformed);
    }
  });
});
