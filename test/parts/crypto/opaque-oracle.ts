import { argon2Sync, createHash, createHmac } from 'node:crypto';
import { ristretto255, ristretto255_hasher as hasher } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha512 } from '@noble/hashes/sha2.js';

/*
 * OPAQUE (RFC 9807, ristretto255, 3DH, SHA-512) written from the RFC on @noble/curves, both roles, every random value
 * given from outside. It exists to check the library that the product uses, and shares no code with it.
 */

type Point = InstanceType<typeof ristretto255.Point>;
const { Point } = ristretto255;
const ascii = (text: string) => new TextEncoder().encode(text);
const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const i2osp = (value: number, length: number) =>
  Uint8Array.from({ length }, (_, place) => (value >> (8 * (length - 1 - place))) & 255);
const vector = (bytes: Uint8Array) => join(i2osp(bytes.length, 2), bytes);
const hash = (...parts: readonly Uint8Array[]) =>
  new Uint8Array(
    createHash('sha512')
      .update(join(...parts))
      .digest(),
  );
const mac = (key: Uint8Array, ...parts: readonly Uint8Array[]) =>
  new Uint8Array(
    createHmac('sha512', key)
      .update(join(...parts))
      .digest(),
  );
const expandBytes = (key: Uint8Array, info: Uint8Array, length: number) => expand(sha512, key, info, length);
const xor = (a: Uint8Array, b: Uint8Array) => a.map((byte, place) => byte ^ b[place]!);
const order = Point.Fn.ORDER;
const readScalar = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) % order;

// RFC 9497 §3.1: OPRF mode 0.
const oprfContext = join(ascii('OPRFV1-'), Uint8Array.of(0), ascii('-ristretto255-SHA512'));
const hashToScalar = (input: Uint8Array, tag: string) =>
  hasher.hashToScalar(input, { DST: join(ascii(tag), oprfContext) });

function deriveKeyPair(seed: Uint8Array, info: string) {
  const input = join(seed, vector(ascii(info)), Uint8Array.of(0));
  const secret = hashToScalar(input, 'DeriveKeyPair');
  return { secret, publicKey: Point.BASE.multiply(secret).toBytes() };
}
const deriveDiffieHellman = (seed: Uint8Array) => deriveKeyPair(seed, 'OPAQUE-DeriveDiffieHellmanKeyPair');

export function blind(password: Uint8Array, scalar: Uint8Array): Uint8Array {
  const point = hasher.hashToCurve(password, { DST: join(ascii('HashToGroup-'), oprfContext) });
  return point.multiply(readScalar(scalar)).toBytes();
}

export type Stretch = (input: Uint8Array) => Uint8Array;
export const noStretch: Stretch = (input) => input;
/** RFC 9807 §7, with the figures of SPEC.md §3.3. */
export const argon2id64MiB3: Stretch = (message) =>
  new Uint8Array(
    argon2Sync('argon2id', {
      message,
      nonce: new Uint8Array(16),
      parallelism: 4,
      tagLength: 64,
      memory: 65_536,
      passes: 3,
    }),
  );

function randomizedPassword(password: Uint8Array, scalar: Uint8Array, evaluated: Uint8Array, stretch: Stretch) {
  const inverse = Point.Fn.inv(readScalar(scalar));
  const unblinded = Point.fromBytes(evaluated).multiply(inverse).toBytes();
  const output = hash(vector(password), vector(unblinded), ascii('Finalize'));
  return extract(sha512, join(output, stretch(output)), new Uint8Array(0));
}

export type Identities = { readonly client?: Uint8Array | undefined; readonly server?: Uint8Array | undefined };

/** RFC 9807 §4.1: what the password, a nonce and the server's key determine. */
function envelopeKeys(randomized: Uint8Array, nonce: Uint8Array, serverKey: Uint8Array, identities: Identities) {
  const expandWith = (label: string, length: number) => expandBytes(randomized, join(nonce, ascii(label)), length);
  const client = deriveDiffieHellman(expandWith('PrivateKey', 32));
  const cleartext = join(
    serverKey,
    vector(identities.server ?? serverKey),
    vector(identities.client ?? client.publicKey),
  );
  const authKey = expandWith('AuthKey', 64);
  return { client, authKey, tag: mac(authKey, nonce, cleartext), exportKey: expandWith('ExportKey', 64) };
}

export function finishClientRegistration(input: {
  password: Uint8Array;
  blind: Uint8Array;
  response: Uint8Array;
  envelopeNonce: Uint8Array;
  identities: Identities;
  stretch: Stretch;
}) {
  const serverKey = input.response.slice(32, 64);
  const randomized = randomizedPassword(input.password, input.blind, input.response.slice(0, 32), input.stretch);
  const keys = envelopeKeys(randomized, input.envelopeNonce, serverKey, input.identities);
  const maskingKey = expandBytes(randomized, ascii('MaskingKey'), 64);
  const upload = join(keys.client.publicKey, maskingKey, input.envelopeNonce, keys.tag);
  return { upload, exportKey: keys.exportKey, serverKey, randomized, authKey: keys.authKey };
}

/** RFC 9807 §6.4.2: everything that both sides derive from the three Diffie-Hellman results. */
function schedule(context: Uint8Array, parts: readonly Uint8Array[], results: readonly Point[]) {
  const preamble = join(ascii('OPAQUEv1-'), vector(context), ...parts);
  const secret = extract(sha512, join(...results.map((point) => point.toBytes())), new Uint8Array(0));
  const derive = (key: Uint8Array, label: string, transcript: Uint8Array) => {
    const name = ascii(`OPAQUE-${label}`);
    const info = join(i2osp(64, 2), i2osp(name.length, 1), name, i2osp(transcript.length, 1), transcript);
    return expandBytes(key, info, 64);
  };
  const handshake = derive(secret, 'HandshakeSecret', hash(preamble));
  const serverMac = mac(derive(handshake, 'ServerMAC', new Uint8Array(0)), hash(preamble));
  const clientMac = mac(derive(handshake, 'ClientMAC', new Uint8Array(0)), hash(preamble, serverMac));
  return { serverMac, clientMac, sessionKey: derive(secret, 'SessionKey', hash(preamble)) };
}

export function startClientLogin(input: {
  password: Uint8Array;
  blind: Uint8Array;
  nonce: Uint8Array;
  keyshareSeed: Uint8Array;
}): Uint8Array {
  const keyshare = deriveDiffieHellman(input.keyshareSeed);
  return join(blind(input.password, input.blind), input.nonce, keyshare.publicKey);
}

/** @returns null for a wrong password or a server that does not know the record. */
export function finishClientLogin(input: {
  password: Uint8Array;
  blind: Uint8Array;
  keyshareSeed: Uint8Array;
  ke1: Uint8Array;
  ke2: Uint8Array;
  context: Uint8Array;
  identities: Identities;
  stretch: Stretch;
}) {
  const { ke2, identities } = input;
  const randomized = randomizedPassword(input.password, input.blind, ke2.slice(0, 32), input.stretch);
  const maskingKey = expandBytes(randomized, ascii('MaskingKey'), 64);
  const pad = expandBytes(maskingKey, join(ke2.slice(32, 64), ascii('CredentialResponsePad')), 128);
  const unmasked = xor(ke2.slice(64, 192), pad);
  const serverKey = unmasked.slice(0, 32);
  const keys = envelopeKeys(randomized, unmasked.slice(32, 64), serverKey, identities);
  if (!Buffer.from(keys.tag).equals(unmasked.slice(64, 128))) return null;
  const { secret } = deriveDiffieHellman(input.keyshareSeed);
  const serverShare = Point.fromBytes(ke2.slice(224, 256));
  const names = [vector(identities.client ?? keys.client.publicKey), vector(identities.server ?? serverKey)] as const;
  const session = schedule(
    input.context,
    [names[0], input.ke1, names[1], ke2.slice(0, 192), ke2.slice(192, 256)],
    [
      serverShare.multiply(secret),
      Point.fromBytes(serverKey).multiply(secret),
      serverShare.multiply(keys.client.secret),
    ],
  );
  if (!Buffer.from(session.serverMac).equals(ke2.slice(256, 320))) return null;
  return { ke3: session.clientMac, sessionKey: session.sessionKey, exportKey: keys.exportKey, serverKey };
}

export type ServerSetup = { readonly oprfSeed: Uint8Array; readonly secretKey: Uint8Array };

function evaluate(setup: ServerSetup, identifier: Uint8Array, blinded: Uint8Array): Uint8Array {
  const seed = expandBytes(setup.oprfSeed, join(identifier, ascii('OprfKey')), 32);
  return Point.fromBytes(blinded).multiply(deriveKeyPair(seed, 'OPAQUE-DeriveKeyPair').secret).toBytes();
}
const publicKeyOf = (setup: ServerSetup) => Point.BASE.multiply(readScalar(setup.secretKey)).toBytes();

export function answerRegistration(setup: ServerSetup, identifier: Uint8Array, request: Uint8Array): Uint8Array {
  return join(evaluate(setup, identifier, request), publicKeyOf(setup));
}

/** @param input.upload - The registration record, or `fakePublicKey || maskingKey || zeros (96)` for an unknown name. */
export function answerLogin(input: {
  setup: ServerSetup;
  identifier: Uint8Array;
  upload: Uint8Array;
  ke1: Uint8Array;
  maskingNonce: Uint8Array;
  nonce: Uint8Array;
  keyshareSeed: Uint8Array;
  context: Uint8Array;
  identities: Identities;
}) {
  const { setup, upload, ke1, identities } = input;
  const serverKey = publicKeyOf(setup);
  const pad = expandBytes(upload.slice(32, 96), join(input.maskingNonce, ascii('CredentialResponsePad')), 128);
  const masked = xor(join(serverKey, upload.slice(96, 192)), pad);
  const response = join(evaluate(setup, input.identifier, ke1.slice(0, 32)), input.maskingNonce, masked);
  const keyshare = deriveDiffieHellman(input.keyshareSeed);
  const clientKey = upload.slice(0, 32);
  const clientShare = Point.fromBytes(ke1.slice(64, 96));
  const names = [vector(identities.client ?? clientKey), vector(identities.server ?? serverKey)] as const;
  const session = schedule(
    input.context,
    [names[0], ke1, names[1], response, input.nonce, keyshare.publicKey],
    [
      clientShare.multiply(keyshare.secret),
      clientShare.multiply(readScalar(setup.secretKey)),
      Point.fromBytes(clientKey).multiply(keyshare.secret),
    ],
  );
  const ke2 = join(response, input.nonce, keyshare.publicKey, session.serverMac);
  return { ke2, expectedKe3: session.clientMac, sessionKey: session.sessionKey };
}
