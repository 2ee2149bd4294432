import { wordlist } from '@scure/bip39/wordlists/english.js';
import { hkdf, lp, sha256, u64, utf8, type Bytes } from '../protocol/conventions.ts';
import { ed25519Sign, ed25519Verify } from '../primitives/ed25519.ts';
import { refuse } from '../protocol/refusal.ts';

const bitsOf = (bytes: Bytes): string => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');

/** 24 words for 32 bytes (SPEC.md §3.4). */
export function writePhrase(entropy: Bytes): string {
  if (entropy.length !== 32) refuse('invalid-argument');
  const bits = bitsOf(entropy) + bitsOf(sha256(entropy).slice(0, 1));
  return (bits.match(/.{11}/g) ?? []).map((group) => wordlist[Number.parseInt(group, 2)]).join(' ');
}

/** The 32 bytes of what a person typed (SPEC.md §3.4). */
export function readPhrase(typed: string): Bytes {
  if (typed.length > 1024) refuse('invalid-phrase');
  const words = typed
    .normalize('NFKD')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const indexes = words.map((word) => wordlist.indexOf(word));
  if (indexes.length !== 24 || indexes.includes(-1)) refuse('invalid-phrase');
  const bits = indexes.map((index) => index.toString(2).padStart(11, '0')).join('');
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (group) => Number.parseInt(group, 2));
  const entropy = bytes.slice(0, 32);
  return sha256(entropy)[0] === bytes[32] ? entropy : refuse('invalid-phrase');
}

export const recoverySigningSeed = (entropy: Bytes): Bytes => hkdf(entropy, lp('sotto/v1/recovery-signing-key'), 32);

export type RecoveryClaim = { challenge: Bytes; nameTag: Bytes; issuedAtMs: number };

/** A client signs this to get its recovery keyslot (SPEC.md §3.4). */
export const writeClaim = ({ challenge, nameTag, issuedAtMs }: RecoveryClaim): Bytes =>
  lp('sotto/v1/recovery', challenge, nameTag, u64(issuedAtMs));

export const signClaim = (entropy: Bytes, claim: RecoveryClaim): Bytes =>
  ed25519Sign(recoverySigningSeed(entropy), writeClaim(claim));

export const isClaimSigned = (publicKey: Bytes, claim: RecoveryClaim, signature: Bytes): boolean =>
  ed25519Verify(publicKey, writeClaim(claim), signature);

export type StepUpClaim = { act: string; nonce: Bytes; bodyDigest: Bytes };

/** The phrase's key signs this as a fresh proof (SPEC.md §3.5). */
export const writeStepUpClaim = ({ act, nonce, bodyDigest }: StepUpClaim): Bytes =>
  lp('sotto/v1/step-up', utf8(act), nonce, bodyDigest);

export const signStepUp = (entropy: Bytes, claim: StepUpClaim): Bytes =>
  ed25519Sign(recoverySigningSeed(entropy), writeStepUpClaim(claim));

export const isStepUpSigned = (publicKey: Bytes, claim: StepUpClaim, signature: Bytes): boolean =>
  ed25519Verify(publicKey, writeStepUpClaim(claim), signature);
