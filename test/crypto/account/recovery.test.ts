import { createPublicKey, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import {
  deriveRecoverySigningKeys,
  encodeRecoveryPhrase,
  findUnknownWords,
  generateRecoveryPhrase,
  parseRecoveryPhrase,
} from '../../../crypto/account/recovery-phrase.ts';
import { encodeRecoveryClaim, verifyRecoverySignature } from '../../../crypto/sign-in/recovery-signature.ts';
import { toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import { filled } from '../../parts/crypto/sample-account.ts';
import { tamperings } from '../../parts/crypto/tampering.ts';
import bip39 from '../../vectors/bip39-english-256.trezor.json' with { type: 'json' };

const secretOf = (hex: string) => new Secret('RecoveryEntropy', new Uint8Array(Buffer.from(hex, 'hex')));

describe('recovery phrase, vectors of BIP-39', () => {
  it.each(bip39.tests)('$entropy', ({ entropy, words }) => {
    expect(encodeRecoveryPhrase(secretOf(entropy)).join(' ')).toBe(words);
    expect(toHex(parseRecoveryPhrase(words).expose())).toBe(entropy);
  });
});

describe('recovery phrase', () => {
  const { words, entropy } = generateRecoveryPhrase();
  const phrase = words.join(' ');

  it('24 words of 32 bytes, another one each time', () => {
    expect(words).toHaveLength(24);
    expect(entropy.expose()).toHaveLength(32);
    expect(generateRecoveryPhrase().words.join(' ')).not.toBe(phrase);
  });

  it.each([
    ['as it is', phrase],
    ['in capitals', phrase.toUpperCase()],
    ['one word a line', `\n${words.join('\r\n')}\n`],
    ['with other spaces', `\u3000${words.join('\u00a0 \t')}  `],
    ['in full-width letters', phrase.replaceAll('a', 'ａ')],
  ])('parse: takes it %s', (_, text) => {
    expect(parseRecoveryPhrase(text).expose()).toEqual(entropy.expose());
  });

  const swapped = [words[1], words[0], ...words.slice(2)].join(' ');
  it.each([
    ['nothing', ''],
    ['23 words', words.slice(1).join(' ')],
    ['25 words', `${phrase} abandon`],
    ['12 words with a right checksum', `${'abandon '.repeat(11)}about`],
    ['a word outside the list', phrase.replace(words[0]!, 'sotto')],
    ['numbered words', words.map((word, place) => `${place + 1}. ${word}`).join(' ')],
    ['a wrong checksum', `${'abandon '.repeat(23)}abandon`],
    ['a very long text', `${phrase}${' '.repeat(2000)}`],
  ])('parse: refuses %s', (_, text) => {
    expect(refusalOf(() => parseRecoveryPhrase(text))).toBe('invalid-phrase');
  });

  it('find unknown words: names those that are outside the list, and none of a phrase or of a wrong checksum', () => {
    const typed = words.with(2, 'sotto').with(23, 'abandn').join('\n').toUpperCase();
    expect(findUnknownWords(typed)).toEqual([3, 24]);
    expect(findUnknownWords('aband zoo')).toEqual([1]);
    for (const text of [phrase, 'abandon '.repeat(24), '', `sotto${' '.repeat(2000)}`]) {
      expect(findUnknownWords(text)).toEqual([]);
    }
  });

  it('parse: two swapped words never give the same entropy', () => {
    const opened = refusalOf(() => parseRecoveryPhrase(swapped));
    const same = opened === 'accepted' && toHex(parseRecoveryPhrase(swapped).expose()) === toHex(entropy.expose());
    expect(same && words[0] !== words[1]).toBe(false);
  });
});

describe('recovery signature', () => {
  const keys = deriveRecoverySigningKeys(secretOf('11'.repeat(32)));
  const claim = { challenge: filled(32, 1), nameTag: filled(32, 2), issuedAtMs: 1_800_000_000_000 };
  const { publicKey } = keys;
  const signature = keys.sign(claim);

  it('verifies here and in OpenSSL', () => {
    expect(verifyRecoverySignature({ ...claim, publicKey, signature })).toBe(true);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify(null, encodeRecoveryClaim(claim), key, signature)).toBe(true);
  });

  it('is the same for the same claim, and apart for each phrase', () => {
    expect(toHex(keys.sign(claim))).toBe(toHex(signature));
    expect(toHex(deriveRecoverySigningKeys(secretOf('12'.repeat(32))).publicKey)).not.toBe(toHex(publicKey));
  });

  it.each([
    ['another challenge', { challenge: filled(32, 3) }],
    ['another account', { nameTag: filled(32, 3) }],
    ['another time', { issuedAtMs: claim.issuedAtMs + 1 }],
    ['another key', { publicKey: deriveRecoverySigningKeys(secretOf('12'.repeat(32))).publicKey }],
    ['a key of 31 bytes', { publicKey: publicKey.slice(1) }],
    ['a key that is no point', { publicKey: filled(32, 0xff) }],
    ['a challenge of 31 bytes', { challenge: filled(31, 1) }],
    ['a negative time', { issuedAtMs: -1 }],
    ['challenge and name swapped', { challenge: claim.nameTag, nameTag: claim.challenge }],
  ])('verify: refuses %s', (_, change) => {
    expect(verifyRecoverySignature({ ...claim, publicKey, signature, ...change })).toBe(false);
  });

  it('verify: refuses every changed byte, cut and extension', () => {
    const accepted = [...tamperings(signature)].filter((changed) =>
      verifyRecoverySignature({ ...claim, publicKey, signature: changed.bytes }),
    );
    expect(accepted).toEqual([]);
  });

  it('verify: refuses the same signature with its scalar raised by the group order', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const scalar = BigInt(`0x${Buffer.from(signature.slice(32)).reverse().toString('hex')}`) + order;
    const raised = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse();
    const malleable = new Uint8Array([...signature.slice(0, 32), ...raised]);
    expect(verifyRecoverySignature({ ...claim, publicKey, signature: malleable })).toBe(false);
  });

  it('verify: refuses a key of small order, for which one signature would fit every claim', () => {
    const identity = filled(32, 0).with(0, 1) as Uint8Array<ArrayBuffer>;
    const forAll = new Uint8Array([...identity, ...filled(32, 0)]);
    expect(ed25519.verify(forAll, encodeRecoveryClaim(claim), identity, { zip215: true })).toBe(true);
    expect(verifyRecoverySignature({ ...claim, publicKey: identity, signature: forAll })).toBe(false);
  });

  it('sign: refuses a claim of other lengths', () => {
    expect(refusalOf(() => keys.sign({ ...claim, challenge: filled(33, 1) }))).toBe('invalid-argument');
  });
});
