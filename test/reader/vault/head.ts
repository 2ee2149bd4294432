import { openCommitted, sealCommitted, type SealPlace } from '../primitives/committed-seal.ts';
import {
  Fields,
  header,
  isEqual,
  join,
  lp,
  readHeader,
  sha256,
  u32,
  u64,
  zeros,
  type Bytes,
} from '../protocol/conventions.ts';
import { currentKey, keyOfEpoch, type Keyring } from '../account/keyring.ts';
import { vaultHeadKey } from '../account/keys.ts';
import { refuse } from '../protocol/refusal.ts';

/** The state of a whole vault (SPEC.md §6.2). */
export type Head = {
  counter: number;
  previousHash: Bytes;
  epoch: number;
  itemsRoot: Bytes;
  keyslotListDigest: Bytes;
  prunedBefore: number;
};

const bodyLength = 202;

const placeOf = (accountKey: Bytes, accountId: Bytes, sealedHeader: Bytes): SealPlace => ({
  key: vaultHeadKey(accountKey, accountId),
  info: lp('sotto/v1/vault-head', accountId),
  associatedData: lp(sealedHeader, accountId),
});

const isConsistent = ({ counter, previousHash, prunedBefore }: Head): boolean =>
  counter > 0 && (counter === 1) === isEqual(previousHash, zeros(32)) && prunedBefore <= counter;

export function sealHead(keyring: Keyring, head: Head, salt: Bytes): Bytes {
  if (!isConsistent(head)) refuse('invalid-argument');
  const sealedHeader = header(head.epoch);
  const plaintext = join(
    u64(head.counter),
    head.previousHash,
    u32(head.epoch),
    head.itemsRoot,
    head.keyslotListDigest,
    u64(head.prunedBefore),
  );
  const place = placeOf(keyOfEpoch(keyring, head.epoch), keyring.accountId, sealedHeader);
  return join(sealedHeader, sealCommitted(place, plaintext, salt));
}

export function openHead(keyring: Keyring, body: Bytes): Head {
  const { header: sealedHeader, epoch, rest } = readHeader(body);
  if (body.length !== bodyLength) refuse('malformed');
  const place = placeOf(keyOfEpoch(keyring, epoch), keyring.accountId, sealedHeader);
  const fields = new Fields(openCommitted(place, rest));
  const head: Head = {
    counter: fields.integer(8),
    previousHash: fields.bytes(32),
    epoch: fields.integer(4),
    itemsRoot: fields.bytes(32),
    keyslotListDigest: fields.bytes(32),
    prunedBefore: fields.integer(8),
  };
  return head.epoch === epoch && isConsistent(head) ? head : refuse('malformed');
}

/** A device remembers this of the last head it accepted (SPEC.md §6.3). */
export type HeadMark = { counter: number; hash: Bytes };
export type OuterHead = { counter: number; body: Bytes };

/** Follows every head from the remembered one to the newest (SPEC.md §6.3). Without one, the first is taken as it is. */
export function followHeads(keyring: Keyring, from: HeadMark | null, heads: readonly OuterHead[]): Head {
  let mark = from;
  let before: Head | null = null;
  for (const { counter, body } of heads) {
    const head = openHead(keyring, body);
    const isNext = mark === null || (head.counter === mark.counter + 1 && isEqual(head.previousHash, mark.hash));
    const isFalling = before !== null && (head.epoch < before.epoch || head.prunedBefore < before.prunedBefore);
    if (head.counter !== counter || !isNext || isFalling) refuse('out-of-order');
    mark = { counter, hash: sha256(body) };
    before = head;
  }
  if (before === null) return refuse('invalid-argument');
  return before.epoch === currentKey(keyring).epoch ? before : refuse('out-of-order');
}
