import { beforeAll, describe, expect, it } from 'vitest';
import {
  encodeList,
  type KeyslotKey,
  makeKeyslot,
  replaceKeyslot,
} from '../../../../../client/vault/session/keys/make-keyslot.ts';
import { deriveKeyslotListKey } from '../../../../../crypto/account/account-key.ts';
import { currentAccountKey } from '../../../../../crypto/account/keyring.ts';
import { unwrapAccountKey } from '../../../../../crypto/account/keyslot.ts';
import { digestKeyslot, type ListedKeyslot, openKeyslotList } from '../../../../../crypto/account/keyslot-list.ts';
import { type KeyslotMessage, keyslotKinds } from '../../../../../crypto/protocol/messages/account-messages.ts';
import { aeadReady } from '../../../../../crypto/primitives/aead.ts';
import { fromBase64Url, toBase64Url } from '../../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../../crypto/protocol/bytes/secret.ts';
import { filled, sampleKeyring } from '../../../../parts/crypto/sample-account.ts';

beforeAll(aeadReady);

const serverStaticPublicKey = toBase64Url(filled(32, 7));
const account = { keyring: sampleKeyring(), serverStaticPublicKey, nameTag: filled(32, 9) };
const accountKey = currentAccountKey(account.keyring);
const listKey = deriveKeyslotListKey({ accountId: account.keyring.accountId, accountKey });

function keyOf(kind: KeyslotKey['kind'], byte: number): KeyslotKey {
  const stretching = kind === 'password' ? 'argon2id-64mib-3' : null;
  return { kind, keyEncryptionKey: new Secret('KeyEncryptionKey', filled(32, byte)), stretching };
}

function open({ slotId, body, ...slot }: KeyslotMessage, key: KeyslotKey) {
  return unwrapAccountKey({
    ...key,
    ...slot,
    slotId: fromBase64Url(slotId),
    body: fromBase64Url(body),
    serverStaticPublicKey: key.kind === 'password' ? serverStaticPublicKey : null,
    nameTag: account.nameTag,
  });
}

describe('makeKeyslot', () => {
  it.each(keyslotKinds)('%s: its key opens it, the key of another does not, and the list names it', (kind) => {
    const { listed, message } = makeKeyslot(account, keyOf(kind, 1));
    expect(open(message, keyOf(kind, 1)).accountKey.expose()).toEqual(accountKey.expose());
    expect(() => open(message, keyOf(kind, 2))).toThrow(expect.objectContaining({ code: 'open-failed' }));
    const list = openKeyslotList({ listKey, body: encodeList(account, [listed]) });
    expect(list.slots).toEqual([listed]);
    expect(listed).toMatchObject({ kind, generation: 1, digest: digestKeyslot(fromBase64Url(message.body)) });
  });
});

describe('replaceKeyslot', () => {
  /** All kinds that the format knows; of two of them no factor of this build makes or opens a slot. */
  const slots = keyslotKinds.map((kind, at): ListedKeyslot => {
    return { kind, slotId: filled(16, at), generation: at + 1, digest: filled(32, at) };
  });
  const list = { epoch: 1, slots };

  it.each(['password', 'recovery'] as const)(
    '%s: changes this slot alone; those of other kinds stay as they are',
    (kind) => {
      const { keyslot, listBody } = replaceKeyslot(account, list, keyOf(kind, 3));
      const changed = openKeyslotList({ listKey, body: listBody });
      const old = slots.find((slot) => slot.kind === kind)!;
      expect(changed.slots.filter((slot) => slot.kind !== kind)).toEqual(slots.filter((slot) => slot !== old));
      expect(changed.slots.find((slot) => slot.kind === kind)).toEqual({
        kind,
        slotId: old.slotId,
        generation: old.generation + 1,
        digest: digestKeyslot(fromBase64Url(keyslot.body)),
      });
      expect(open(keyslot, keyOf(kind, 3)).accountKey.expose()).toEqual(accountKey.expose());
    },
  );

  it('refuses a list that has no slot of the kind', () => {
    const without = { epoch: 1, slots: slots.filter(({ kind }) => kind !== 'password') };
    expect(() => replaceKeyslot(account, without, keyOf('password', 3))).toThrow(
      expect.objectContaining({ code: 'vault-tampered' }),
    );
  });
});
