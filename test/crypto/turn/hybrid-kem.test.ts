import {
  AEAD_ChaCha20Poly1305,
  KDF_HKDF_SHA256,
  KDF_SHAKE256,
  KEM_MLKEM768_X25519 as NobleKem,
} from '@panva/hpke-noble';
import { CipherSuite } from 'hpke';
import { beforeAll, describe, expect, test } from 'vitest';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { concat, encodeUtf8, fromHex, randomBytes, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { sodium } from '../../../crypto/primitives/sodium.ts';
import { generateEnclaveKeyPair, HybridKey, hybridKem } from '../../../crypto/turn/hybrid-kem.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import published from '../../vectors/hpke-xwing.hpkewg.json' with { type: 'json' };

beforeAll(aeadReady);

const kdfs = new Map([
  [1, KDF_HKDF_SHA256],
  [17, KDF_SHAKE256],
]);

describe('KEM 0x647A by libsodium, hpkewg vectors', () => {
  const vectors = published.vectors.map((vector) => ({ ...vector, kdf: kdfs.get(vector.kdfId)! }));

  test('there are two, one for each kind of KDF', () => {
    expect(vectors.map(({ kdfId }) => kdfId)).toEqual([1, 17]);
  });

  test.each(vectors)('KDF $kdfId: encapsulates and decapsulates to the shared secret', async (vector) => {
    const { publicKey, encapsulationSeed, encapsulation, sharedSecret, secretKey } = vector;
    const made = sodium().crypto_kem_xwing_enc_deterministic(fromHex(publicKey), fromHex(encapsulationSeed));
    expect(toHex(made.ciphertext)).toBe(encapsulation);
    expect(toHex(made.sharedSecret)).toBe(sharedSecret);
    expect(toHex(sodium().crypto_kem_xwing_seed_keypair(fromHex(secretKey)).publicKey)).toBe(publicKey);
    const key = new HybridKey('private', fromHex(secretKey), false);
    expect(toHex(await hybridKem().Decap(fromHex(encapsulation), key, undefined))).toBe(sharedSecret);
  });

  test.each(vectors)('KDF $kdfId: opens every encryption in order, and exports', async (vector) => {
    const suite = new CipherSuite(hybridKem, vector.kdf, AEAD_ChaCha20Poly1305);
    const key = new HybridKey('private', fromHex(vector.secretKey), false);
    const context = await suite.SetupRecipient(key, fromHex(vector.encapsulation), { info: fromHex(vector.info) });
    expect(vector.encryptions.length).toBeGreaterThan(5);
    for (const { associatedData, plaintext, ciphertext } of vector.encryptions) {
      expect(toHex(await context.Open(fromHex(ciphertext), fromHex(associatedData)))).toBe(plaintext);
    }
    for (const { context: exporterContext, value } of vector.exports) {
      expect(toHex(await context.Export(fromHex(exporterContext), value.length / 2))).toBe(value);
    }
  });
});

describe('KEM 0x647A by libsodium and by noble', () => {
  const ours = new CipherSuite(hybridKem, KDF_HKDF_SHA256, AEAD_ChaCha20Poly1305);
  const theirs = new CipherSuite(NobleKem, KDF_HKDF_SHA256, AEAD_ChaCha20Poly1305);
  const info = encodeUtf8('info');
  const message = encodeUtf8('a content key');

  test('KEM 0x647A: libsodium and noble open each other’s seals', async () => {
    const pair = generateEnclaveKeyPair();
    const theirPublic = await theirs.DeserializePublicKey(pair.publicKey);
    const theirSecret = await theirs.DeserializePrivateKey(pair.secretKey.expose(), false);
    const bySodium = await ours.Seal(new HybridKey('public', pair.publicKey, true), message, { info });
    expect(await theirs.Open(theirSecret, bySodium.encapsulatedSecret, bySodium.ciphertext, { info })).toEqual(message);
    const byNoble = await theirs.Seal(theirPublic, message, { info });
    const ourSecret = new HybridKey('private', pair.secretKey.expose(), false);
    expect(await ours.Open(ourSecret, byNoble.encapsulatedSecret, byNoble.ciphertext, { info })).toEqual(message);
  });

  test('keys go out and in again unchanged, and only as whole keys', async () => {
    const pair = await ours.GenerateKeyPair(true);
    const publicKey = await ours.SerializePublicKey(pair.publicKey as HybridKey);
    const secretKey = await ours.SerializePrivateKey(pair.privateKey as HybridKey);
    expect([publicKey.length, secretKey.length]).toEqual([1216, 32]);
    const again = await ours.DeserializePrivateKey(secretKey, false);
    const sealed = await ours.Seal(await ours.DeserializePublicKey(publicKey), message, { info });
    expect(await ours.Open(again, sealed.encapsulatedSecret, sealed.ciphertext, { info })).toEqual(message);
    await expect(ours.SerializePrivateKey(again)).rejects.toThrow(TypeError);
    await expect(ours.DeserializePublicKey(publicKey.slice(1))).rejects.toThrow('deserialization failed');
    await expect(ours.DeriveKeyPair(randomBytes(32))).rejects.toThrow('Key derivation failed');
  });

  test('a key prints nothing of itself', () => {
    const pair = generateEnclaveKeyPair();
    expect(JSON.stringify(pair.secretKey)).toBe('"[secret]"');
    const key = new HybridKey('private', pair.secretKey.expose(), false);
    expect(JSON.parse(JSON.stringify(key))).toEqual({
      algorithm: { name: 'MLKEM768-X25519' },
      extractable: false,
      type: 'private',
    });
  });
});

describe('keyIdOf', () => {
  test('is the SHA-256 of a whole public key, and of nothing else', () => {
    const { publicKey } = generateEnclaveKeyPair();
    expect(keyIdOf(publicKey)).toHaveLength(32);
    expect(keyIdOf(publicKey)).not.toEqual(keyIdOf(generateEnclaveKeyPair().publicKey));
    expect(refusalOf(() => keyIdOf(publicKey.slice(1)))).toBe('invalid-argument');
    expect(refusalOf(() => keyIdOf(concat(publicKey, Uint8Array.of(0))))).toBe('invalid-argument');
  });
});
