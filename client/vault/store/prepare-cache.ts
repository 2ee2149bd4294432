import type { Keyring } from '../../../crypto/account/keyring.ts';
import { type Bytes, equalBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { CachedHead } from './cached-shapes.ts';
import type { CiphertextCache } from './ciphertext-cache.ts';
import { rememberedOf } from './remembered-head.ts';
import { isReadableHead } from './vault-store.ts';

/**
 * Makes sure that the cache is this account's, under a head that its keys open. One that is damaged is set aside: everything
 * is read anew, and has to descend from what was accepted before. Unsent words stay.
 *
 * @returns whether it was damaged.
 */
export async function prepareCache(
  cache: CiphertextCache,
  owner: Bytes,
  keyring: Keyring,
  head: CachedHead,
): Promise<boolean> {
  const fresh = { name: 'vault', owner, head, cursor: null, pending: null, turnsAfterMs: 0 } as const;
  const mark = await cache.readMark();
  if (mark === null || !equalBytes(mark.owner, owner)) {
    await cache.wipeVault();
    const floor = await cache.readRemembered(owner);
    await cache.writeMark({ ...fresh, generation: 1, floor });
    return false;
  }
  if (isReadableHead(keyring, mark.head)) return false;
  const remembered = rememberedOf(mark);
  const floor = remembered.counter > 0 ? remembered : await cache.readRemembered(owner);
  await cache.writeMark({ ...fresh, generation: mark.generation + 1, floor });
  return true;
}
