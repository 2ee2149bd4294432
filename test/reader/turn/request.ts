import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import {
  Fields,
  isEqual,
  join,
  lp,
  readUtf8,
  readVersionAndSuite,
  sha256,
  u64,
  u8,
  utf8,
  zeros,
} from '../protocol/conventions.ts';
import type { Bytes } from '../protocol/conventions.ts';
import { hpkeOpen, hpkeSeal } from './hpke.ts';
import { refuse } from '../protocol/refusal.ts';
import { pad, unpad } from '../protocol/size-class.ts';

/** Byte of SPEC.md §7.1 = place in this list + 1. */
export const frameClasses = ['chat', 'fast', 'bulk'] as const;
export type FrameClass = (typeof frameClasses)[number];
export type RequestHeader = { frameClass: FrameClass; turnId: Bytes; expiresAtMs: number; model: string };
export type Recipient = { keyId: Bytes; encapsulation: Bytes; wrappedKey: Bytes };
export type SealedRequest = { header: Bytes; body: Bytes; recipients: readonly Recipient[] };

const longestBody = 16 * 1024 * 1024 + 1024;
const modelForm = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/;

export const writeRequestHeader = ({ frameClass, turnId, expiresAtMs, model }: RequestHeader): Bytes =>
  join(
    Uint8Array.of(1, 1, frameClasses.indexOf(frameClass) + 1),
    turnId,
    u64(expiresAtMs),
    u8(model.length),
    utf8(model),
  );

/** All that the relay may see (SPEC.md §7.1). */
export function readRequestHeader(bytes: Bytes): RequestHeader {
  const fields = new Fields(bytes);
  readVersionAndSuite(fields);
  const frameClass = frameClasses[fields.integer(1) - 1] ?? refuse('malformed');
  const turnId = fields.bytes(16);
  const expiresAtMs = fields.integer(8);
  const model = readUtf8(fields.bytes(fields.integer(1)));
  fields.end();
  if (model.length > 128 || !modelForm.test(model)) refuse('malformed');
  return { frameClass, turnId, expiresAtMs, model };
}

export const infoOf = (header: Bytes, keyId: Bytes, body: Bytes): Bytes =>
  lp('sotto/v1/request', header, keyId, sha256(body));

export const requestHash = ({ header, body }: SealedRequest): Bytes => sha256(lp(header, body));

export function sealRequestBody(header: Bytes, content: Bytes, contentKey: Bytes, nonce: Bytes): Bytes {
  return join(nonce, xchacha20poly1305(contentKey, nonce, header).encrypt(pad(content)));
}

/** Content key, nonce and seeds are the caller's, since this writer makes vectors again. */
export function sealRequest(
  header: Bytes,
  content: Bytes,
  publicKeys: readonly Bytes[],
  random: { contentKey: Bytes; nonce: Bytes; seeds: readonly Bytes[] },
): SealedRequest {
  if (publicKeys.length === 0 || publicKeys.length > 4) refuse('invalid-argument');
  const body = sealRequestBody(header, content, random.contentKey, random.nonce);
  const recipients = publicKeys.map((publicKey, index) => {
    const keyId = sha256(publicKey);
    const seed = random.seeds[index] ?? refuse('invalid-argument');
    const sealed = hpkeSeal(publicKey, infoOf(header, keyId, body), zeros(0), random.contentKey, seed);
    return { keyId, encapsulation: sealed.encapsulation, wrappedKey: sealed.ciphertext };
  });
  return { header, body, recipients };
}

/** An enclave's X-Wing key: the seed, and the id of its public half. */
export type EnclaveKey = { seed: Bytes; keyId: Bytes };

/** Opens the first recipient that is sealed to a key it has (SPEC.md §7.2). */
export function openRequest(
  request: SealedRequest,
  keys: readonly EnclaveKey[],
): { header: RequestHeader; content: Bytes; contentKey: Bytes } {
  const header = readRequestHeader(request.header);
  if (request.body.length < 40 || request.body.length > longestBody) refuse('malformed');
  for (const { keyId, encapsulation, wrappedKey } of request.recipients) {
    const key = keys.find((each) => isEqual(each.keyId, keyId));
    if (key === undefined) continue;
    const info = infoOf(request.header, keyId, request.body);
    const contentKey = hpkeOpen(key.seed, encapsulation, info, zeros(0), wrappedKey);
    return { header, content: unpad(openBody(request, contentKey)), contentKey };
  }
  return refuse('unknown-key');
}

function openBody({ header, body }: SealedRequest, contentKey: Bytes): Bytes {
  try {
    return xchacha20poly1305(contentKey, body.slice(0, 24), header).decrypt(body.slice(24));
  } catch {
    return refuse('open-failed');
  }
}
