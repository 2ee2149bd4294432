import { type Bytes, concat, encodeUtf8, equalBytes } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { sha256 } from '../../protocol/bytes/hash.ts';
import type { Secret } from '../../protocol/bytes/secret.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { signEd25519, verifyEd25519 } from './ed25519.ts';

/** A log's size and root at one moment (C2SP tlog-checkpoint). */
export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  /** 32 */
  readonly rootHash: Bytes;
};
type NoteSignature = { readonly keyName: string; readonly keyId: Bytes; readonly signature: Bytes };
export type SignedCheckpoint = Checkpoint & {
  /** The signed text, its last newline included. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

const maximumLength = 2048;
const maximumSignatures = 16;
const keyIdLength = 4;
/** The type of Ed25519 in C2SP signed-note. */
const ed25519Type = Uint8Array.of(1);
/** No blank, no plus, no control character: one line, and a key name. */
const originForm = /^[!-*,-~]{1,128}$/;
const sizeForm = /^(0|[1-9]\d{0,15})$/;
const signatureForm = /^\u2014 ([!-*,-~]{1,256}) ([A-Za-z0-9+/]+={0,2})$/u;

/** The four bytes by which a signed note names a key (C2SP signed-note): a hint, no proof. */
export function noteKeyId(keyName: string, publicKey: Uint8Array): Bytes {
  return sha256(encodeUtf8(`${keyName}\n`), ed25519Type, publicKey).slice(0, keyIdLength);
}

function noteText({ origin, size, rootHash }: Checkpoint): string {
  if (!originForm.test(origin) || !Number.isSafeInteger(size) || size < 0 || rootHash.length !== 32) {
    throw new CryptoError('invalid-argument');
  }
  return `${origin}\n${size}\n${toBase64(rootHash)}\n`;
}

/** Signs a checkpoint under the log's own name (SPEC.md §9.6). @returns the signed note as text. */
export function signCheckpoint(
  checkpoint: Checkpoint,
  key: { readonly secretKey: Secret<'LogKey'>; readonly publicKey: Uint8Array },
): string {
  const text = noteText(checkpoint);
  const signature = signEd25519(key.secretKey.expose(), encodeUtf8(text));
  const keyId = noteKeyId(checkpoint.origin, key.publicKey);
  return `${text}\n\u2014 ${checkpoint.origin} ${toBase64(concat(keyId, signature))}\n`;
}

/**
 * Reads a signed checkpoint (SPEC.md §9.6) without looking at its signatures. Stricter than the note format: three lines of
 * text, no extension lines, 16 signatures at most, key names in printable ASCII.
 *
 * @throws {CryptoError} `malformed`.
 */
export function parseCheckpoint(note: string): SignedCheckpoint {
  if (note.length > maximumLength || !note.endsWith('\n')) throw new CryptoError('malformed');
  const [origin = '', sizeText = '', rootText = '', blank, ...signatureLines] = note.slice(0, -1).split('\n');
  const size = sizeForm.test(sizeText) ? Number(sizeText) : Number.NaN;
  const rootHash = fromBase64(rootText);
  if (!originForm.test(origin) || !Number.isSafeInteger(size) || rootHash.length !== 32 || blank !== '') {
    throw new CryptoError('malformed');
  }
  if (signatureLines.length === 0 || signatureLines.length > maximumSignatures) throw new CryptoError('malformed');
  return {
    origin,
    size,
    rootHash,
    text: `${origin}\n${sizeText}\n${rootText}\n`,
    signatures: signatureLines.map(parseSignature),
  };
}

function parseSignature(line: string): NoteSignature {
  const [, keyName, encoded] = signatureForm.exec(line) ?? [];
  if (keyName === undefined || encoded === undefined) throw new CryptoError('malformed');
  const bytes = fromBase64(encoded);
  if (bytes.length <= keyIdLength) throw new CryptoError('malformed');
  return { keyName, keyId: bytes.slice(0, keyIdLength), signature: bytes.slice(keyIdLength) };
}

/**
 * True if the log signed it, under its origin as key name and with this key. Signatures of others (witnesses) are passed over;
 * one that claims to be the log's must verify.
 */
export function isSignedByLog(checkpoint: SignedCheckpoint, logPublicKey: Uint8Array): boolean {
  const keyId = noteKeyId(checkpoint.origin, logPublicKey);
  const own = checkpoint.signatures.filter(
    (entry) => entry.keyName === checkpoint.origin && equalBytes(entry.keyId, keyId),
  );
  const message = encodeUtf8(checkpoint.text);
  return own.length > 0 && own.every(({ signature }) => verifyEd25519({ publicKey: logPublicKey, message, signature }));
}
