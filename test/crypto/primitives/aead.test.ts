import { createCipheriv, createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  aeadReady,
  openChaCha20Poly1305,
  openXChaCha20Poly1305,
  sealChaCha20Poly1305,
  sealXChaCha20Poly1305,
} from '../../../crypto/primitives/aead.ts';
import { concat, fromHex, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import wycheproof from '../../vectors/xchacha20-poly1305.wycheproof.json' with { type: 'json' };

beforeAll(aeadReady);

describe('XChaCha20-Poly1305, Wycheproof', () => {
  it('has all 315 tests, valid and invalid ones', () => {
    expect(wycheproof.tests).toHaveLength(315);
    expect(new Set(wycheproof.tests.map(({ result }) => result))).toEqual(new Set(['valid', 'invalid']));
  });

  const tests = wycheproof.tests.map((test) => ({
    tcId: test.tcId,
    valid: test.result === 'valid',
    context: { key: fromHex(test.key), nonce: fromHex(test.iv), associatedData: fromHex(test.aad) },
    ciphertext: concat(fromHex(test.ct), fromHex(test.tag)),
    plaintext: fromHex(test.msg),
  }));

  it.each(tests.filter(({ valid }) => valid))('$tcId is sealed and opened', ({ context, ciphertext, plaintext }) => {
    expect(toHex(openXChaCha20Poly1305({ ...context, ciphertext }))).toBe(toHex(plaintext));
    expect(toHex(sealXChaCha20Poly1305({ ...context, plaintext }))).toBe(toHex(ciphertext));
  });

  it.each(tests.filter(({ valid }) => !valid))('$tcId is refused', ({ context, ciphertext }) => {
    const code = refusalOf(() => openXChaCha20Poly1305({ ...context, ciphertext }));
    expect(code).toBe(context.nonce.length === 24 ? 'open-failed' : 'invalid-argument');
  });
});

describe('ChaCha20-Poly1305 against OpenSSL', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  it('seals and opens the same, lengths 0 to 300', () => {
    fc.assert(
      fc.property(
        bytes(32),
        bytes(12),
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 64 }),
        (key, nonce, plaintext, associatedData) => {
          const options = { authTagLength: 16 } as const;
          const cipher = createCipheriv('chacha20-poly1305', key, nonce, options);
          cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
          const expected = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
          const sealed = sealChaCha20Poly1305({ key, nonce, plaintext, associatedData });
          expect(toHex(sealed)).toBe(expected.toString('hex'));
          const decipher = createDecipheriv('chacha20-poly1305', key, nonce, options);
          decipher.setAuthTag(sealed.subarray(-16));
          decipher.setAAD(associatedData, { plaintextLength: plaintext.length });
          const opened = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
          expect(opened.equals(plaintext)).toBe(true);
          expect(openChaCha20Poly1305({ key, nonce, ciphertext: sealed, associatedData })).toEqual(plaintext);
        },
      ),
    );
  });
});

describe.each([
  { name: 'XChaCha20-Poly1305', nonceLength: 24, seal: sealXChaCha20Poly1305, open: openXChaCha20Poly1305 },
  { name: 'ChaCha20-Poly1305', nonceLength: 12, seal: sealChaCha20Poly1305, open: openChaCha20Poly1305 },
])('$name', ({ nonceLength, seal, open }) => {
  const key = new Uint8Array(32).fill(1);
  const nonce = new Uint8Array(nonceLength).fill(2);
  const associatedData = Uint8Array.of(3, 3, 3);
  const plaintext = new Uint8Array(40).fill(4);

  it('open: rejects every changed byte, cut and extension', () => {
    const ciphertext = seal({ key, nonce, plaintext, associatedData });
    expect(open({ key, nonce, ciphertext, associatedData })).toEqual(plaintext);
    const read = (changed: Uint8Array) => open({ key, nonce, ciphertext: changed, associatedData });
    expect(unrefusedTamperings(ciphertext, read, 'open-failed')).toEqual([]);
  });

  it('open: rejects other associated data, key and nonce', () => {
    const ciphertext = seal({ key, nonce, plaintext, associatedData });
    const other = { key: key.map((byte) => byte ^ 1), nonce: nonce.map((byte) => byte ^ 1), data: Uint8Array.of(3, 3) };
    expect(refusalOf(() => open({ key: other.key, nonce, ciphertext, associatedData }))).toBe('open-failed');
    expect(refusalOf(() => open({ key, nonce: other.nonce, ciphertext, associatedData }))).toBe('open-failed');
    expect(refusalOf(() => open({ key, nonce, ciphertext, associatedData: other.data }))).toBe('open-failed');
  });

  it.each([0, 1, 16, 31, 33, 64])('refuses a key of %i bytes', (length) => {
    const wrong = new Uint8Array(length);
    expect(refusalOf(() => seal({ key: wrong, nonce, plaintext, associatedData }))).toBe('invalid-argument');
    const ciphertext = new Uint8Array(56);
    expect(refusalOf(() => open({ key: wrong, nonce, ciphertext, associatedData }))).toBe('invalid-argument');
  });

  it.each([0, 8, 12, 23, 24, 25].filter((length) => length !== nonceLength))(
    'refuses a nonce of %i bytes',
    (length) => {
      const wrong = new Uint8Array(length);
      expect(refusalOf(() => seal({ key, nonce: wrong, plaintext, associatedData }))).toBe('invalid-argument');
    },
  );

  it('keeps its input as it was', () => {
    const before = plaintext.slice();
    seal({ key, nonce, plaintext, associatedData });
    expect(plaintext).toEqual(before);
  });
});

it('says not-ready before libsodium is loaded', async () => {
  vi.resetModules();
  const fresh = await import('../../../crypto/primitives/aead.ts');
  const input = { key: new Uint8Array(32), nonce: new Uint8Array(24), associatedData: new Uint8Array(0) };
  const plaintext = new Uint8Array(1);
  expect(() => fresh.sealXChaCha20Poly1305({ ...input, plaintext })).toThrow('not-ready');
  expect(() => fresh.openXChaCha20Poly1305({ ...input, ciphertext: new Uint8Array(17) })).toThrow('not-ready');
  await fresh.aeadReady();
  expect(fresh.sealXChaCha20Poly1305({ ...input, plaintext })).toHaveLength(17);
});
