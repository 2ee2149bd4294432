import { type RegistrarStatement, registrarStatement } from '../../protocol/messages/evidence-messages.ts';
import { type Bytes, concat } from '../../protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../../protocol/json/canonical-json.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { labelled } from '../../protocol/bytes/hash.ts';
import type { Secret } from '../../protocol/bytes/secret.ts';
import { signEd25519, verifyEd25519 } from './ed25519.ts';

const maximumStatementLength = 4096;
const signatureLength = 64;

/** A statement as it was signed, and its signature (64). */
export type SignedStatement = { readonly statement: Bytes; readonly signature: Bytes };

/** The registrar signs these bytes (SPEC.md §9.6). */
export function statementSignedBytes(statement: Uint8Array): Bytes {
  return labelled('sotto/v1/registrar-statement', statement);
}

/** Signs which identity key belongs to which container on Modal (SPEC.md §9.6). */
export function signRegistrarStatement(
  secretKey: Secret<'RegistrarStatementKey'>,
  value: RegistrarStatement,
): SignedStatement {
  const statement = encodeCanonicalJson(value);
  if (statement.length > maximumStatementLength) throw new CryptoError('too-long');
  return { statement, signature: signEd25519(secretKey.expose(), statementSignedBytes(statement)) };
}

/** True if the registrar's key signed these very bytes; what they say is not looked at. */
export function isSignedByRegistrar(input: SignedStatement & { readonly registrarPublicKey: Uint8Array }): boolean {
  const { registrarPublicKey, statement, signature } = input;
  return verifyEd25519({ publicKey: registrarPublicKey, message: statementSignedBytes(statement), signature });
}

/** @throws {CryptoError} `malformed`. */
export function parseRegistrarStatement(statement: Uint8Array): RegistrarStatement {
  return decodeCanonicalJson(statement, registrarStatement, maximumStatementLength);
}

/**
 * The public log holds this of a statement (SPEC.md §9.6): `signature (64) || statement`, so that an auditor can check both.
 */
export function encodeLogEntry({ statement, signature }: SignedStatement): Bytes {
  if (signature.length !== signatureLength) throw new CryptoError('invalid-argument');
  return concat(signature, statement);
}

/** @throws {CryptoError} `malformed`. */
export function decodeLogEntry(entry: Uint8Array): SignedStatement {
  if (entry.length <= signatureLength || entry.length > signatureLength + maximumStatementLength) {
    throw new CryptoError('malformed');
  }
  return {
    signature: Uint8Array.from(entry.subarray(0, signatureLength)),
    statement: Uint8Array.from(entry.subarray(signatureLength)),
  };
}
