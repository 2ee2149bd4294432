import { AEAD_ChaCha20Poly1305, KDF_HKDF_SHA256 } from '@panva/hpke-noble';
import { CipherSuite } from 'hpke';
import { type RequestContent, requestContent } from '../protocol/contents/request-content.ts';
import { decodeRequestHeader, encodeRequestHeader, type RequestHeader } from '../protocol/messages/request-header.ts';
import { maximumRequestBodyLength, type SealedRequestMessage } from '../protocol/messages/turn-messages.ts';
import { openXChaCha20Poly1305, sealXChaCha20Poly1305, tagLength } from '../primitives/aead.ts';
import {
  type Bytes,
  concat,
  fromBase64Url,
  lengthPrefixed,
  randomBytes,
  toBase64Url,
  toHex,
} from '../protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled, sha256 } from '../protocol/bytes/hash.ts';
import { keyIdOf } from '../primitives/key-id.ts';
import type { Secret } from '../protocol/bytes/secret.ts';
import { maximumContentLength, padToSizeClass, unpadSizeClass } from '../protocol/bytes/size-class.ts';
import { HybridKey, hybridKem } from './hybrid-kem.ts';

const nonceLength = 24;
const contentKeyLength = 32;
const maximumRecipients = 4;

/** A request as bytes; `toMessage` and `fromMessage` are its form on the wire. */
export type SealedRequest = {
  readonly header: Bytes;
  /** `nonce (24) || ciphertext || tag (16)`. */
  readonly body: Bytes;
  readonly recipients: readonly {
    readonly keyId: Bytes;
    readonly encapsulation: Bytes;
    readonly wrappedKey: Bytes;
  }[];
};

export type OpenedRequest = {
  readonly header: RequestHeader;
  readonly content: RequestContent;
  readonly requestHash: Bytes;
  readonly keyId: Bytes;
};

let cachedSuite: CipherSuite<HybridKey> | undefined;
function suite(): CipherSuite<HybridKey> {
  cachedSuite ??= new CipherSuite(hybridKem, KDF_HKDF_SHA256, AEAD_ChaCha20Poly1305);
  return cachedSuite;
}

function wrapInfo(header: Uint8Array, keyId: Uint8Array, bodyHash: Uint8Array): Bytes {
  return labelled('sotto/v1/request', header, keyId, bodyHash);
}

/** A turn's reply is bound to this hash, and the enclave remembers requests by it (SPEC.md §7.2). */
export function hashRequest(request: Pick<SealedRequest, 'header' | 'body'>): Bytes {
  return sha256(lengthPrefixed(request.header, request.body));
}

/**
 * Seals a request so that each of the recipients can open it, and nobody else (SPEC.md §7.2).
 *
 * Every call draws a new content key: a retry seals other bytes.
 *
 * @param input.header - In clear on the wire; the relay reads it.
 * @param input.recipients - 1 to 4 X-Wing public keys, verified by the caller.
 * @throws {CryptoError} `too-long` above 16 MiB, `invalid-argument`, `not-ready`.
 */
export async function sealRequest(input: {
  readonly header: RequestHeader;
  readonly content: RequestContent;
  readonly recipients: readonly Uint8Array[];
}): Promise<SealedRequest> {
  if (input.recipients.length < 1 || input.recipients.length > maximumRecipients) {
    throw new CryptoError('invalid-argument');
  }
  const header = encodeRequestHeader(input.header);
  const contentKey = randomBytes(contentKeyLength);
  const nonce = randomBytes(nonceLength);
  const plaintext = padToSizeClass(encodeCanonicalJson(input.content));
  const body = concat(nonce, sealXChaCha20Poly1305({ key: contentKey, nonce, plaintext, associatedData: header }));
  const bodyHash = sha256(body);
  try {
    const recipients = await Promise.all(
      input.recipients.map(async (publicKey) => {
        const keyId = keyIdOf(publicKey);
        const sealed = await suite().Seal(new HybridKey('public', publicKey, true), contentKey, {
          info: wrapInfo(header, keyId, bodyHash),
        });
        return { keyId, encapsulation: sealed.encapsulatedSecret as Bytes, wrappedKey: sealed.ciphertext as Bytes };
      }),
    );
    return { header, body, recipients };
  } catch (error) {
    // A public key of the right length that is no X-Wing key.
    throw error instanceof CryptoError ? error : new CryptoError('invalid-argument');
  } finally {
    contentKey.fill(0);
    plaintext.fill(0);
  }
}

/**
 * Opens a request with whichever of the keys it was sealed to (SPEC.md §7.2). Expiry and replay are the caller's to check.
 *
 * @param input.secretKeys - By key id in hex.
 * @throws {CryptoError} `unknown-key` when it was sealed to none of these keys; `open-failed`, `malformed`,
 * `unsupported-version`, `unsupported-suite`, which a peer must not be able to tell apart.
 */
export async function openRequest(input: {
  readonly request: SealedRequest;
  readonly secretKeys: ReadonlyMap<string, Secret<'EnclaveKey'>>;
}): Promise<OpenedRequest> {
  const { header, body } = input.request;
  const clearHeader = decodeRequestHeader(header);
  if (body.length < nonceLength + tagLength) throw new CryptoError('malformed');
  if (body.length > maximumRequestBodyLength) throw new CryptoError('malformed');
  const recipient = input.request.recipients.find(({ keyId }) => input.secretKeys.has(toHex(keyId)));
  const secretKey = recipient === undefined ? undefined : input.secretKeys.get(toHex(recipient.keyId));
  if (recipient === undefined || secretKey === undefined) throw new CryptoError('unknown-key');
  const { keyId, encapsulation, wrappedKey } = recipient;
  let contentKey: Uint8Array;
  try {
    contentKey = await suite().Open(new HybridKey('private', secretKey.expose(), false), encapsulation, wrappedKey, {
      info: wrapInfo(header, keyId, sha256(body)),
    });
  } catch {
    throw new CryptoError('open-failed');
  }
  if (contentKey.length !== contentKeyLength) throw new CryptoError('open-failed');
  const plaintext = openXChaCha20Poly1305({
    key: contentKey,
    nonce: body.subarray(0, nonceLength),
    ciphertext: body.subarray(nonceLength),
    associatedData: header,
  });
  contentKey.fill(0);
  const content = decodeCanonicalJson(unpadSizeClass(plaintext), requestContent, maximumContentLength);
  plaintext.fill(0);
  return { header: clearHeader, content, requestHash: hashRequest(input.request), keyId };
}

/**
 * A sealed request as it goes over the wire, each part in base64url (SPEC.md §7.2); `fromMessage` reads it. Nothing is sealed
 * or checked here: the request is one of `sealRequest`.
 */
export function toMessage(request: SealedRequest): SealedRequestMessage {
  return {
    header: toBase64Url(request.header),
    body: toBase64Url(request.body),
    recipients: request.recipients.map(({ keyId, encapsulation, wrappedKey }) => ({
      keyId: toBase64Url(keyId),
      encapsulation: toBase64Url(encapsulation),
      wrappedKey: toBase64Url(wrappedKey),
    })),
  };
}

/** @param message - Parsed by its schema. @throws {CryptoError} `malformed`. */
export function fromMessage(message: SealedRequestMessage): SealedRequest {
  return {
    header: fromBase64Url(message.header),
    body: fromBase64Url(message.body),
    recipients: message.recipients.map((recipient) => ({
      keyId: fromBase64Url(recipient.keyId),
      encapsulation: fromBase64Url(recipient.encapsulation),
      wrappedKey: fromBase64Url(recipient.wrappedKey),
    })),
  };
}
