import { createHash } from 'node:crypto';
import { ristretto255, ristretto255_hasher as hasher } from '@noble/curves/ed25519.js';
import { Fields, isEqual, join, u32, u8, utf8, zeros, type Bytes } from '../protocol/conventions.ts';
import { refuse } from '../protocol/refusal.ts';
import { expandSha512, extractSha512, hmacSha512, stretch } from './stretching.ts';

const { Point } = ristretto255;
const { Fn: Scalars } = Point;
type Element = InstanceType<typeof Point>;

/** RFC 9497 §4.1: OPRF(ristretto255, SHA-512), mode 0x00. */
const oprfContext = join(utf8('OPRFV1-'), u8(0), utf8('-ristretto255-SHA512'));
const serverIdentity = utf8('sotto/v1');
const maximumPasswordLength = 1024;

const sha512 = (...parts: readonly Bytes[]): Bytes =>
  new Uint8Array(
    createHash('sha512')
      .update(join(...parts))
      .digest(),
  );
const prefixed = (bytes: Bytes): Bytes => join(u32(bytes.length).slice(2), bytes);
const tagged = (label: string): Bytes => join(utf8(label), oprfContext);
const elementOf = (bytes: Bytes): Element => Point.fromBytes(bytes);

/** NFC, 1 to 1024 UTF-16 code units (SPEC.md §3.2). */
function passwordBytes(typed: string): Bytes {
  const password = typed.normalize('NFC');
  if (password.length === 0 || !password.isWellFormed()) refuse('invalid-argument');
  return password.length > maximumPasswordLength ? refuse('too-long') : utf8(password);
}

export type Blinded = { password: Bytes; blind: bigint; message: Bytes };

export function blindPassword(typed: string, blind: bigint): Blinded {
  const password = passwordBytes(typed);
  const element = hasher.hashToCurve(password, { DST: tagged('HashToGroup-') });
  return { password, blind, message: Point.fromBytes(element.toBytes()).multiply(blind).toBytes() };
}

/** RFC 9497 §3.3.1 Finalize, then SPEC.md §3.3. */
function randomizedPassword({ password, blind }: Blinded, evaluated: Bytes): Bytes {
  const unblinded = elementOf(evaluated).multiply(Scalars.inv(blind)).toBytes();
  const output = sha512(prefixed(password), prefixed(unblinded), utf8('Finalize'));
  return extractSha512(join(output, stretch(output)));
}

/** RFC 9807 §4.1: what the envelope's nonce and the randomized password give. */
function deriveEnvelope(randomized: Bytes, nonce: Bytes, serverPublicKey: Bytes) {
  const derive = (label: string, length: number): Bytes => expandSha512(randomized, join(nonce, utf8(label)), length);
  const info = prefixed(utf8('OPAQUE-DeriveDiffieHellmanKeyPair'));
  const seed = join(derive('PrivateKey', 32), info, u8(0));
  const privateKey = hasher.hashToScalar(seed, { DST: tagged('DeriveKeyPair') });
  const publicKey: Bytes = Point.BASE.multiply(privateKey).toBytes();
  const credentials = join(serverPublicKey, prefixed(serverIdentity), prefixed(publicKey));
  const tag = hmacSha512(derive('AuthKey', 64), nonce, credentials);
  return { privateKey, publicKey, tag, exportKey: derive('ExportKey', 64) };
}

const maskingKeyOf = (randomized: Bytes): Bytes => expandSha512(randomized, utf8('MaskingKey'), 64);

/** The record of RFC 9807 §5.1 and the export key. */
export function finishRegistration(
  blinded: Blinded,
  response: Bytes,
  nonce: Bytes,
): { record: Bytes; exportKey: Bytes } {
  const fields = new Fields(response);
  const randomized = randomizedPassword(blinded, fields.bytes(32));
  const { publicKey, tag, exportKey } = deriveEnvelope(randomized, nonce, fields.bytes(32));
  fields.end();
  return { record: join(publicKey, maskingKeyOf(randomized), nonce, tag), exportKey };
}

export type LoginStart = { blinded: Blinded; secret: bigint; request: Bytes };

export function startLogin(typed: string, blind: bigint, nonce: Bytes, secret: bigint): LoginStart {
  const blinded = blindPassword(typed, blind);
  const request = join(blinded.message, nonce, Point.BASE.multiply(secret).toBytes());
  return { blinded, secret, request };
}

/** RFC 9807 §6.4.2 Expand-Label. */
function deriveSecret(key: Bytes, label: string, transcriptHash: Bytes): Bytes {
  const name = utf8(`OPAQUE-${label}`);
  const info = [u32(64).slice(2), u8(name.length), name, u8(transcriptHash.length), transcriptHash];
  return expandSha512(key, join(...info), 64);
}

/** Null whatever did not succeed (SPEC.md §3.2). */
export function finishLogin(
  start: LoginStart,
  response: Bytes,
): null | { finish: Bytes; exportKey: Bytes; sessionKey: Bytes; serverStaticPublicKey: Bytes } {
  if (response.length !== 320) refuse('malformed');
  const fields = new Fields(response);
  const randomized = randomizedPassword(start.blinded, fields.bytes(32));
  const padInfo = join(fields.bytes(32), utf8('CredentialResponsePad'));
  const pad = expandSha512(maskingKeyOf(randomized), padInfo, 128);
  const opened = new Fields(fields.bytes(128).map((byte, place) => byte ^ (pad[place] ?? 0)));
  const [serverPublicKey, nonce, tag] = [opened.bytes(32), opened.bytes(32), opened.bytes(64)];
  const envelope = deriveEnvelope(randomized, nonce, serverPublicKey);
  if (!isEqual(envelope.tag, tag)) return null;
  const [serverNonce, serverShare, serverMac] = [fields.bytes(32), fields.bytes(32), fields.bytes(64)];
  const preamble = join(
    utf8('OPAQUEv1-'),
    prefixed(zeros(0)),
    prefixed(envelope.publicKey),
    start.request,
    prefixed(serverIdentity),
    response.slice(0, 192),
    serverNonce,
    serverShare,
  );
  const share = elementOf(serverShare);
  const shared = [
    share.multiply(start.secret),
    elementOf(serverPublicKey).multiply(start.secret),
    share.multiply(envelope.privateKey),
  ];
  const secret = extractSha512(join(...shared.map((element) => element.toBytes())));
  const handshake = deriveSecret(secret, 'HandshakeSecret', sha512(preamble));
  const expected = hmacSha512(deriveSecret(handshake, 'ServerMAC', zeros(0)), sha512(preamble));
  if (!isEqual(expected, serverMac)) return null;
  return {
    finish: hmacSha512(deriveSecret(handshake, 'ClientMAC', zeros(0)), sha512(preamble, serverMac)),
    sessionKey: deriveSecret(secret, 'SessionKey', sha512(preamble)),
    exportKey: envelope.exportKey,
    serverStaticPublicKey: serverPublicKey,
  };
}
