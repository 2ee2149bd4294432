import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { type Bytes, randomBytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { deriveBytes } from '../primitives/hkdf.ts';
import { Secret } from '../protocol/bytes/secret.ts';
import { encodeRecoveryClaim, type RecoveryClaim } from '../sign-in/recovery-signature.ts';
import { encodeStepUpClaim, type StepUpClaim } from '../sign-in/step-up.ts';

/** 24 words of BIP-39's English list: 32 bytes of entropy and a checksum byte. */
export const recoveryPhraseLength = 24;
/** Longest text that is looked at, in UTF-16 units; the longest phrase has 215. */
const maximumInputLength = 1024;

/** The words of 32 bytes of entropy. The words are as secret as the bytes, and cannot be wiped. */
export function encodeRecoveryPhrase(entropy: Secret<'RecoveryEntropy'>): readonly string[] {
  return entropyToMnemonic(entropy.expose(), wordlist).split(' ');
}

/** A new recovery phrase (SPEC.md §3.4). */
export function generateRecoveryPhrase(): {
  readonly words: readonly string[];
  readonly entropy: Secret<'RecoveryEntropy'>;
} {
  const entropy = new Secret('RecoveryEntropy', randomBytes(32));
  return { words: encodeRecoveryPhrase(entropy), entropy };
}

/**
 * Reads a phrase as people type it: any case, any white space.
 *
 * @throws {CryptoError} `invalid-phrase` for another number of words, an unknown word or a wrong checksum.
 */
export function parseRecoveryPhrase(text: string): Secret<'RecoveryEntropy'> {
  if (text.length > maximumInputLength) throw new CryptoError('invalid-phrase');
  const words = wordsOf(text);
  if (words.length !== recoveryPhraseLength) throw new CryptoError('invalid-phrase');
  try {
    return new Secret('RecoveryEntropy', new Uint8Array(mnemonicToEntropy(words.join(' '), wordlist)));
  } catch {
    throw new CryptoError('invalid-phrase');
  }
}

export type RecoverySigningKeys = {
  readonly publicKey: Bytes;
  readonly sign: (claim: RecoveryClaim) => Bytes;
  /** A fresh proof before an act that changes ways in (SPEC.md §3.5). */
  readonly signStepUp: (claim: StepUpClaim) => Bytes;
  readonly wipe: () => void;
};

/**
 * Which words of a phrase that was refused cannot be of any: to show where it was mistyped.
 *
 * @returns their numbers from 1 on; none where only the checksum is wrong, or where the text is too long to be looked at.
 */
export function findUnknownWords(text: string): readonly number[] {
  if (text.length > maximumInputLength) return [];
  const known = new Set(wordlist);
  return wordsOf(text).flatMap((word, index) => (known.has(word) ? [] : [index + 1]));
}

function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
}

/**
 * The key pair that proves possession of the phrase to the relay (SPEC.md §3.4). It derives apart from the
 * key-encryption key, so that what the relay stores says nothing about that one.
 *
 * @returns the Ed25519 public key (32 bytes), functions that sign a claim (64 bytes), and one that wipes the seed.
 */
export function deriveRecoverySigningKeys(entropy: Secret<'RecoveryEntropy'>): RecoverySigningKeys {
  const info = labelled('sotto/v1/recovery-signing-key');
  const seed = new Secret('RecoverySigningSeed', deriveBytes({ key: entropy.expose(), info, length: 32 }));
  return {
    publicKey: ed25519.getPublicKey(seed.expose()),
    sign: (claim) => ed25519.sign(encodeRecoveryClaim(claim), seed.expose()),
    signStepUp: (claim) => ed25519.sign(encodeStepUpClaim(claim), seed.expose()),
    wipe: () => seed.wipe(),
  };
}
