import { describe, expect, it } from 'vitest';
import { deriveVaultHeadKey } from '../../../crypto/account/account-key.ts';
import { currentAccountKey, type Keyring, rotateKeyring } from '../../../crypto/account/keyring.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { type Bytes, concat, lengthPrefixed, toHex, uint32, uint64 } from '../../../crypto/protocol/bytes/bytes.ts';
import { openCommitted, sealCommitted } from '../../../crypto/primitives/committed-seal.ts';
import { labelled, sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import {
  hashHead,
  headBodyLength,
  noHeadHash,
  openHead,
  sealHead,
  type VaultHead,
  verifyHeadChain,
} from '../../../crypto/vault/vault-head.ts';
import { refusalOf, unrefusedTamperings } from '../../parts/crypto/refusal.ts';
import { filled, sampleKeyring } from '../../parts/crypto/sample-account.ts';

// The tables below seal while they are collected.
await aeadReady();

const keyring = sampleKeyring();
const first = {
  counter: 1,
  previousHash: noHeadHash,
  itemsRoot: filled(32, 1),
  keyslotListDigest: filled(32, 2),
  prunedBefore: 0,
};
const plaintextOf = (head: Omit<VaultHead, 'epoch'>, epoch = 1) =>
  concat(
    uint64(head.counter),
    head.previousHash,
    uint32(epoch),
    head.itemsRoot,
    head.keyslotListDigest,
    uint64(head.prunedBefore),
  );
const header = Uint8Array.of(1, 1, 0, 0, 0, 1);
const contextOf = (account: Keyring) => ({
  key: deriveVaultHeadKey({ accountId: account.accountId, accountKey: currentAccountKey(account) }).expose(),
  info: labelled('sotto/v1/vault-head', account.accountId),
  associatedData: lengthPrefixed(header, account.accountId),
});

describe('sealHead and openHead', () => {
  it('come back, in 202 bytes', () => {
    const head = { ...first, counter: 9, previousHash: filled(32, 3), prunedBefore: 4 };
    const body = sealHead({ keyring, head });
    expect(body).toHaveLength(202);
    expect(headBodyLength).toBe(202);
    expect(openHead({ keyring, body })).toEqual({ ...head, epoch: 1 });
  });

  it('are what SPEC.md §6.2 says, byte for byte', () => {
    const body = sealHead({ keyring, head: first });
    expect(toHex(body.subarray(0, 6))).toBe(toHex(header));
    const plaintext = openCommitted({ ...contextOf(keyring), sealed: body.subarray(6) });
    expect(toHex(plaintext)).toBe(toHex(plaintextOf(first)));
    expect(hashHead(body)).toEqual(sha256(body));
  });

  it('openHead rejects every changed byte, cut and extension', () => {
    const codes = ['open-failed', 'malformed', 'unsupported-version', 'unsupported-suite', 'unknown-key'] as const;
    const read = (body: Uint8Array) => openHead({ keyring, body });
    expect(unrefusedTamperings(sealHead({ keyring, head: first }), read, ...codes)).toEqual([]);
  });

  it('openHead rejects the head of another account, with the same key or another one', () => {
    const body = sealHead({ keyring: sampleKeyring(0xa2), head: first });
    expect(refusalOf(() => openHead({ keyring, body }))).toBe('open-failed');
    const other = sealHead({ keyring: sampleKeyring(0xa1, 0xb2), head: first });
    expect(refusalOf(() => openHead({ keyring, body: other }))).toBe('open-failed');
  });

  it.each([
    ['another epoch inside than outside', plaintextOf(first, 2)],
    ['counter 0', plaintextOf({ ...first, counter: 0 })],
    ['counter 0 with a predecessor', plaintextOf({ ...first, counter: 0, previousHash: filled(32, 1) })],
    ['a first head with a predecessor', plaintextOf({ ...first, previousHash: filled(32, 1) })],
    ['a later head without predecessor', plaintextOf({ ...first, counter: 2 })],
    ['pruning in the future', plaintextOf({ ...first, prunedBefore: 2 })],
  ])('openHead rejects %s, even under the right key', (_, plaintext) => {
    const seal = (text: Uint8Array) => concat(header, sealCommitted({ ...contextOf(keyring), plaintext: text }));
    expect(refusalOf(() => openHead({ keyring, body: seal(plaintextOf(first)) }))).toBe('accepted');
    expect(refusalOf(() => openHead({ keyring, body: seal(plaintext) }))).toBe('malformed');
  });

  it.each([
    ['counter 0', { counter: 0 }],
    ['counter 0 with a predecessor', { counter: 0, previousHash: filled(32, 1) }],
    ['a first head with a predecessor', { previousHash: filled(32, 1) }],
    ['a later head without predecessor', { counter: 2 }],
    ['pruning in the future', { prunedBefore: 2 }],
    ['a root of 31 bytes', { itemsRoot: filled(31, 1) }],
    ['a digest of 33 bytes', { keyslotListDigest: filled(33, 1) }],
    ['a hash of 0 bytes', { previousHash: filled(0, 1) }],
  ])('sealHead refuses %s', (_, change) => {
    expect(refusalOf(() => sealHead({ keyring, head: { ...first, ...change } }))).toBe('invalid-argument');
  });
});

type SealedHead = { readonly counter: number; readonly body: Bytes };

/** A chain as an honest device writes it; `root` makes two histories differ. */
function chainOf(length: number, input: { account?: Keyring; after?: SealedHead; root?: number } = {}): SealedHead[] {
  const { account = keyring, after, root = 1 } = input;
  const heads: SealedHead[] = [];
  let previous = after;
  for (let step = 0; step < length; step++) {
    const counter = (previous?.counter ?? 0) + 1;
    const previousHash = previous === undefined ? noHeadHash : hashHead(previous.body);
    const head = { ...first, counter, previousHash, itemsRoot: filled(32, root) };
    previous = { counter, body: sealHead({ keyring: account, head }) };
    heads.push(previous);
  }
  return heads;
}
const markOf = ({ counter, body }: SealedHead) => ({ counter, hash: hashHead(body) });

describe('verifyHeadChain', () => {
  const heads = chainOf(6);

  it('follows a chain from any head that was seen, and from none', () => {
    for (let seen = 0; seen < 5; seen++) {
      const from = markOf(heads[seen]!);
      expect(verifyHeadChain({ keyring, from, heads: heads.slice(seen + 1) }).counter).toBe(6);
    }
    expect(verifyHeadChain({ keyring, from: null, heads }).counter).toBe(6);
    expect(verifyHeadChain({ keyring, from: null, heads: heads.slice(5) }).counter).toBe(6);
  });

  const from = markOf(heads[2]!);
  const fork = chainOf(3, { after: heads[1]!, root: 9 });
  it.each([
    ['M16: a rollback to an older head', [heads[1]!]],
    ['M16: the very head that was seen, as if new', [heads[2]!]],
    ['M17: a head dropped in the middle', [heads[3]!, heads[5]!]],
    ['M17: the next head dropped', [heads[4]!, heads[5]!]],
    ['M15: two heads in the wrong order', [heads[4]!, heads[3]!]],
    ['a head twice', [heads[3]!, heads[3]!]],
    ['M19: the history of another device', [fork[1]!, fork[2]!]],
    ['M19: a fork after a common head', [heads[3]!, chainOf(3, { after: heads[2]!, root: 9 })[1]!]],
    ['a counter in clear that lies', [{ counter: 7, body: heads[3]!.body }]],
  ])('rejects %s', (_, given) => {
    expect(refusalOf(() => verifyHeadChain({ keyring, from, heads: heads.slice(3) }))).toBe('accepted');
    expect(refusalOf(() => verifyHeadChain({ keyring, from, heads: given }))).toBe('out-of-order');
  });

  it('M8: rejects the chain of another account', () => {
    const foreign = chainOf(3, { account: sampleKeyring(0xa2, 0xb2) });
    expect(refusalOf(() => verifyHeadChain({ keyring, from: null, heads: foreign }))).toBe('open-failed');
  });

  it('rejects a head that takes pruning back', () => {
    const next = (prunedBefore: number, after: SealedHead): SealedHead => {
      const counter = after.counter + 1;
      const head = { ...first, counter, previousHash: hashHead(after.body), prunedBefore };
      return { counter, body: sealHead({ keyring, head }) };
    };
    const pruned = next(6, heads[5]!);
    const same = [...heads.slice(3), pruned, next(6, pruned)];
    expect(verifyHeadChain({ keyring, from, heads: same }).prunedBefore).toBe(6);
    const back = [...heads.slice(3), pruned, next(5, pruned)];
    expect(refusalOf(() => verifyHeadChain({ keyring, from, heads: back }))).toBe('out-of-order');
  });

  it('refuses no heads at all', () => {
    expect(refusalOf(() => verifyHeadChain({ keyring, from, heads: [] }))).toBe('invalid-argument');
  });

  it('follows a chain over a rotation', () => {
    const next = rotateKeyring(keyring);
    const later = chainOf(2, { account: next, after: heads[5]! });
    const newest = verifyHeadChain({ keyring: next, from, heads: [...heads.slice(3), ...later] });
    expect(newest.counter).toBe(8);
    expect(newest.epoch).toBe(2);
    expect(refusalOf(() => verifyHeadChain({ keyring, from, heads: [...heads.slice(3), ...later] }))).toBe(
      'unknown-key',
    );
  });

  it('verifyHeadChain: the old account key cannot continue the chain after a rotation', () => {
    const next = rotateKeyring(keyring);
    const rotation = chainOf(1, { account: next, after: heads[5]! })[0]!;
    const forged = chainOf(2, { after: rotation, root: 66 });
    const seen = markOf(rotation);
    expect(refusalOf(() => verifyHeadChain({ keyring: next, from: seen, heads: forged }))).toBe('out-of-order');
    const before = [...heads.slice(3), rotation, ...forged];
    expect(refusalOf(() => verifyHeadChain({ keyring: next, from, heads: before }))).toBe('out-of-order');
    // Even with a genuine head behind them.
    const genuine = chainOf(1, { account: next, after: forged[1]! })[0]!;
    expect(refusalOf(() => verifyHeadChain({ keyring: next, from, heads: [...before, genuine] }))).toBe('out-of-order');
    const honest = chainOf(2, { account: next, after: rotation });
    expect(refusalOf(() => verifyHeadChain({ keyring: next, from: seen, heads: honest }))).toBe('accepted');
  });

  it('a device that has not seen the rotation yet is not shown an older head as the newest', () => {
    const next = rotateKeyring(keyring);
    expect(refusalOf(() => verifyHeadChain({ keyring: next, from: null, heads }))).toBe('out-of-order');
  });
});
