import { beforeAll, expect, test } from 'vitest';
import { openKeyslotList } from '../../../crypto/account/keyslot-list.ts';
import { unwrapAccountKey } from '../../../crypto/account/keyslot.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { fromHex, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import frozen from '../../vectors/sotto-v1-keyslot-2.json' with { type: 'json' };
import { makeKeyslot2Vectors } from '../../vectors/making/keyslot-2-vectors.ts';

beforeAll(aeadReady);

test('sotto-v1-keyslot-2.json: is what the writers make from the same random bytes', () => {
  expect(JSON.parse(JSON.stringify(makeKeyslot2Vectors()))).toEqual(frozen);
});

test.each(frozen.keyslots)('unwrapAccountKey: opens a $kind slot of version 2, epoch $epoch', (entry) => {
  const opened = unwrapAccountKey({
    kind: entry.kind as 'password' | 'recovery',
    slotId: fromHex(entry.slotId),
    generation: entry.generation,
    stretching: entry.stretching as 'argon2id-64mib-3' | null,
    serverStaticPublicKey: entry.kind === 'password' ? entry.serverStaticPublicKey : null,
    keyEncryptionKey: new Secret('KeyEncryptionKey', fromHex(entry.keyEncryptionKey)),
    nameTag: fromHex(entry.nameTag),
    body: fromHex(entry.body),
  });
  expect(toHex(opened.accountKey.expose())).toBe(entry.accountKey);
  expect([toHex(opened.accountId), opened.epoch]).toEqual([entry.accountId, entry.epoch]);
});

test('openKeyslotList: takes the kinds 1 to 4, and refuses the retired 5 and every other', () => {
  const listKey = new Secret('KeyslotListKey', fromHex(frozen.keyslotListKey));
  const read = (body: string) => refusalOf(() => openKeyslotList({ listKey, body: fromHex(body) }));
  expect(new Set(frozen.kinds.map(({ body }) => read(body)))).toEqual(new Set(['accepted']));
  expect(frozen.refusedKinds.map(({ kind, body }) => [kind, read(body)])).toEqual(
    [0, 5, 6, 255].map((kind) => [kind, 'malformed']),
  );
});
