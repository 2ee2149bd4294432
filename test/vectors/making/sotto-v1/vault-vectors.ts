import { accountKeyOf, currentAccountKey } from '../../../../crypto/account/keyring.ts';
import type { ItemContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { fromHex, lengthPrefixed, toBase64Url, toHex, uint32 } from '../../../../crypto/protocol/bytes/bytes.ts';
import { labelled, sha256 } from '../../../../crypto/protocol/bytes/hash.ts';
import { deriveBytes } from '../../../../crypto/primitives/hkdf.ts';
import { padToSizeClass } from '../../../../crypto/protocol/bytes/size-class.ts';
import { sealUnsentText } from '../../../../crypto/vault/unsent-text.ts';
import { encodeItemContent } from '../../../../crypto/vault/item-content.ts';
import { sealItem } from '../../../../crypto/vault/item.ts';
import { hashLeaf, MerkleTree } from '../../../../crypto/protocol/merkle-tree.ts';
import { hashHead, noHeadHash, sealHead } from '../../../../crypto/vault/vault-head.ts';
import { seededBytes, vectorKeyring } from '../given/seeded-values.ts';

const id = (name: string) => toBase64Url(seededBytes(`id ${name}`, 16));
const hash = (name: string) => toBase64Url(seededBytes(`hash ${name}`, 32));

const contents: readonly {
  readonly name: string;
  readonly content: ItemContent;
  readonly expiresAt: number;
  readonly version: number;
}[] = [
  {
    name: 'conversation',
    version: 2,
    expiresAt: 0,
    content: {
      type: 'conversation',
      format: 1,
      createdAtMs: 1_795_000_000_000,
      title: { value: 'Zürich 🏔', setAtMs: 1_795_000_000_001 },
      cacheSalt: hash('cache'),
    },
  },
  {
    name: 'message',
    version: 1,
    expiresAt: 20_800,
    content: {
      type: 'message',
      format: 1,
      conversationId: id('conversation'),
      parentId: null,
      createdAtMs: 1_795_000_000_002,
      text: 'What is "sotto voce"?\n\t\u0001 — \u2028 😀 / \\',
      turnId: id('turn'),
      turnKey: hash('turn key'),
      replyItemId: id('reply'),
    },
  },
  {
    name: 'reply',
    version: 1,
    expiresAt: 20_800,
    content: {
      type: 'reply',
      format: 1,
      conversationId: id('conversation'),
      parentId: id('message'),
      turnId: id('turn'),
      createdAtMs: 1_795_000_000_003,
      text: 'In a low voice. '.repeat(80),
      reasoning: '',
      outcome: 'complete',
      transcriptHash: hash('transcript'),
      model: 'rehearsal',
      engine: 'rehearsal',
      protection: 'No protection from whoever runs this machine.',
      usage: { promptTokens: 12, replyTokens: 400 },
    },
  },
  {
    name: 'settings',
    version: 4_294_967_295,
    expiresAt: 10_000_000,
    content: { type: 'settings', format: 1, theme: { value: 'dark', setAtMs: 8_640_000_000_000_000 } },
  },
];

/** Every value on the way, so that a second reader finds the step at which it differs. */
function sealStep(input: {
  epoch: number;
  itemId: Uint8Array;
  version: number;
  expiresAt: number;
  content: Uint8Array;
}) {
  const keyring = vectorKeyring(input.epoch);
  const body = sealItem({ keyring, ...input });
  const header = body.slice(0, 6);
  const salt = body.slice(6, 38);
  const info = labelled('sotto/v1/item', keyring.accountId, input.itemId);
  const derived = deriveBytes({ key: currentAccountKey(keyring).expose(), salt, info, length: 88 });
  return {
    epoch: input.epoch,
    accountId: toHex(keyring.accountId),
    accountKey: toHex(currentAccountKey(keyring).expose()),
    itemId: toHex(input.itemId),
    version: input.version,
    expiresAt: input.expiresAt,
    content: toHex(input.content),
    header: toHex(header),
    salt: toHex(salt),
    info: toHex(info),
    key: toHex(derived.slice(0, 32)),
    nonce: toHex(derived.slice(32, 56)),
    commitment: toHex(derived.slice(56)),
    associatedData: toHex(
      lengthPrefixed(header, keyring.accountId, input.itemId, uint32(input.version), uint32(input.expiresAt)),
    ),
    plaintextLength: padToSizeClass(input.content).length,
    body: toHex(body),
    bodyHash: toHex(sha256(body)),
  };
}

export function makeItemVectors() {
  const typed = contents.map(({ name, content, ...place }) => ({
    name,
    ...sealStep({ epoch: 1, itemId: seededBytes(`id ${name}`, 16), ...place, content: encodeItemContent(content) }),
    json: content,
  }));
  const raw = [0, 1, 1020, 1021].map((length) => ({
    name: `${length} bytes, epoch 2`,
    ...sealStep({
      epoch: 2,
      itemId: seededBytes(`id raw ${length}`, 16),
      version: 1,
      expiresAt: 0,
      content: seededBytes('raw', length),
    }),
    json: null,
  }));
  return [...typed, ...raw];
}

export function makeDraftVectors() {
  return [
    { draftId: 'new', text: '' },
    { draftId: 'conversation ü', text: 'not sent yet — 😀' },
  ].map(({ draftId, text }) => {
    const keyring = vectorKeyring(1);
    return {
      epoch: 1,
      accountId: toHex(keyring.accountId),
      accountKey: toHex(currentAccountKey(keyring).expose()),
      draftId,
      text,
      body: toHex(sealUnsentText({ keyring, placeId: draftId, text })),
    };
  });
}

export function makeTreeVectors() {
  const deep = seededBytes('deep', 16);
  const leaves = [
    ...Array.from({ length: 7 }, (_, place) => ({
      id: seededBytes(`leaf ${place}`, 16),
      version: place + 1,
      expiresAt: place * 20_000,
      flags: place === 3 ? 1 : 0,
      bodyHash: place === 3 ? sha256() : seededBytes(`leaf body ${place}`, 32),
    })),
    // Two ids that differ in their last bit only.
    {
      id: deep.with(15, deep[15]! & 0xfe) as Uint8Array<ArrayBuffer>,
      version: 1,
      expiresAt: 0,
      flags: 0,
      bodyHash: seededBytes('deep 0', 32),
    },
    {
      id: deep.with(15, deep[15]! | 1) as Uint8Array<ArrayBuffer>,
      version: 1,
      expiresAt: 0,
      flags: 0,
      bodyHash: seededBytes('deep 1', 32),
    },
  ];
  return [0, 1, 2, 3, 7, 9].map((count) => {
    const tree = new MerkleTree();
    const chosen = leaves.slice(0, count);
    for (const leaf of chosen) tree.set(leaf.id, hashLeaf(leaf));
    return {
      leaves: chosen.map((leaf) => ({
        id: toHex(leaf.id),
        version: leaf.version,
        expiresAt: leaf.expiresAt,
        flags: leaf.flags,
        bodyHash: toHex(leaf.bodyHash),
        leafHash: toHex(hashLeaf(leaf)),
        proof: tree.proof(leaf.id)!.map(toHex),
      })),
      root: toHex(tree.root()),
    };
  });
}

/** A chain of four heads over a rotation from epoch 1 to epoch 2. */
export function makeHeadVectors(input: {
  roots: readonly string[];
  keyslotLists: readonly { epoch: number; digest: string }[];
}) {
  let previousHash = noHeadHash;
  return [1, 1, 2, 2].map((epoch, place) => {
    const keyring = vectorKeyring(epoch);
    const head = {
      counter: place + 1,
      previousHash,
      itemsRoot: fromHex(input.roots[place]!),
      keyslotListDigest: fromHex(input.keyslotLists.find((list) => list.epoch === epoch)!.digest),
      prunedBefore: place === 3 ? 4 : 0,
    };
    const body = sealHead({ keyring, head });
    previousHash = hashHead(body);
    return {
      epoch,
      accountId: toHex(keyring.accountId),
      accountKey: toHex(accountKeyOf(keyring, epoch).expose()),
      counter: head.counter,
      previousHash: toHex(head.previousHash),
      itemsRoot: toHex(head.itemsRoot),
      keyslotListDigest: toHex(head.keyslotListDigest),
      prunedBefore: head.prunedBefore,
      body: toHex(body),
      hash: toHex(previousHash),
    };
  });
}
