import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import * as rings from '../../../crypto/account/keyring.ts';
import * as trees from '../../../crypto/protocol/merkle-tree.ts';
import * as heads from '../../../crypto/vault/vault-head.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { openCommitted, sealCommitted } from '../primitives/committed-seal.ts';
import { header, join, lp, sha256, u32, u64, zeros, type Bytes } from '../protocol/conventions.ts';
import { differences, isAccepted, random, variants } from './outcomes.ts';
import { followHeads, openHead, sealHead, type Head, type HeadMark, type OuterHead } from '../vault/head.ts';
import { vaultHeadKey } from '../account/keys.ts';
import { isInTree, itemsRoot, leafHash, proofOf, type Leaf } from '../protocol/tree.ts';
import { sampleAccount } from './account-sample.ts';

beforeAll(aeadReady);

const times = Array.from({ length: 5 }, (_, index) => index);

test.each(times)('trees, random input %i', () => {
  const [shared, tree] = [random(16), new trees.MerkleTree()];
  const leaves: Leaf[] = Array.from({ length: 2 ** randomInt(1, 8) }, () => {
    const sharedLength = randomInt(4) === 0 ? 15 : 0;
    return {
      id: join(shared.slice(0, sharedLength), random(16 - sharedLength)),
      version: randomInt(1, 2 ** 32),
      expiresAt: randomInt(10_000_001),
      flags: randomInt(2),
      bodyHash: random(32),
    };
  });
  for (const leaf of leaves) tree.set(leaf.id, trees.hashLeaf(leaf));
  const unique = leaves.filter(
    ({ id }, index) => leaves.findLastIndex((each) => sha256(each.id).join() === sha256(id).join()) === index,
  );
  expect(itemsRoot(unique)).toEqual(tree.root());
  for (const leaf of unique) {
    expect(leafHash(leaf)).toEqual(trees.hashLeaf(leaf));
    const proof = proofOf(unique, leaf.id);
    expect(proof).toEqual(tree.proof(leaf.id));
    expect(isInTree(leaf, proof, tree.root())).toBe(true);
    expect(trees.verifyProof({ root: tree.root(), leaf, siblings: proof })).toBe(true);
    const other = { ...leaf, flags: 1 - leaf.flags };
    expect([
      isInTree(other, proof, tree.root()),
      trees.verifyProof({ root: tree.root(), leaf: other, siblings: proof }),
    ]).toEqual([false, false]);
  }
});

describe('heads', () => {
  const { keyring, production } = sampleAccount();
  const first: Head = {
    counter: 1,
    previousHash: zeros(32),
    epoch: 1,
    itemsRoot: random(32),
    keyslotListDigest: random(32),
    prunedBefore: 0,
  };
  const second = { ...first, counter: 2, previousHash: random(32), prunedBefore: 2 };
  const readers = {
    mine: (body: Bytes) => openHead(keyring, body),
    production: (body: Bytes) => heads.openHead({ keyring: production, body }),
  };

  test.each([first, second, { ...second, counter: Number.MAX_SAFE_INTEGER }])(
    'heads: both read alike, whichever wrote',
    (head) => {
      const { epoch: _, ...fields } = head;
      const theirs = heads.sealHead({
        keyring: production,
        head: {
          ...fields,
          previousHash: new Uint8Array(head.previousHash),
          itemsRoot: new Uint8Array(head.itemsRoot),
          keyslotListDigest: new Uint8Array(head.keyslotListDigest),
        },
      });
      expect(readers.mine(theirs)).toEqual(head);
      expect(differences(variants(theirs), readers)).toEqual([]);
      expect(differences(variants(sealHead(keyring, head, random(32))), readers)).toEqual([]);
    },
  );

  test('heads: both refuse the faults that only a key holder could write', () => {
    const sealed = (...fields: Bytes[]): Bytes => {
      const place = {
        key: vaultHeadKey(keyring.keys[0]!.accountKey, keyring.accountId),
        info: lp('sotto/v1/vault-head', keyring.accountId),
        associatedData: lp(header(1), keyring.accountId),
      };
      const body = sealCommitted(place, join(...fields), random(32));
      expect(openCommitted(place, body).length).toBe(116);
      return join(header(1), body);
    };
    const wrong = [
      { name: 'counter 0', bytes: sealed(u64(0), zeros(32), u32(1), zeros(64), u64(0)) },
      { name: 'another epoch', bytes: sealed(u64(1), zeros(32), u32(2), zeros(64), u64(0)) },
      { name: 'first with a hash', bytes: sealed(u64(1), random(32), u32(1), zeros(64), u64(0)) },
      { name: 'second without', bytes: sealed(u64(2), zeros(32), u32(1), zeros(64), u64(0)) },
      { name: 'pruned later', bytes: sealed(u64(1), zeros(32), u32(1), zeros(64), u64(2)) },
      { name: 'pruned now', bytes: sealed(u64(1), zeros(32), u32(1), zeros(64), u64(1)) },
      {
        name: 'counter 2^53',
        bytes: sealed(Uint8Array.of(0, 32, 0, 0, 0, 0, 0, 0), random(32), u32(1), zeros(64), u64(0)),
      },
      {
        name: 'pruned 2^53',
        bytes: sealed(u64(1), zeros(32), u32(1), zeros(64), Uint8Array.of(0, 32, 0, 0, 0, 0, 0, 0)),
      },
    ];
    expect(differences(wrong, readers)).toEqual([]);
  });
});

describe.each(times)('chains, random input %i', () => {
  const first = sampleAccount();
  const production = rings.rotateKeyring(first.production);
  const keys = [1, 2].map((epoch) => ({ epoch, accountKey: rings.accountKeyOf(production, epoch).expose() }));
  const keyring = { accountId: first.keyring.accountId, keys };
  const chainOf = (fields: readonly { epoch: number; prunedBefore: number }[]): OuterHead[] => {
    let previousHash = zeros(32);
    return fields.map(({ epoch, prunedBefore }, index) => {
      const counter = index + 1;
      const dependencies = { itemsRoot: random(32), keyslotListDigest: random(32) };
      const body = sealHead(keyring, { counter, previousHash, epoch, prunedBefore, ...dependencies }, random(32));
      previousHash = sha256(body);
      return { counter, body };
    });
  };
  const fields = Array.from({ length: 8 }, (_, index) => ({
    epoch: index < 4 ? 1 : 2,
    prunedBefore: index < 3 ? 0 : 4,
  }));
  const chain = chainOf(fields);
  const second = { counter: 2, hash: sha256(chain[1]!.body) };

  test.each<[string, HeadMark | null, OuterHead[]]>([
    ['whole', null, chain],
    ['from the second on', second, chain.slice(2)],
    ['from the second on, with itself', second, chain.slice(1)],
    ['with a gap', second, chain.slice(3)],
    ['after another head', { ...second, hash: random(32) }, chain.slice(2)],
    ['without the first', null, chain.slice(1)],
    ['the newest alone', null, chain.slice(7)],
    ['of the old epoch', null, chain.slice(0, 3)],
    ['doubled', null, [chain[0]!, ...chain]],
    ['counter outside', null, chain.with(7, { ...chain[7]!, counter: 9 })],
    ['a falling epoch', null, chainOf(fields.with(6, { epoch: 1, prunedBefore: 4 }))],
    ['a falling prunedBefore', null, chainOf(fields.with(6, { epoch: 2, prunedBefore: 3 }))],
    ['a prunedBefore that ended', null, chainOf(fields.with(7, { epoch: 2, prunedBefore: 0 }))],
    ['nothing new', second, []],
    ['nothing at all', null, []],
  ])('both follow alike: %s', (name, from, given) => {
    const mark = from === null ? null : { counter: from.counter, hash: new Uint8Array(from.hash) };
    const readers = {
      mine: () => followHeads(keyring, from, given),
      production: () => heads.verifyHeadChain({ keyring: production, from: mark, heads: given }),
    };
    expect(differences([{ name, bytes: zeros(0) }], readers)).toEqual([]);
    expect(isAccepted(readers.mine)).toBe(
      ['whole', 'from the second on', 'without the first', 'the newest alone'].includes(name),
    );
  });
});
