import * as v from 'valibot';
import { createKeyring, type Keyring } from '../../../../crypto/account/keyring.ts';
import { bytesField, countField, hashField } from '../../../../crypto/protocol/messages/fields.ts';
import {
  type Bytes,
  encodeUtf8,
  fromBase64Url,
  randomBytes,
  toBase64Url,
} from '../../../../crypto/protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../../../../crypto/protocol/json/canonical-json.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import type { WrappedSession } from '../../store/cached-shapes.ts';

/** An unlocked tab knows this besides the items. */
export type AccountSession = {
  readonly keyring: Keyring;
  /** The relay's OPAQUE key as the account knows it: a new password is registered with no other. */
  readonly serverStaticPublicKey: string;
  /** The tag of the account's name, as it was typed or stands in a keyslot; null where neither said it. */
  readonly nameTag: Bytes | null;
  /** Signed in by the recovery phrase: a password is still to be chosen. */
  readonly needsNewPassword: boolean;
};

const sessionContent = v.strictObject({
  accountId: bytesField(16),
  currentEpoch: v.pipe(countField(0xffff_ffff), v.minValue(1)),
  keys: v.array(v.strictObject({ epoch: countField(0xffff_ffff), key: bytesField(32) })),
  serverStaticPublicKey: bytesField(32),
  nameTag: v.exactOptional(hashField),
  needsNewPassword: v.boolean(),
});
const maximumSessionLength = 32 * 1024;
const additionalData = encodeUtf8('sotto/v1/browser-session');

/**
 * Wraps the keyring under a key of this browser's IndexedDB, so that a reload or a new tab stays unlocked. No script can
 * export that key. Anybody who can run the browser as this user can use it; lock and sign-out delete it.
 */
export async function wrapSession(session: AccountSession): Promise<WrappedSession> {
  const wrappingKey = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const nonce = randomBytes(12);
  const plaintext = encodeSession(session);
  const body = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData }, wrappingKey, plaintext);
  plaintext.fill(0);
  return { name: 'session', wrappingKey, nonce, body: new Uint8Array(body) };
}

/** @returns null when there is nothing to unwrap or it does not open: then the password does. */
export async function unwrapSession(wrapped: WrappedSession): Promise<AccountSession | null> {
  const { wrappingKey, nonce, body } = wrapped;
  if (wrappingKey === null) return null;
  try {
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData };
    const plaintext = new Uint8Array(await crypto.subtle.decrypt(algorithm, wrappingKey, body));
    const session = decodeSession(plaintext);
    plaintext.fill(0);
    return session;
  } catch {
    return null;
  }
}

function encodeSession({ keyring, serverStaticPublicKey, nameTag, needsNewPassword }: AccountSession): Bytes {
  return encodeCanonicalJson({
    accountId: toBase64Url(keyring.accountId),
    currentEpoch: keyring.currentEpoch,
    keys: [...keyring.keys].map(([epoch, key]) => ({ epoch, key: toBase64Url(key.expose()) })),
    serverStaticPublicKey,
    ...(nameTag === null ? {} : { nameTag: toBase64Url(nameTag) }),
    needsNewPassword,
  });
}

function decodeSession(plaintext: Bytes): AccountSession {
  const content = decodeCanonicalJson(plaintext, sessionContent, maximumSessionLength);
  const keys = new Map(
    content.keys.map(({ epoch, key }) => [epoch, new Secret('AccountKey', fromBase64Url(key))] as const),
  );
  const accountKey = keys.get(content.currentEpoch);
  if (accountKey === undefined) throw new TypeError('no current key');
  const accountId = fromBase64Url(content.accountId);
  const keyring = { ...createKeyring({ accountId, epoch: content.currentEpoch, accountKey }), keys };
  const { serverStaticPublicKey, needsNewPassword } = content;
  const nameTag = content.nameTag === undefined ? null : fromBase64Url(content.nameTag);
  return { keyring, serverStaticPublicKey, nameTag, needsNewPassword };
}

/** Best effort (SECURITY.md): the Worker itself ends right after. */
export function wipeSessionKeys(session: AccountSession): void {
  for (const key of session.keyring.keys.values()) key.wipe();
}
