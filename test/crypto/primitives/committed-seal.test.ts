import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { aeadReady, sealXChaCha20Poly1305 } from '../../../crypto/primitives/aead.ts';
import { concat, encodeUtf8, equalBytes, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { committedSealOverhead, openCommitted, sealCommitted } from '../../../crypto/primitives/committed-seal.ts';
import { deriveBytes } from '../../../crypto/primitives/hkdf.ts';
import { maximumPaddedLength } from '../../../crypto/protocol/bytes/size-class.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';

beforeAll(aeadReady);

const context = {
  key: new Uint8Array(32).fill(9),
  info: encodeUtf8('info'),
  associatedData: encodeUtf8('associated data'),
};
const plaintext = encodeUtf8('the plaintext');

describe('sealCommitted', () => {
  it('opens again, lengths 0 to 64 and any context', () => {
    const bytes = fc.uint8Array({ maxLength: 64 });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        bytes,
        bytes,
        bytes,
        (key, info, associatedData, text) => {
          const sealed = sealCommitted({ key, info, associatedData, plaintext: text });
          expect(sealed).toHaveLength(text.length + committedSealOverhead);
          expect(openCommitted({ key, info, associatedData, sealed })).toEqual(text);
        },
      ),
    );
  });

  it('is what SPEC.md §2.2 says, byte for byte', () => {
    const sealed = sealCommitted({ ...context, plaintext });
    const derived = deriveBytes({ key: context.key, salt: sealed.slice(0, 32), info: context.info, length: 88 });
    const ciphertext = sealXChaCha20Poly1305({
      key: derived.slice(0, 32),
      nonce: derived.slice(32, 56),
      plaintext,
      associatedData: context.associatedData,
    });
    expect(toHex(sealed.slice(32))).toBe(toHex(concat(derived.slice(56), ciphertext)));
  });

  it('never gives the same bytes twice', () => {
    const salts = new Set(
      Array.from({ length: 100 }, () => toHex(sealCommitted({ ...context, plaintext }).slice(0, 32))),
    );
    expect(salts.size).toBe(100);
  });

  it.each([0, 16, 31, 33])('refuses a key of %i bytes', (length) => {
    const key = new Uint8Array(length);
    expect(refusalOf(() => sealCommitted({ ...context, key, plaintext }))).toBe('invalid-argument');
  });

  it('refuses a plaintext above 16 MiB', () => {
    const long = new Uint8Array(maximumPaddedLength + 1);
    expect(refusalOf(() => sealCommitted({ ...context, plaintext: long }))).toBe('too-long');
    expect(refusalOf(() => sealCommitted({ ...context, plaintext: long.subarray(1) }))).toBe('accepted');
  });
});

describe('openCommitted', () => {
  it('rejects every changed byte, cut and extension', () => {
    const sealed = sealCommitted({ ...context, plaintext });
    expect(openCommitted({ ...context, sealed })).toEqual(plaintext);
    const read = (changed: Uint8Array) => openCommitted({ ...context, sealed: changed });
    expect(unrefusedTamperings(sealed, read, 'open-failed')).toEqual([]);
  });

  it.each([
    ['key', { ...context, key: new Uint8Array(32).fill(8) }],
    ['info', { ...context, info: encodeUtf8('inf') }],
    ['associated data', { ...context, associatedData: encodeUtf8('associated dat') }],
  ])('rejects another %s', (_, other) => {
    const sealed = sealCommitted({ ...context, plaintext });
    expect(refusalOf(() => openCommitted({ ...other, sealed }))).toBe('open-failed');
  });

  it('M23: no ciphertext opens under two keys, since a right tag is not enough', () => {
    // The writer of such a ciphertext could make the AEAD accept it; the commitment of the second key would still differ.
    const sealed = sealCommitted({ ...context, plaintext });
    const other = { ...context, key: new Uint8Array(32).fill(8) };
    const derived = deriveBytes({ key: other.key, salt: sealed.slice(0, 32), info: other.info, length: 88 });
    const genuine = sealXChaCha20Poly1305({
      key: derived.slice(0, 32),
      nonce: derived.slice(32, 56),
      plaintext,
      associatedData: other.associatedData,
    });
    // A body whose tag is right under the second key, with the first key's commitment.
    const forged = concat(sealed.slice(0, 64), genuine);
    expect(refusalOf(() => openCommitted({ ...other, sealed: forged }))).toBe('open-failed');
    expect(
      equalBytes(
        openCommitted({ ...other, sealed: concat(sealed.slice(0, 32), derived.slice(56), genuine) }),
        plaintext,
      ),
    ).toBe(true);
  });
});
