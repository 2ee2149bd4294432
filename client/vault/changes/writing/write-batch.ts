import type { ItemBatch } from '../../../../crypto/protocol/messages/item-messages.ts';
import { type Bytes, fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../../crypto/protocol/bytes/hash.ts';
import { sealContent } from '../../../../crypto/vault/item-content.ts';
import { hashHead, sealHead } from '../../../../crypto/vault/vault-head.ts';
import type { CachedHead, CachedItem } from '../../store/cached-shapes.ts';
import type { PlannedWrite } from '../operations/batch-in-progress.ts';
import { type BatchPlan, flagsOf } from './plan-batch.ts';
import type { OpenedItem, VaultStore } from '../../store/vault-store.ts';

/** A batch that is ready to be sent, and what becomes of this device when the relay has taken it. */
export type SealedBatch = {
  readonly message: ItemBatch;
  readonly head: CachedHead;
  readonly puts: readonly OpenedItem[];
  readonly deletes: readonly string[];
};

const noBody: Bytes = new Uint8Array(0);

/**
 * Seals the writes of a plan and the head that covers them, as the successor of the head that this device knows.
 *
 * @param turnId - The id of the turn that the batch begins, if it begins one.
 */
export function sealBatch(
  store: VaultStore,
  plan: Pick<BatchPlan, 'writes' | 'finishTurns' | 'prune'>,
  turnId: string | null,
): SealedBatch {
  const counter = store.mark.head.counter + 1;
  const puts = plan.writes.map((write) => sealWrite(store, write, { counter, turnId }));
  const items = puts.map(({ item }) => item);
  const body = sealHead({
    keyring: store.keyring,
    head: {
      counter,
      previousHash: store.mark.head.hash,
      itemsRoot: store.rootWith(items, plan.prune),
      keyslotListDigest: store.head.keyslotListDigest,
      prunedBefore: plan.prune.length > 0 ? counter : store.head.prunedBefore,
    },
  });
  return {
    message: {
      format: 1,
      expectedHead: toBase64Url(store.mark.head.hash),
      head: { counter, body: toBase64Url(body) },
      items: items.map(({ id, version, expiresAt, flags, body: sealed }) => ({
        id,
        version,
        expiresAt,
        flags,
        body: toBase64Url(sealed ?? noBody),
      })),
      prune: [...plan.prune],
      finishTurns: [...plan.finishTurns],
    },
    head: { counter, hash: hashHead(body), body },
    puts,
    deletes: plan.prune,
  };
}

function sealWrite(
  store: VaultStore,
  write: PlannedWrite,
  place: { readonly counter: number; readonly turnId: string | null },
): OpenedItem {
  const { id, version, content } = write;
  const expiresAt = 0;
  const body =
    content === null
      ? noBody
      : sealContent({ keyring: store.keyring, itemId: fromBase64Url(id), version, expiresAt, content });
  const item: CachedItem = {
    id,
    version,
    expiresAt,
    flags: flagsOf(write),
    counter: place.counter,
    storedAtMs: null,
    turnId: place.turnId,
    length: body.length,
    bodyHash: sha256(body),
    bodyState: 'here',
    body,
  };
  return { item, content };
}

/** Noted before sending: when the answer is lost, the head may come back as ours. */
export async function notePending(store: VaultStore, batch: SealedBatch): Promise<void> {
  await store.updateMark({ pending: { counter: batch.head.counter, hash: batch.head.hash } });
}

/** The relay has it. The cursor stays: the next sync brings the items back with the relay's own columns, and proves them. */
export async function keepBatch(store: VaultStore, batch: SealedBatch): Promise<void> {
  await store.commit({
    head: batch.head,
    puts: batch.puts,
    deletes: batch.deletes,
    isWhole: false,
    cursor: store.mark.cursor,
  });
}
