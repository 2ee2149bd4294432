import { createKeyring, type Keyring } from '../../../crypto/account/keyring.ts';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';

/** Bytes that say where they come from when a test prints them. */
export function filled(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

export function sampleKeyring(accountByte = 0xa1, keyByte = 0xb1): Keyring {
  return createKeyring({
    accountId: filled(16, accountByte),
    epoch: 1,
    accountKey: new Secret('AccountKey', filled(32, keyByte)),
  });
}

/** An account like a real one, for properties that must hold whatever the keys are. */
export function randomKeyring(): Keyring {
  return createKeyring({
    accountId: randomBytes(16),
    epoch: 1,
    accountKey: new Secret('AccountKey', randomBytes(32)),
  });
}
