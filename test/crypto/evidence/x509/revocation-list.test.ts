import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../../crypto/evidence/x509/certificate.ts';
import { parseRevocationList, verifyRevocationList } from '../../../../crypto/evidence/x509/revocation-list.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import {
  algorithmIdentifier,
  caExtensions,
  extension,
  makeKeys,
  type RevocationListRequest,
  testNowMs,
} from '../../../parts/evidence/vendors/certificate-maker.ts';
import { bitString, context, enumerated, integer, sequence, time } from '../../../parts/evidence/vendors/der-writer.ts';
import { mutate, seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';
import { type Der, other, pki, verdict } from './chain-bench.ts';

describe('revocation lists', () => {
  const chain = pki.chain();
  const withList = (changes: Partial<RevocationListRequest>) => verdict(chain, { lists: [pki.list(changes)] });

  test('name what is revoked, under their own issuer alone', async () => {
    expect(await withList({ revoked: [] })).toBe('accepted');
    expect(await withList({ revoked: [1, 2, 3, 200] })).toBe('revoked');
    // The leaf's serial number, in the list of an issuer that did not issue it.
    expect(await withList({ revoked: [300] })).toBe('accepted');
    expect(await withList({ issuer: 'Middle', signer: pki.middleKeys, revoked: [300] })).toBe('revoked');
    expect(await withList({ issuer: 'Middle', signer: pki.middleKeys, revoked: [200] })).toBe('accepted');
    const serials = Array.from({ length: 1500 }, (_, index) => 1000 + index);
    expect(await withList({ revoked: serials })).toBe('accepted');
    expect(await withList({ revoked: [...serials, 200] })).toBe('revoked');
  });

  const entry = (...more: Der[]) => sequence(sequence(integer(5), time(testNowMs), ...more));
  const fields = (change: (all: readonly Der[]) => readonly Der[]) => ({ fault: { fields: change } });
  const reasonList = sequence(extension('2.5.29.21', false, enumerated(1)));
  const refused: readonly (readonly [string, string, Partial<RevocationListRequest>])[] = [
    ['of another key', 'signature', { signer: other.rootKeys }],
    ['of nobody in the chain', 'chain', { issuer: 'Somebody' }],
    ['of the leaf', 'chain', { issuer: 'Leaf', signer: pki.leafKeys }],
    ['that is over', 'outdated-collateral', { nextUpdate: testNowMs - 1000 }],
    ['of tomorrow', 'not-yet-valid', { thisUpdate: testNowMs + 1000 }],
    ['without version', 'malformed', fields((all) => all.slice(1))],
    ['of version 3', 'malformed', fields((all) => [integer(2), ...all.slice(1)])],
    ['without next update', 'malformed', fields((all) => all.filter((_, index) => index !== 4))],
    ['that is partial', 'malformed', { extensions: [extension('2.5.29.28', true, sequence())] }],
    ['that is a difference', 'malformed', { extensions: [extension('2.5.29.27', true, integer(1))] }],
    ['with another algorithm inside', 'malformed', { fault: { innerAlgorithm: algorithmIdentifier('p256') } }],
    ['with another algorithm outside', 'malformed', { fault: { outerAlgorithm: algorithmIdentifier('p256') } }],
    ['with a field behind it', 'malformed', fields((all) => [...all, integer(1)])],
    ['whose extensions come before the entries', 'malformed', fields((all) => [...all, entry()])],
    ['with an entry without date', 'malformed', fields((all) => all.toSpliced(5, 0, sequence(sequence(integer(5)))))],
    ['with an entry of four', 'malformed', fields((all) => all.toSpliced(5, 0, entry(reasonList, integer(1))))],
    [
      'with an entry of another issuer (indirect)',
      'malformed',
      fields((all) => all.toSpliced(5, 0, entry(sequence(extension('2.5.29.29', true, sequence()))))),
    ],
  ];
  test.each(refused)('refuses a list %s: %s', async (_name, code, changes) => {
    expect(await withList(changes)).toBe(code);
    expect(await withList({})).toBe('accepted');
  });

  test('reads entries with a reason', async () => {
    const reason = entry(reasonList);
    expect(await withList(fields((all) => all.toSpliced(5, 0, reason)))).toBe('accepted');
    expect(parseRevocationList(pki.list(fields((all) => all.toSpliced(5, 0, reason)))).revokedSerialNumbers).toEqual(
      new Set(['05']),
    );
  });

  test('an issuer needs the right to sign lists', async () => {
    const usage = extension('2.5.29.15', true, bitString(Uint8Array.of(0b100), 2));
    const noLists = pki.chain({ root: { extensions: [caExtensions()[0]!, usage] } });
    expect(await verdict(noLists)).toBe('accepted');
    expect(await verdict(noLists, { lists: [pki.list()] })).toBe('chain');
    const issuer = parseCertificate(chain[1]!);
    const list = parseRevocationList(pki.list());
    await expect(verifyRevocationList({ list, issuer, nowMs: testNowMs })).rejects.toMatchObject({ code: 'chain' });
    const root = parseCertificate(pki.root);
    await verifyRevocationList({ list, issuer: root, nowMs: testNowMs });
    const noAuthority = { list, issuer: { ...root, isCa: false }, nowMs: testNowMs };
    await expect(verifyRevocationList(noAuthority)).rejects.toMatchObject({ code: 'chain' });
  });

  test('counts its dates to the second, both ends included', async () => {
    expect(await withList({ thisUpdate: testNowMs, nextUpdate: testNowMs })).toBe('accepted');
  });

  test('refuses bytes around it, and more than 64 KiB', () => {
    const list = pki.list();
    expect(() => parseRevocationList(Uint8Array.of(...list, 0))).toThrow(CryptoError);
    expect(() => parseRevocationList(list.slice(0, -1))).toThrow(CryptoError);
    const signer = makeKeys('rsa');
    const padded = (length: number) =>
      pki.list({ signer, extensions: [extension('1.2.3', false, new Uint8Array(length))] });
    const room = 65_536 - padded(60_000).length;
    expect(parseRevocationList(padded(60_000 + room)).extensions.size).toBe(1);
    expect(() => parseRevocationList(padded(60_001 + room))).toThrow(expect.objectContaining({ code: 'too-long' }));
    expect(() => parseRevocationList(context(0))).toThrow(CryptoError);
  });

  test('never forgets a revocation because a byte was changed', async () => {
    const next = seededNumbers(5);
    const list = pki.list({ revoked: [200, 201] });
    const seen = new Set<string>();
    for (let round = 0; round < 400; round++) {
      const changed = mutate(list, next);
      if (Buffer.compare(changed, list) !== 0) seen.add(await verdict(chain, { lists: [changed] }));
    }
    expect(seen).toContain('signature');
    expect(seen).not.toContain('accepted');
  });
});
