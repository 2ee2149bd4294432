import { createKeyring, type Keyring } from '../../../../crypto/account/keyring.ts';
import { sha256 } from '../../../../crypto/protocol/bytes/hash.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';

/** Makes inputs that look like those of production: no two alike, and no pattern that hides a swap. */
export function seededBytes(name: string, length: number): Uint8Array<ArrayBuffer> {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, place) => [
    ...sha256(Buffer.from(`${name}/${place}`)),
  ]);
  return Uint8Array.from(blocks.flat()).slice(0, length);
}

/** The one account of the vectors. */
export const accountId = seededBytes('account id', 16);
export const accountKeys = [1, 2, 3].map((epoch) => ({ epoch, key: seededBytes(`account key ${epoch}`, 32) }));

/** The vectors' account with the keys of all epochs up to this one. */
export function vectorKeyring(currentEpoch: number): Keyring {
  const keys = accountKeys
    .filter(({ epoch }) => epoch <= currentEpoch)
    .map(({ epoch, key }) => [epoch, new Secret('AccountKey', key.slice())] as const);
  const accountKey = new Map(keys).get(currentEpoch)!;
  return { ...createKeyring({ accountId, epoch: currentEpoch, accountKey }), keys: new Map(keys) };
}
