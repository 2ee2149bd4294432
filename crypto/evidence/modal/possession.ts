import { type Bytes, encodeUtf8 } from '../../protocol/bytes/bytes.ts';
import { labelled, sha256 } from '../../protocol/bytes/hash.ts';
import type { Secret } from '../../protocol/bytes/secret.ts';
import { signEd25519, verifyEd25519 } from './ed25519.ts';

/** A worker proves to the registrar, for one of these purposes, that it holds its identity key (SPEC.md §9.6). */
export type PossessionPurpose =
  /** The very token that goes along, so that a signature cannot be moved to another. */
  { readonly kind: 'register'; readonly identityToken: string } | { readonly kind: 'renew' };

function signedBytes(challenge: Uint8Array, purpose: PossessionPurpose): Bytes {
  const token = purpose.kind === 'register' ? sha256(encodeUtf8(purpose.identityToken)) : new Uint8Array(0);
  return labelled('sotto/v1/registrar-possession', encodeUtf8(purpose.kind), challenge, token);
}

/** @param input.challenge - The registrar gave it (32). @returns the signature (64). */
export function signPossession(input: {
  readonly identitySecretKey: Secret<'IdentityKey'>;
  readonly challenge: Uint8Array;
  readonly purpose: PossessionPurpose;
}): Bytes {
  return signEd25519(input.identitySecretKey.expose(), signedBytes(input.challenge, input.purpose));
}

/** True if the identity key signed this challenge for this purpose. */
export function verifyPossession(input: {
  readonly identityPublicKey: Uint8Array;
  readonly challenge: Uint8Array;
  readonly purpose: PossessionPurpose;
  readonly signature: Uint8Array;
}): boolean {
  const { identityPublicKey, challenge, purpose, signature } = input;
  return verifyEd25519({ publicKey: identityPublicKey, message: signedBytes(challenge, purpose), signature });
}
