import { currentAccountKey } from '../../../../crypto/account/keyring.ts';
import { concat, encodeUtf8, lengthPrefixed, toHex, uint32 } from '../../../../crypto/protocol/bytes/bytes.ts';
import { openCommitted, sealCommitted } from '../../../../crypto/primitives/committed-seal.ts';
import { labelled } from '../../../../crypto/protocol/bytes/hash.ts';
import { sealItem } from '../../../../crypto/vault/item.ts';
import { seededBytes, vectorKeyring } from '../given/seeded-values.ts';

/** Items that only a writer with the account key could make wrong, and ones that a relay could. */
export function makeRefusedItemVectors() {
  const keyring = vectorKeyring(1);
  const itemId = seededBytes('id refused', 16);
  const content = encodeUtf8('refused');
  const place = { itemId, version: 5, expiresAt: 20_000 };
  const header = Uint8Array.of(1, 1, 0, 0, 0, 1);
  const context = {
    key: currentAccountKey(keyring).expose(),
    info: labelled('sotto/v1/item', keyring.accountId, itemId),
    associatedData: lengthPrefixed(header, keyring.accountId, itemId, uint32(5), uint32(20_000)),
  };
  const seal = (plaintext: Uint8Array) => concat(header, sealCommitted({ ...context, plaintext }));
  const genuine = sealItem({ keyring, ...place, content });
  const padded = openCommitted({ ...context, sealed: genuine.subarray(6) });
  const flipped = (at: number) => genuine.map((byte, here) => (here === at ? byte ^ 1 : byte));
  const cases: readonly (readonly [string, string, Uint8Array])[] = [
    ['the accepted twin', 'accepted', genuine],
    ['version 2', 'unsupported-version', genuine.with(0, 2)],
    ['suite 2', 'unsupported-suite', genuine.with(1, 2)],
    ['epoch 0', 'malformed', genuine.with(5, 0)],
    ['epoch 2, which the keyring lacks', 'unknown-key', genuine.with(5, 2)],
    ['first salt bit', 'open-failed', flipped(6)],
    ['first commitment bit', 'open-failed', flipped(38)],
    ['first ciphertext bit', 'open-failed', flipped(70)],
    ['last tag bit', 'open-failed', flipped(genuine.length - 1)],
    ['a byte behind', 'open-failed', concat(genuine, Uint8Array.of(0))],
    ['a byte less', 'open-failed', genuine.slice(0, -1)],
    ['85 bytes', 'open-failed', genuine.slice(0, 85)],
    ['5 bytes', 'malformed', genuine.slice(0, 5)],
    ['padding: a class too large', 'malformed', seal(concat(padded, new Uint8Array(3072)))],
    ['padding: none', 'malformed', seal(concat(uint32(content.length), content))],
    ['padding: last byte 1', 'malformed', seal(padded.with(1023, 1))],
    ['padding: length beyond the end', 'malformed', seal(concat(uint32(1021), padded.subarray(4)))],
  ];
  return {
    accountId: toHex(keyring.accountId),
    accountKey: toHex(currentAccountKey(keyring).expose()),
    itemId: toHex(itemId),
    version: 5,
    expiresAt: 20_000,
    bodies: cases.map(([name, result, body]) => ({ name, result, body: toHex(body) })),
  };
}
