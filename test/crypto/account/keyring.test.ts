import { beforeAll, describe, expect, it } from 'vitest';
import {
  deriveDraftKey,
  deriveKeyslotListKey,
  deriveVaultHeadKey,
  generateAccountId,
  generateAccountKey,
} from '../../../crypto/account/account-key.ts';
import {
  accountKeyOf,
  createKeyring,
  currentAccountKey,
  type Keyring,
  maximumEarlierKeys,
  openKeyring,
  rotateKeyring,
  sealKeyring,
} from '../../../crypto/account/keyring.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { concat, lengthPrefixed, toHex, uint32 } from '../../../crypto/protocol/bytes/bytes.ts';
import { sealCommitted } from '../../../crypto/primitives/committed-seal.ts';
import { labelled } from '../../../crypto/protocol/bytes/hash.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import { filled, sampleKeyring } from '../../parts/crypto/sample-account.ts';

beforeAll(aeadReady);

const opening = (keyring: Keyring) => ({
  accountId: keyring.accountId,
  epoch: keyring.currentEpoch,
  accountKey: currentAccountKey(keyring),
});
const keysOf = (keyring: Keyring) => [...keyring.keys].map(([epoch, key]) => [epoch, toHex(key.expose())]);

function rotated(times: number): Keyring {
  let keyring = sampleKeyring();
  for (let step = 0; step < times; step++) keyring = rotateKeyring(keyring);
  return keyring;
}

describe('account key', () => {
  it('is 32 random bytes, its id 16', () => {
    expect(generateAccountKey().expose()).toHaveLength(32);
    expect(toHex(generateAccountKey().expose())).not.toBe(toHex(generateAccountKey().expose()));
    expect(generateAccountId()).toHaveLength(16);
    expect(toHex(generateAccountId())).not.toBe(toHex(generateAccountId()));
  });

  it('derives keys that differ by purpose, account and epoch', () => {
    const accountKey = new Secret('AccountKey', filled(32, 1));
    const accountIds = [filled(16, 1), filled(16, 2)];
    const keys = [accountKey, new Secret('AccountKey', filled(32, 2))].flatMap((key) =>
      accountIds.flatMap((accountId) =>
        [deriveVaultHeadKey, deriveKeyslotListKey, deriveDraftKey].map((derive) =>
          toHex(derive({ accountId, accountKey: key }).expose()),
        ),
      ),
    );
    expect(new Set(keys).size).toBe(12);
    expect(refusalOf(() => deriveDraftKey({ accountId: filled(15, 1), accountKey }))).toBe('invalid-argument');
  });
});

describe('keyring', () => {
  it('gives back all epochs, and the new epoch is a fresh key', () => {
    const keyring = rotated(3);
    expect(keyring.currentEpoch).toBe(4);
    expect(new Set(keysOf(keyring).map(([, key]) => key)).size).toBe(4);
    const body = sealKeyring(keyring);
    expect(body).toHaveLength(86 + 4 + 3 * 36);
    expect(keysOf(openKeyring({ ...opening(keyring), body }))).toEqual(keysOf(keyring));
  });

  it('rotation leaves the keyring it began with as it was', () => {
    const keyring = sampleKeyring();
    rotateKeyring(keyring);
    expect(keyring.currentEpoch).toBe(1);
    expect(keyring.keys.size).toBe(1);
  });

  it('open: rejects every changed byte, cut and extension', () => {
    const keyring = rotated(2);
    const read = (body: Uint8Array) => openKeyring({ ...opening(keyring), body });
    const codes = ['open-failed', 'malformed', 'unsupported-version', 'unsupported-suite'] as const;
    expect(unrefusedTamperings(sealKeyring(keyring), read, ...codes)).toEqual([]);
  });

  it('open: rejects the keyring of another account, and of an epoch before', () => {
    const keyring = rotated(2);
    const body = sealKeyring(keyring);
    const before = { ...keyring, currentEpoch: 2 };
    expect(refusalOf(() => openKeyring({ ...opening(keyring), accountId: filled(16, 9), body }))).toBe('open-failed');
    expect(refusalOf(() => openKeyring({ ...opening(keyring), body: sealKeyring(before) }))).toBe('open-failed');
    expect(refusalOf(() => openKeyring({ ...opening(before), body: sealKeyring(before) }))).toBe('accepted');
  });

  it('a relay cannot withhold it: null is for epoch 1 only', () => {
    const keyring = rotated(1);
    expect(refusalOf(() => openKeyring({ ...opening(keyring), body: null }))).toBe('open-failed');
    expect(openKeyring({ ...opening(sampleKeyring()), body: null }).keys.size).toBe(1);
  });

  it('belongs to the epoch that the keyslot names, whatever its own header says', () => {
    const keyring = rotated(2);
    const body = sealKeyring(keyring);
    expect(refusalOf(() => openKeyring({ ...opening(keyring), epoch: 2, body }))).toBe('open-failed');
    expect(refusalOf(() => openKeyring({ ...opening(keyring), epoch: 4, body }))).toBe('open-failed');
    expect(refusalOf(() => openKeyring({ ...opening(keyring), body }))).toBe('accepted');
  });

  const first = concat(uint32(1), filled(32, 1));
  const second = concat(uint32(2), filled(32, 2));
  it.each([
    ['nothing', new Uint8Array(0)],
    ['no key', uint32(0)],
    ['a count that is too small', concat(uint32(1), first, second)],
    ['a count that is too large', concat(uint32(3), first, second)],
    ['keys out of order', concat(uint32(2), second, first)],
    ['an epoch twice', concat(uint32(2), first, first)],
    ['epoch 0', concat(uint32(1), uint32(0), filled(32, 1))],
    ['its own epoch', concat(uint32(1), uint32(3), filled(32, 1))],
    ['half a key', concat(uint32(1), first.subarray(0, 20))],
  ])('open: rejects %s, even under the right key', (_, plaintext) => {
    const keyring = rotated(2);
    const header = Uint8Array.of(1, 1, 0, 0, 0, 3);
    const context = {
      key: currentAccountKey(keyring).expose(),
      info: labelled('sotto/v1/keyring', keyring.accountId),
      associatedData: lengthPrefixed(header, keyring.accountId),
    };
    const twin = concat(header, sealCommitted({ ...context, plaintext: concat(uint32(2), first, second) }));
    expect(openKeyring({ ...opening(keyring), body: twin }).keys.size).toBe(3);
    const body = concat(header, sealCommitted({ ...context, plaintext }));
    expect(refusalOf(() => openKeyring({ ...opening(keyring), body }))).toBe('malformed');
  });

  it('misuse: nothing earlier, too much earlier, an account id of 15 bytes', () => {
    expect(refusalOf(() => sealKeyring(sampleKeyring()))).toBe('invalid-argument');
    expect(refusalOf(() => sealKeyring(rotated(maximumEarlierKeys)))).toBe('accepted');
    expect(sealKeyring(rotated(maximumEarlierKeys)).length).toBeLessThan(8192);
    expect(refusalOf(() => sealKeyring(rotated(maximumEarlierKeys + 1)))).toBe('too-long');
    const accountKey = new Secret('AccountKey', filled(32, 1));
    expect(refusalOf(() => createKeyring({ accountId: filled(15, 1), epoch: 1, accountKey }))).toBe('invalid-argument');
  });

  it('says unknown-key for an epoch that it lacks', () => {
    expect(refusalOf(() => accountKeyOf(sampleKeyring(), 2))).toBe('unknown-key');
  });
});
