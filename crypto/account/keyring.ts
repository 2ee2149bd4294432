import { type Bytes, concat, lengthPrefixed, readUint32, uint32 } from '../protocol/bytes/bytes.ts';
import { committedSealOverhead, openCommitted, sealCommitted } from '../primitives/committed-seal.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { decodeSealedHeader, encodeSealedHeader, sealedHeaderLength } from '../primitives/sealed-header.ts';
import { Secret } from '../protocol/bytes/secret.ts';
import { generateAccountKey } from './account-key.ts';

/** An account's keys by epoch: the current one seals, all of them open. */
export type Keyring = {
  readonly accountId: Bytes;
  readonly currentEpoch: number;
  readonly keys: ReadonlyMap<number, Secret<'AccountKey'>>;
};

/** Earlier epochs that fit into a sealed keyring; older keys are dropped once no item needs them. */
export const maximumEarlierKeys = 200;
const entryLength = 4 + 32;

/** The keyring of an account that has one key. @param input.accountId - 16 bytes. */
export function createKeyring(input: {
  readonly accountId: Bytes;
  readonly epoch: number;
  readonly accountKey: Secret<'AccountKey'>;
}): Keyring {
  if (input.accountId.length !== 16 || input.accountKey.expose().length !== 32) {
    throw new CryptoError('invalid-argument');
  }
  return {
    accountId: input.accountId,
    currentEpoch: input.epoch,
    keys: new Map([[input.epoch, input.accountKey]]),
  };
}

/** @throws {CryptoError} `unknown-key` for an epoch that this device has not been given yet, or no longer. */
export function accountKeyOf(keyring: Keyring, epoch: number): Secret<'AccountKey'> {
  const accountKey = keyring.keys.get(epoch);
  if (accountKey === undefined) throw new CryptoError('unknown-key');
  return accountKey;
}

/**
 * The account key of the current epoch: the one to seal with. An earlier seal opens with the key of its own epoch, by
 * `accountKeyOf`.
 *
 * @throws {CryptoError} `unknown-key` when the keyring does not hold it.
 */
export function currentAccountKey(keyring: Keyring): Secret<'AccountKey'> {
  return accountKeyOf(keyring, keyring.currentEpoch);
}

/** The next epoch with a fresh key; keyslots, list, keyring and head must follow in one transaction (SPEC.md §4.5). */
export function rotateKeyring(keyring: Keyring): Keyring {
  const epoch = keyring.currentEpoch + 1;
  return { ...keyring, currentEpoch: epoch, keys: new Map([...keyring.keys, [epoch, generateAccountKey()]]) };
}

function contextOf(input: { accountId: Bytes; accountKey: Secret<'AccountKey'> }, header: Uint8Array) {
  return {
    key: input.accountKey.expose(),
    info: labelled('sotto/v1/keyring', input.accountId),
    associatedData: lengthPrefixed(header, input.accountId),
  };
}

/**
 * Seals the earlier account keys under the current one (SPEC.md §4.4).
 *
 * @returns `header (6) || committed seal of count (4) || count × { epoch (4) || key (32) }`.
 * @throws {CryptoError} `invalid-argument` where there is no earlier key, `too-long` above 200.
 */
export function sealKeyring(keyring: Keyring): Bytes {
  const earlier = [...keyring.keys].filter(([epoch]) => epoch < keyring.currentEpoch).toSorted(([a], [b]) => a - b);
  if (earlier.length === 0) throw new CryptoError('invalid-argument');
  if (earlier.length > maximumEarlierKeys) throw new CryptoError('too-long');
  const entries = earlier.map(([epoch, accountKey]) => concat(uint32(epoch), accountKey.expose()));
  const plaintext = concat(uint32(earlier.length), ...entries);
  const header = encodeSealedHeader(keyring.currentEpoch);
  const context = contextOf({ accountId: keyring.accountId, accountKey: currentAccountKey(keyring) }, header);
  const body = concat(header, sealCommitted({ ...context, plaintext }));
  plaintext.fill(0);
  return body;
}

/**
 * Opens what `sealKeyring` wrote.
 *
 * @param input.epoch - The epoch of the account key, as its keyslot says.
 * @param input.body - null in epoch 1 only: a relay cannot make a device forget its earlier keys.
 * @throws {CryptoError} `open-failed`, `malformed`, `unsupported-version`, `unsupported-suite`.
 */
export function openKeyring(input: {
  readonly accountId: Bytes;
  readonly epoch: number;
  readonly accountKey: Secret<'AccountKey'>;
  readonly body: Uint8Array | null;
}): Keyring {
  const keyring = createKeyring(input);
  if (input.body === null) {
    if (input.epoch !== 1) throw new CryptoError('open-failed');
    return keyring;
  }
  if (input.body.length > sealedHeaderLength + committedSealOverhead + 4 + maximumEarlierKeys * entryLength) {
    throw new CryptoError('malformed');
  }
  const { header, epoch, sealed } = decodeSealedHeader(input.body);
  if (epoch !== input.epoch) throw new CryptoError('open-failed');
  const plaintext = openCommitted({ ...contextOf(input, header), sealed });
  const keys = new Map([...decodeEntries(plaintext, epoch), [epoch, input.accountKey]]);
  plaintext.fill(0);
  return { ...keyring, keys };
}

function decodeEntries(plaintext: Bytes, epoch: number): [number, Secret<'AccountKey'>][] {
  const count = readUint32(plaintext, 0);
  if (count === 0 || plaintext.length !== 4 + count * entryLength) throw new CryptoError('malformed');
  const entries: [number, Secret<'AccountKey'>][] = [];
  let previous = 0;
  for (let offset = 4; offset < plaintext.length; offset += entryLength) {
    const entryEpoch = readUint32(plaintext, offset);
    // Rising, and all before the current one: every keyring has one spelling.
    if (entryEpoch <= previous || entryEpoch >= epoch) throw new CryptoError('malformed');
    previous = entryEpoch;
    entries.push([entryEpoch, new Secret('AccountKey', plaintext.slice(offset + 4, offset + entryLength))]);
  }
  return entries;
}
