import { type Bytes, randomBytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { deriveBytes } from '../primitives/hkdf.ts';
import { Secret } from '../protocol/bytes/secret.ts';

/** 32 random bytes from which every key of the vault derives, for one epoch (SPEC.md §4.1). */
export function generateAccountKey(): Secret<'AccountKey'> {
  return new Secret('AccountKey', randomBytes(32));
}

/** 16 random bytes, drawn by the client, kept inside the keyslots, never taken from the relay. */
export function generateAccountId(): Bytes {
  return randomBytes(16);
}

type AccountKeyInput = { readonly accountId: Uint8Array; readonly accountKey: Secret<'AccountKey'> };
type DerivedKeyName = 'VaultHeadKey' | 'KeyslotListKey' | 'DraftKey';

const labels = {
  VaultHeadKey: 'sotto/v1/vault-head-key',
  KeyslotListKey: 'sotto/v1/keyslot-list-key',
  DraftKey: 'sotto/v1/draft-key',
} as const satisfies Record<DerivedKeyName, string>;

function deriveKey<Name extends DerivedKeyName>(name: Name, input: AccountKeyInput): Secret<Name> {
  if (input.accountId.length !== 16) throw new CryptoError('invalid-argument');
  const info = labelled(labels[name], input.accountId);
  return new Secret(name, deriveBytes({ key: input.accountKey.expose(), info, length: 32 }));
}

/** Seals vault heads (SPEC.md §4.1, §6.2). */
export function deriveVaultHeadKey(input: AccountKeyInput): Secret<'VaultHeadKey'> {
  return deriveKey('VaultHeadKey', input);
}

/** Authenticates keyslot lists (SPEC.md §4.1, §4.3). */
export function deriveKeyslotListKey(input: AccountKeyInput): Secret<'KeyslotListKey'> {
  return deriveKey('KeyslotListKey', input);
}

/** Seals unsent text on the device (SPEC.md §4.1, §5.4). */
export function deriveDraftKey(input: AccountKeyInput): Secret<'DraftKey'> {
  return deriveKey('DraftKey', input);
}
