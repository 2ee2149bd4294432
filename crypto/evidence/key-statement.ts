import { ed25519 } from '@noble/curves/ed25519.js';
import { type KeyStatement, keyStatement } from '../protocol/messages/enclave-messages.ts';
import { type Bytes, equalBytes, fromBase64Url } from '../protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { Secret } from '../protocol/bytes/secret.ts';

export const identityPublicKeyLength = 32;
const maximumStatementLength = 4096;

/** The enclave's Ed25519 identity: X-Wing cannot sign (SPEC.md §9.1). */
export type IdentityKeyPair = { readonly publicKey: Bytes; readonly secretKey: Secret<'IdentityKey'> };

/** Made in memory at the enclave's start; it is never stored. */
export function generateIdentityKeyPair(): IdentityKeyPair {
  const { secretKey, publicKey } = ed25519.keygen();
  return { publicKey: Uint8Array.from(publicKey), secretKey: new Secret('IdentityKey', Uint8Array.from(secretKey)) };
}

function signedBytes(statement: Uint8Array): Bytes {
  return labelled('sotto/v1/key-statement', statement);
}

/**
 * Signs which keys, model and weights this enclave answers with, for one client's nonce (SPEC.md §9.2).
 *
 * @returns the statement as canonical JSON, and its signature (64).
 * @throws {CryptoError} `too-long`, `invalid-argument`.
 */
export function signKeyStatement(input: {
  readonly identitySecretKey: Secret<'IdentityKey'>;
  readonly statement: KeyStatement;
}): { readonly statement: Bytes; readonly signature: Bytes } {
  const statement = encodeCanonicalJson(input.statement);
  if (statement.length > maximumStatementLength) throw new CryptoError('too-long');
  const signature = ed25519.sign(signedBytes(statement), input.identitySecretKey.expose());
  return { statement, signature: Uint8Array.from(signature) };
}

/**
 * Checks signature, form and nonce of a key statement (SPEC.md §9.2).
 *
 * @param input.nonce - The client's own; a statement for another nonce is an old one.
 * @throws {CryptoError} `evidence-refused` for a wrong signature or nonce, `malformed` for signed bytes that are no statement.
 */
export function verifyKeyStatement(input: {
  readonly identityPublicKey: Uint8Array;
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
  readonly nonce: Uint8Array;
}): KeyStatement {
  if (!isSignedBy(input)) throw new CryptoError('evidence-refused');
  const statement = decodeCanonicalJson(input.statement, keyStatement, maximumStatementLength);
  if (!equalBytes(fromBase64Url(statement.nonce), input.nonce)) throw new CryptoError('evidence-refused');
  return statement;
}

/** Strict RFC 8032 verification, so that no second signature or small-order key passes. */
export function isSignedBy(input: {
  readonly identityPublicKey: Uint8Array;
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
}): boolean {
  try {
    const { signature, statement, identityPublicKey } = input;
    return ed25519.verify(signature, signedBytes(statement), identityPublicKey, { zip215: false });
  } catch {
    // A key or signature of the wrong form.
    return false;
  }
}
