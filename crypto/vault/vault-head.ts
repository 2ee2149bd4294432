import { deriveVaultHeadKey } from '../account/account-key.ts';
import { accountKeyOf, type Keyring } from '../account/keyring.ts';
import {
  type Bytes,
  concat,
  equalBytes,
  lengthPrefixed,
  readUint32,
  readUint64,
  uint32,
  uint64,
} from '../protocol/bytes/bytes.ts';
import { committedSealOverhead, openCommitted, sealCommitted } from '../primitives/committed-seal.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled, sha256 } from '../protocol/bytes/hash.ts';
import { decodeSealedHeader, encodeSealedHeader, sealedHeaderLength } from '../primitives/sealed-header.ts';

/** The state of a whole vault in 116 bytes: what a relay cannot roll back, fork or thin out unnoticed. */
export type VaultHead = {
  /** 1 for the first head; each head is its predecessor's successor. */
  readonly counter: number;
  /** `hashHead` of the head before; zeros in the first. */
  readonly previousHash: Bytes;
  readonly epoch: number;
  /** Root of the Merkle tree over all leaves. */
  readonly itemsRoot: Bytes;
  readonly keyslotListDigest: Bytes;
  /** Counter of the newest head whose batch pruned leaves, 0 before; a device whose last head is older resyncs whole. */
  readonly prunedBefore: number;
};

/** A device remembers this of the last head that it accepted. */
export type HeadMark = { readonly counter: number; readonly hash: Bytes };

const plaintextLength = 8 + 32 + 4 + 32 + 32 + 8;
/** `header (6) || salt (32) || commitment (32) || ciphertext (116) || tag (16)`. */
export const headBodyLength = sealedHeaderLength + committedSealOverhead + plaintextLength;

/** The `previousHash` of the first head, and the `expectedHead` of the batch that brings it. */
export const noHeadHash: Bytes = new Uint8Array(32);

function contextOf(keyring: Keyring, epoch: number, header: Uint8Array) {
  const { accountId } = keyring;
  return {
    key: deriveVaultHeadKey({ accountId, accountKey: accountKeyOf(keyring, epoch) }).expose(),
    info: labelled('sotto/v1/vault-head', accountId),
    associatedData: lengthPrefixed(header, accountId),
  };
}

function isConsistent(head: Omit<VaultHead, 'epoch'>): boolean {
  const isFirst = equalBytes(head.previousHash, noHeadHash);
  return head.counter >= 1 && (head.counter === 1) === isFirst && head.prunedBefore <= head.counter;
}

/**
 * Seals a head under the keyring's current epoch (SPEC.md §6.2).
 *
 * @returns 202 bytes.
 * @throws {CryptoError} `invalid-argument` for a head that no reader would accept.
 */
export function sealHead(input: { readonly keyring: Keyring; readonly head: Omit<VaultHead, 'epoch'> }): Bytes {
  const { keyring, head } = input;
  for (const hash of [head.previousHash, head.itemsRoot, head.keyslotListDigest]) {
    if (hash.length !== 32) throw new CryptoError('invalid-argument');
  }
  if (!isConsistent(head)) throw new CryptoError('invalid-argument');
  const header = encodeSealedHeader(keyring.currentEpoch);
  const plaintext = concat(
    uint64(head.counter),
    head.previousHash,
    uint32(keyring.currentEpoch),
    head.itemsRoot,
    head.keyslotListDigest,
    uint64(head.prunedBefore),
  );
  return concat(header, sealCommitted({ ...contextOf(keyring, keyring.currentEpoch, header), plaintext }));
}

/** @throws {CryptoError} `open-failed`, `unknown-key`, `malformed`, `unsupported-version`, `unsupported-suite`. */
export function openHead(input: { readonly keyring: Keyring; readonly body: Uint8Array }): VaultHead {
  const { header, epoch, sealed } = decodeSealedHeader(input.body);
  if (input.body.length !== headBodyLength) throw new CryptoError('malformed');
  const plaintext = openCommitted({ ...contextOf(input.keyring, epoch, header), sealed });
  const head = {
    counter: readUint64(plaintext, 0),
    previousHash: plaintext.slice(8, 40),
    epoch: readUint32(plaintext, 40),
    itemsRoot: plaintext.slice(44, 76),
    keyslotListDigest: plaintext.slice(76, 108),
    prunedBefore: readUint64(plaintext, 108),
  };
  if (head.epoch !== epoch || !isConsistent(head)) throw new CryptoError('malformed');
  return head;
}

/** SHA-256 of the sealed bytes: the link of the chain, and what a batch names as `expectedHead`. */
export function hashHead(body: Uint8Array): Bytes {
  return sha256(body);
}

/**
 * Follows the chain from the last head that this device accepted to the newest (SPEC.md §6.3).
 *
 * @param input.from - null only on a device that has never seen a head of this account; it then takes the first head
 *   of the list as it is, and cannot notice a rollback to it.
 * @param input.heads - Rising, without a gap; at least one.
 * @returns the newest.
 * @throws {CryptoError} `out-of-order` where the chain breaks (a rollback, a fork, a lying counter, an epoch that
 *   falls or is not the keyring's), `invalid-argument` for no heads, and as `openHead`.
 */
export function verifyHeadChain(input: {
  readonly keyring: Keyring;
  readonly from: HeadMark | null;
  readonly heads: readonly { readonly counter: number; readonly body: Uint8Array }[];
}): VaultHead {
  let mark = input.from;
  let newest: VaultHead | undefined;
  for (const { counter, body } of input.heads) {
    const head = openHead({ keyring: input.keyring, body });
    const follows = mark === null || (head.counter === mark.counter + 1 && equalBytes(head.previousHash, mark.hash));
    const rises = newest === undefined || (head.epoch >= newest.epoch && head.prunedBefore >= newest.prunedBefore);
    if (!follows || !rises || head.counter !== counter) throw new CryptoError('out-of-order');
    mark = { counter: head.counter, hash: hashHead(body) };
    newest = head;
  }
  if (newest === undefined) throw new CryptoError('invalid-argument');
  // A holder of an old account key could write heads of its epoch, but never one of this.
  if (newest.epoch !== input.keyring.currentEpoch) throw new CryptoError('out-of-order');
  return newest;
}
