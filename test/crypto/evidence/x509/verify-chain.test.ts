import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../../crypto/protocol/bytes/hash.ts';
import {
  algorithmIdentifier,
  caExtensions,
  type CertificateRequest,
  extension,
  type KeyKind,
  leafExtensions,
  makeCertificate,
  makeKeys,
  testNowMs,
} from '../../../parts/evidence/vendors/certificate-maker.ts';
import { bitString, octetString, oid, sequence } from '../../../parts/evidence/vendors/der-writer.ts';
import { mutate, seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';
import { makePki, other, pki, type Requests, verdict } from './chain-bench.ts';

describe('verifyChain', () => {
  test.each([
    ['p256', 'p256', 'p256'],
    ['p384', 'p384', 'p384'],
    ['p384', 'rsa', 'rsa'],
    ['rsa', 'p256', 'p384'],
  ] as const)('accepts a chain of %s, %s, %s', async (...kinds) => {
    const { chain, list } = makePki(kinds);
    expect(await verdict(chain(), { lists: [list()] })).toBe('accepted');
  });

  test('wants a pinned root, by its whole certificate', async () => {
    const chain = pki.chain();
    const digest = sha256(pki.root);
    expect(await verdict(chain, { rootDigests: [sha256(other.root), digest] })).toBe('accepted');
    expect(await verdict(chain, { rootDigests: [] })).toBe('untrusted-root');
    expect(await verdict(chain, { rootDigests: [sha256(other.root)] })).toBe('untrusted-root');
    expect(await verdict([...chain.slice(0, 2), other.root], { rootDigests: [digest] })).toBe('untrusted-root');
    expect(await verdict(chain.slice(0, 2), { rootDigests: [digest] })).toBe('untrusted-root');
    // The root again, made anew with the same key: not the certificate that was pinned.
    expect(await verdict(pki.chain({ root: { serialNumber: 2 } }), { rootDigests: [digest] })).toBe('untrusted-root');
  });

  test('wants two to eight certificates, in order', async () => {
    const chain = pki.chain();
    const [leaf, middle, root] = chain;
    expect(await verdict([])).toBe('chain');
    expect(await verdict([root!])).toBe('chain');
    expect(await verdict([middle!, root!])).toBe('accepted');
    expect(await verdict([leaf!, root!])).toBe('chain');
    expect(await verdict([middle!, leaf!, root!])).toBe('chain');
    expect(await verdict([leaf!, leaf!, middle!, root!])).toBe('chain');
    expect(await verdict([...Array.from({ length: 7 }, () => middle!), root!, root!])).toBe('chain');
  });

  test('takes eight certificates and not nine', async () => {
    const keys = pki.middleKeys;
    const root = makeCertificate({ subject: 'Same', keys, extensions: caExtensions() });
    const chain = (length: number) => Array.from({ length }, () => root);
    expect(await verdict(chain(8))).toBe('accepted');
    expect(await verdict(chain(9))).toBe('chain');
  });

  test('counts what stands below an authority', async () => {
    const keys = makeKeys('p256');
    const deep = (pathLength?: number) => {
      const [, middle, root] = pki.chain({ middle: { extensions: caExtensions(pathLength) } });
      const signer = pki.middleKeys;
      const lower = makeCertificate({ subject: 'Lower', issuer: 'Middle', keys, signer, extensions: caExtensions() });
      const leaf = makeCertificate({ subject: 'Leaf', issuer: 'Lower', keys: pki.leafKeys, signer: keys });
      return [leaf, lower, middle!, root!];
    };
    expect(await verdict(deep(0))).toBe('chain');
    expect(await verdict(deep(1))).toBe('accepted');
    expect(await verdict(deep())).toBe('accepted');
  });

  const critical = extension('1.2.3.4', true, octetString());
  const usage = (bits: number) => extension('2.5.29.15', true, bitString(Uint8Array.of(bits), 0));
  const [constraints, caUsage] = caExtensions();
  const refused: readonly (readonly [string, string, Partial<Requests>])[] = [
    ['a leaf of another key', 'chain', { leaf: { signer: other.middleKeys } }],
    ['a leaf of another name', 'chain', { leaf: { issuer: 'Root' } }],
    ['a leaf signed by the root in the name of another', 'chain', { leaf: { signer: pki.rootKeys } }],
    ['a leaf that signed itself', 'chain', { leaf: { signer: pki.leafKeys } }],
    ['a leaf whose algorithm is not of its issuer', 'chain', { leaf: asAlgorithm('p256') }],
    ['a leaf whose algorithm is of another sort of key', 'chain', { leaf: asAlgorithm('rsa') }],
    ['a leaf whose algorithm nobody knows', 'chain', { leaf: underIdentifier(sequence(oid('1.2.840.10045.4.3.4'))) }],
    ['a leaf with a critical extension', 'chain', { leaf: { extensions: [...leafExtensions(), critical] } }],
    ['a leaf whose key may not sign', 'chain', { leaf: { extensions: [usage(0b0010_0000)] } }],
    ['a leaf that has expired', 'expired', { leaf: { notAfter: testNowMs - 1000 } }],
    ['a leaf of tomorrow', 'not-yet-valid', { leaf: { notBefore: testNowMs + 1000 } }],
    ['a middle of another key', 'chain', { middle: { signer: other.rootKeys } }],
    ['a middle of another name', 'chain', { middle: { issuer: 'Somebody' } }],
    ['a middle with another subject', 'chain', { middle: { subject: 'Somebody' } }],
    ['a middle for another key', 'chain', { middle: { keys: other.middleKeys } }],
    ['a middle that is no authority', 'chain', { middle: { extensions: [caUsage!] } }],
    ['a middle that says it is no authority', 'chain', { middle: { extensions: [leafExtensions()[0]!, caUsage!] } }],
    ['a middle without key usage', 'chain', { middle: { extensions: [constraints!] } }],
    ['a middle that may only sign lists', 'chain', { middle: { extensions: [constraints!, usage(0b10)] } }],
    ['a middle with a critical extension', 'chain', { middle: { extensions: [...caExtensions(), critical] } }],
    ['a middle that has expired', 'expired', { middle: { notAfter: testNowMs - 1000 } }],
    ['a middle of tomorrow', 'not-yet-valid', { middle: { notBefore: testNowMs + 1000 } }],
    ['a root that is no authority', 'chain', { root: { extensions: [caUsage!] } }],
    ['a root that has expired', 'expired', { root: { notAfter: testNowMs - 1000 } }],
    ['a root of another key', 'chain', { root: { signer: other.rootKeys } }],
    ['a root of another issuer', 'chain', { root: { issuer: 'Somebody' } }],
  ];
  test.each(refused)('refuses %s: %s', async (_name, code, requests) => {
    expect(await verdict(pki.chain(requests))).toBe(code);
    expect(await verdict(pki.chain())).toBe('accepted');
  });

  test('leaves a critical extension to a caller who reads it', async () => {
    const chain = pki.chain({ leaf: { extensions: [...leafExtensions(), critical] } });
    expect(await verdict(chain, { understood: ['1.2.3.4'] })).toBe('accepted');
    expect(await verdict(chain, { understood: ['1.2.3'] })).toBe('chain');
  });

  test('takes dates by the second, and a leaf that is an authority', async () => {
    const chain = pki.chain({ leaf: { notBefore: testNowMs, notAfter: testNowMs, extensions: caExtensions() } });
    expect(await verdict(chain)).toBe('accepted');
    expect(await verdict(chain, { nowMs: testNowMs + 1 })).toBe('expired');
    expect(await verdict(chain, { nowMs: testNowMs - 1 })).toBe('not-yet-valid');
  });

  test('never accepts a chain of which a byte was changed', async () => {
    const next = seededNumbers(4);
    const chain = pki.chain();
    const rootDigests = [sha256(pki.root)];
    const seen = new Set<string>();
    for (let round = 0; round < 600; round++) {
      const at = next(3);
      const changed = mutate(chain[at]!, next);
      if (Buffer.compare(changed, chain[at]!) === 0) continue;
      seen.add(await verdict(chain.with(at, changed), { rootDigests }));
    }
    expect(seen).toContain('chain');
    expect(seen).toContain('untrusted-root');
    expect(seen).toContain('malformed');
    expect(seen).not.toContain('accepted');
  });
});

/** Signed as it should be, under the name of another algorithm. */
function asAlgorithm(kind: KeyKind): Partial<CertificateRequest> {
  return underIdentifier(algorithmIdentifier(kind));
}
function underIdentifier(identifier: Uint8Array<ArrayBuffer>): Partial<CertificateRequest> {
  return { fault: { innerAlgorithm: identifier, outerAlgorithm: identifier } };
}
