import type { SealedHeadMessage } from '../../../crypto/protocol/messages/item-messages.ts';
import { equalBytes, fromBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError, type CryptoErrorCode } from '../../../crypto/protocol/bytes/errors.ts';
import { type HeadMark, openHead, type VaultHead, verifyHeadChain } from '../../../crypto/vault/vault-head.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { CachedHead } from './cached-shapes.ts';
import { compareRemembered } from './remembered-head.ts';
import type { FailureCode } from '../failures/failure-codes.ts';
import { VaultError } from '../failures/vault-error.ts';
import { cachedHead, type VaultStore } from './vault-store.ts';

/** Heads that one sync follows; a device that was away for longer than half a million batches signs in anew. */
const maximumPages = 1_000;

/** Codes for which a head must not be used, sealed or not, although perhaps nobody lied. */
export const newerCodes: Partial<Record<CryptoErrorCode, FailureCode>> = {
  'unsupported-version': 'other-version',
  'unsupported-suite': 'other-version',
  // An epoch that another device began: an unlock brings its keys, a reload does not.
  'unknown-key': 'newer-keys',
};

export type CheckedHead = { readonly cached: CachedHead; readonly opened: VaultHead };

/**
 * Follows the chain from the last head that this device accepted to the one that the relay shows now.
 *
 * @throws {VaultError} `vault-rolled-back` for an older one (M16), `vault-tampered` for a fork, a gap or a head that the
 *   account did not seal (M13, M19), `other-version` for one that says that a newer build wrote it, `newer-keys` for one of
 *   an epoch whose keys this device does not have.
 */
export async function checkHead(
  store: VaultStore,
  client: Pick<RelayClient, 'readHeads'>,
  message: SealedHeadMessage,
): Promise<CheckedHead> {
  const known = store.mark.head;
  const shown = cachedHead(message);
  await checkFloor(store, client, shown);
  if (shown.counter < known.counter) throw new VaultError('vault-rolled-back');
  if (shown.counter === known.counter) {
    if (!equalBytes(shown.hash, known.hash)) throw new VaultError('vault-tampered');
    return { cached: known, opened: store.head };
  }
  const heads = await readChain(client, known.counter, shown);
  const opened = verifyChain(store, known, heads);
  if (opened.prunedBefore < store.head.prunedBefore) throw new VaultError('vault-tampered');
  return { cached: shown, opened };
}

/** A head accepted before the cache was wiped or broken still binds the relay: no older state, and no other history. */
async function checkFloor(store: VaultStore, client: Pick<RelayClient, 'readHeads'>, shown: CachedHead): Promise<void> {
  const { floor } = store.mark;
  if (floor === undefined || floor === null) return;
  const alarm = compareRemembered(floor, shown);
  if (alarm !== null) throw new VaultError(alarm);
  if (shown.counter > floor.counter) verifyChain(store, floor, await readChain(client, floor.counter, shown));
}

/** All heads after a counter up to the shown one, which must be the last. */
async function readChain(
  client: Pick<RelayClient, 'readHeads'>,
  after: number,
  shown: CachedHead,
): Promise<readonly { counter: number; body: Uint8Array }[]> {
  if (shown.counter === after + 1) return [shown];
  const heads: { counter: number; body: Uint8Array }[] = [];
  let last = after;
  for (let page = 0; last < shown.counter; page++) {
    const answer = await client.readHeads(last);
    const next = answer.heads.at(-1);
    if (next === undefined || next.counter <= last || page >= maximumPages) throw new VaultError('vault-tampered');
    heads.push(...answer.heads.map(({ counter, body }) => ({ counter, body: fromBase64Url(body) })));
    last = next.counter;
  }
  // There may be newer ones by now; the next sync follows those.
  const chain = heads.filter(({ counter }) => counter <= shown.counter);
  const end = chain.at(-1);
  if (end === undefined || !equalBytes(end.body, shown.body)) throw new VaultError('vault-tampered');
  return chain;
}

function verifyChain(
  store: VaultStore,
  known: HeadMark,
  heads: readonly { counter: number; body: Uint8Array }[],
): VaultHead {
  try {
    return verifyHeadChain({ keyring: store.keyring, from: known, heads });
  } catch (error) {
    const newer = error instanceof CryptoError ? newerCodes[error.code] : undefined;
    throw new VaultError(newer ?? 'vault-tampered');
  }
}

/** The head that came with a sign-in. @throws {VaultError} `vault-tampered`. */
export function openSignInHead(keyring: VaultStore['keyring'], message: SealedHeadMessage): CheckedHead {
  const cached = cachedHead(message);
  const opened = openHead({ keyring, body: cached.body });
  if (opened.counter !== cached.counter || opened.epoch !== keyring.currentEpoch) {
    throw new VaultError('vault-tampered');
  }
  return { cached, opened };
}
