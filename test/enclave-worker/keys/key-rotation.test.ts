import { beforeAll, expect, test } from 'vitest';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { keyLifetimeMs, KeyRotation, keyRotationMs } from '../../../enclave-worker/keys/key-rotation.ts';

beforeAll(aeadReady);

test('a key is wiped when its time is over, and whoever guards its requests is told after that', () => {
  const wipedWhenTold: [string, boolean][] = [];
  const rotation = new KeyRotation((keyId) => wipedWhenTold.push([keyId, isWiped()]));
  const [first] = rotation.keysAt(0);
  if (first === undefined) throw new Error('no key');
  const isWiped = () => first.secretKey.expose().every((byte) => byte === 0);
  rotation.keysAt(keyRotationMs);
  rotation.keysAt(keyLifetimeMs - 1);
  expect([isWiped(), wipedWhenTold]).toEqual([false, []]);
  rotation.keysAt(keyLifetimeMs);
  expect(wipedWhenTold).toEqual([[toHex(first.keyId), true]]);
});
