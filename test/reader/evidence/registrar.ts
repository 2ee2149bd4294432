import { readCanonicalJson, type JsonObject } from '../protocol/canonical-json.ts';
import { decodeBase64url, join, lp, sha256, utf8, type Bytes } from '../protocol/conventions.ts';
import { ed25519Verify } from '../primitives/ed25519.ts';
import * as json from '../protocol/json-schema.ts';

/** SPEC.md §9.6, read a second time. */
export type ModalPiece = {
  identityPublicKey: string;
  statement: string;
  signature: string;
  checkpoint: string;
  leafIndex: number;
  inclusionProof: readonly string[];
};
export type ModalSection = {
  registrarPublicKey: string;
  logOrigin: string;
  logPublicKey: string;
  workspaceId: string;
  environmentId: string;
  appId: string;
  functionId: string;
};
export type Clocks = { maximumAgeMs: number; enclaveMs: number; clientMs: number };

const skewMs = 300_000;
const isId = (value: unknown): boolean => typeof value === 'string' && /^[!-~]{1,128}$/.test(value);
const statementSchema = json.isObject({
  format: json.isFormat,
  platform: json.isOneOf('modal'),
  identityPublicKey: json.isBytes(32),
  workspaceId: isId,
  environmentId: isId,
  appId: isId,
  functionId: isId,
  containerId: isId,
  issuedAtMs: json.isTimeMs,
  notAfterMs: json.isTimeMs,
});

export const statementSignedBytes = (statement: Bytes): Bytes => lp('sotto/v1/registrar-statement', statement);
export const possessionSignedBytes = (kind: string, challenge: Bytes, identityToken: string | null): Bytes =>
  lp(
    'sotto/v1/registrar-possession',
    kind,
    challenge,
    identityToken === null ? new Uint8Array(0) : sha256(utf8(identityToken)),
  );
export const leafHash = (entry: Bytes): Bytes => sha256(Uint8Array.of(0), entry);
export const keyIdOf = (origin: string, publicKey: Bytes): Bytes =>
  sha256(utf8(origin), Uint8Array.of(0x0a, 0x01), publicKey).slice(0, 4);

/** The root above a leaf by RFC 6962's own recursion, turned round; null where the proof has another length. */
export function rootOf(leaf: Bytes, place: number, size: number, proof: readonly Bytes[]): Bytes | null {
  if (size === 1) return proof.length === 0 ? leaf : null;
  const last = proof.at(-1);
  if (last === undefined) return null;
  let split = 1;
  while (split * 2 < size) split *= 2;
  const rest = proof.slice(0, -1);
  const isLeft = place < split;
  const inner = isLeft ? rootOf(leaf, place, split, rest) : rootOf(leaf, place - split, size - split, rest);
  if (inner === null) return null;
  return isLeft ? sha256(Uint8Array.of(1), inner, last) : sha256(Uint8Array.of(1), last, inner);
}

export type ReadCheckpoint = {
  origin: string;
  size: number;
  rootHash: Bytes;
  signed: Bytes;
  signatures: { name: string; keyId: string; signature: Bytes }[];
};

/** One expression for the whole form; null for anything else. */
export function readCheckpoint(note: string): ReadCheckpoint | null {
  const form =
    /^((?<origin>[!-*,-~]{1,128})\n(?<size>0|[1-9][0-9]*)\n(?<root>[A-Za-z0-9+/]{43}=)\n)\n(?<lines>(\u2014 [!-*,-~]{1,256} [A-Za-z0-9+/]+=*\n){1,16})$/;
  const match = note.length <= 2048 ? form.exec(note) : null;
  const { origin = '', size = '', root = '', lines = '' } = match?.groups ?? {};
  const rootHash = canonicalBase64(root);
  if (match === null || rootHash === null || !Number.isSafeInteger(Number(size))) return null;
  const signatures = lines
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const [, name = '', encoded = ''] = line.split(' ');
      const bytes = canonicalBase64(encoded);
      if (bytes === null || bytes.length <= 4) return null;
      return { name, keyId: Buffer.from(bytes.slice(0, 4)).toString('hex'), signature: bytes.slice(4) };
    });
  if (signatures.some((signature) => signature === null)) return null;
  const read = signatures.filter((signature) => signature !== null);
  return { origin, size: Number(size), rootHash, signed: utf8(match[1] ?? ''), signatures: read };
}

function canonicalBase64(text: string): Bytes | null {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return Buffer.from(bytes).toString('base64') === text ? bytes : null;
}

export function isOfLog(checkpoint: ReadCheckpoint, publicKey: Bytes): boolean {
  const keyId = Buffer.from(keyIdOf(checkpoint.origin, publicKey)).toString('hex');
  const own = checkpoint.signatures.filter((entry) => entry.name === checkpoint.origin && entry.keyId === keyId);
  return own.length > 0 && own.every(({ signature }) => ed25519Verify(publicKey, checkpoint.signed, signature));
}

/** The checks of SPEC.md §9.6 in their order. @returns `accepted` or the code. */
export function judgeModal(piece: ModalPiece, section: ModalSection, clocks: Clocks): string {
  const statement = decodeBase64url(piece.statement);
  const signature = decodeBase64url(piece.signature);
  const registrar = decodeBase64url(section.registrarPublicKey);
  if (!ed25519Verify(registrar, statementSignedBytes(statement), signature)) return 'signature';
  const value: JsonObject = json.readObject(readCanonicalJson(statement, 4096), statementSchema);
  if (value['identityPublicKey'] !== piece.identityPublicKey) return 'identity-mismatch';
  const [from, until] = [value['issuedAtMs'] as number, value['notAfterMs'] as number];
  if (until <= from || until - from > clocks.maximumAgeMs) return 'too-old';
  for (const clock of [clocks.enclaveMs, clocks.clientMs]) {
    if (clock < from - skewMs) return 'not-yet-valid';
    if (clock > until + skewMs) return 'too-old';
  }
  const names = ['workspaceId', 'environmentId', 'appId', 'functionId'] as const;
  if (names.some((name) => value[name] !== section[name])) return 'wrong-deployment';
  const checkpoint = readCheckpoint(piece.checkpoint);
  if (checkpoint === null) return 'malformed';
  if (checkpoint.origin !== section.logOrigin) return 'log';
  if (!isOfLog(checkpoint, decodeBase64url(section.logPublicKey))) return 'log';
  if (piece.leafIndex >= checkpoint.size) return 'log';
  const proof = piece.inclusionProof.map((hash) => decodeBase64url(hash));
  const root = rootOf(leafHash(join(signature, statement)), piece.leafIndex, checkpoint.size, proof);
  return root !== null && Buffer.from(root).equals(checkpoint.rootHash) ? 'accepted' : 'log';
}
