import { beforeAll, describe, expect, it } from 'vitest';
import { deriveKeyslotListKey } from '../../../../../crypto/account/account-key.ts';
import { currentAccountKey, type Keyring, rotateKeyring, sealKeyring } from '../../../../../crypto/account/keyring.ts';
import { deriveKeyEncryptionKey, wrapAccountKey } from '../../../../../crypto/account/keyslot.ts';
import {
  digestKeyslot,
  digestKeyslotList,
  encodeKeyslotList,
  type ListedKeyslot,
} from '../../../../../crypto/account/keyslot-list.ts';
import type { KeyMaterial } from '../../../../../crypto/protocol/messages/account-messages.ts';
import { aeadReady } from '../../../../../crypto/primitives/aead.ts';
import { type Bytes, toBase64Url } from '../../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../../crypto/protocol/bytes/secret.ts';
import { sealHead } from '../../../../../crypto/vault/vault-head.ts';
import { openKeyMaterial } from '../../../../../client/vault/session/keys/key-material.ts';
import { VaultError } from '../../../../../client/vault/failures/vault-error.ts';
import { filled, sampleKeyring } from '../../../../parts/crypto/sample-account.ts';

beforeAll(aeadReady);

const serverStaticPublicKey = toBase64Url(filled(32, 7));
const keyEncryptionKey = () => deriveKeyEncryptionKey('password', new Secret('ExportKey', filled(64, 3)));
const place = { kind: 'password', slotId: filled(16, 1), generation: 1 } as const;

type Changes = {
  /** In the keyslot; null for one of version 1. */
  readonly nameTag?: Uint8Array | null;
  /** The keyring of the account as a whole. */
  readonly keyring?: Keyring;
  /** Epoch that the list says it is of. */
  readonly listEpoch?: number;
  readonly listed?: Partial<ListedKeyslot>;
  /** The list that the head names, where it is another than the one beside it. */
  readonly named?: Uint8Array;
  /** Counter that the head's message says. */
  readonly toldCounter?: number;
  /** Keyring that the head is sealed with. */
  readonly headKeyring?: Keyring;
};

/** Makes what a relay releases at a sign-in, sealed as the account's own devices seal it. */
function release(changes: Changes = {}): KeyMaterial {
  const keyring = changes.keyring ?? sampleKeyring();
  const { accountId, currentEpoch } = keyring;
  const accountKey = currentAccountKey(keyring);
  const body = wrapAccountKey({
    ...place,
    nameTag: changes.nameTag === undefined ? filled(32, 9) : changes.nameTag,
    stretching: 'argon2id-64mib-3',
    epoch: currentEpoch,
    serverStaticPublicKey,
    keyEncryptionKey: keyEncryptionKey(),
    accountId,
    accountKey,
  });
  const list = encodeKeyslotList({
    listKey: deriveKeyslotListKey({ accountId, accountKey }),
    epoch: changes.listEpoch ?? currentEpoch,
    slots: [{ ...place, digest: digestKeyslot(body), ...changes.listed }],
  });
  const head = sealHead({
    keyring: changes.headKeyring ?? keyring,
    head: {
      counter: 4,
      previousHash: filled(32, 4),
      itemsRoot: filled(32, 5),
      keyslotListDigest: digestKeyslotList(changes.named ?? list),
      prunedBefore: 0,
    },
  });
  return {
    keyslot: { ...place, slotId: toBase64Url(place.slotId), body: toBase64Url(body) },
    keyslotList: { body: toBase64Url(list) },
    keyring: currentEpoch === 1 ? null : toBase64Url(sealKeyring(keyring)),
    head: { counter: changes.toldCounter ?? 4, body: toBase64Url(head) },
  };
}

function outcome(keys: KeyMaterial, key = keyEncryptionKey(), nameTag: Bytes | null = filled(32, 9)): string {
  try {
    openKeyMaterial(keys, {
      kind: 'password',
      keyEncryptionKey: key,
      stretching: 'argon2id-64mib-3',
      serverStaticPublicKey,
      nameTag,
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
}

describe('openKeyMaterial', () => {
  const rotated = rotateKeyring(sampleKeyring());

  it('opens what the account itself sealed, in its first epoch and in a later one', () => {
    expect(outcome(release())).toBe('accepted');
    expect(outcome(release({ keyring: rotated }))).toBe('accepted');
  });

  it('M5: refuses the slot of another name, and opens one of version 1 and one of an unlock, which names none', () => {
    expect(outcome(release(), keyEncryptionKey(), filled(32, 8))).toBe('vault-tampered');
    expect(outcome(release(), keyEncryptionKey(), null)).toBe('accepted');
    expect(outcome(release({ nameTag: null }))).toBe('accepted');
    expect(outcome(release({ nameTag: null }), keyEncryptionKey(), null)).toBe('accepted');
  });

  it.each<[string, Changes]>([
    ['a list of another epoch, although its MAC is right', { listEpoch: 2 }],
    ['a list that names another slot', { listed: { slotId: filled(16, 2) } }],
    ['a list that names another kind', { listed: { kind: 'recovery' } }],
    ['a list that names a later generation of the slot', { listed: { generation: 2 } }],
    ['a list that names another body of the slot', { listed: { digest: filled(32, 9) } }],
    ['a list that the head does not name', { named: filled(90, 9) }],
    ['a head whose counter is told otherwise', { toldCounter: 5 }],
    [
      'a head of an earlier epoch, which an old key could have sealed',
      { keyring: rotated, headKeyring: sampleKeyring() },
    ],
  ])('refuses %s', (_, changes) => {
    expect(outcome(release(changes))).toBe('vault-tampered');
  });

  it('wipes the key that opens the slot, whether it opens or not', () => {
    for (const changes of [{}, { listEpoch: 2 }]) {
      const key = keyEncryptionKey();
      expect(key.expose().some((byte) => byte !== 0)).toBe(true);
      outcome(release(changes), key);
      expect(key.expose().every((byte) => byte === 0)).toBe(true);
    }
  });
});
