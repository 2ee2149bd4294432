import type { EnclaveChoice, PooledAttestation } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { ItemContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import {
  type ItemBatch,
  type ItemWrite,
  type SyncAnswer,
  tombstoneFlag,
} from '../../../../crypto/protocol/messages/item-messages.ts';
import type { TurnAttempt, TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import {
  type Bytes,
  equalBytes,
  fromBase64Url,
  randomBytes,
  toBase64Url,
} from '../../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../../crypto/protocol/bytes/hash.ts';
import type { TurnKey } from '../../../../crypto/turn/turn-key.ts';
import { encodeItemContent, openContent } from '../../../../crypto/vault/item-content.ts';
import { sealItem } from '../../../../crypto/vault/item.ts';
import { hashLeaf, MerkleTree } from '../../../../crypto/protocol/merkle-tree.ts';
import { hashHead, openHead, sealHead } from '../../../../crypto/vault/vault-head.ts';
import { developmentPolicy } from '../../evidence/development-policy.ts';
import { judge } from './asked-evidence.ts';
import type { NodeAccount } from './node-account.ts';
import type { NodeRelay } from './node-relay.ts';
import { type AcceptedEnclave, type SealedTurn, type SealOptions, sealTurn, type TurnSecrets } from './sealed-turn.ts';

export type PreparedTurn = TurnSecrets & { readonly start: TurnStart };

export type VerifiedEnclave = {
  readonly enclaveId: string;
  readonly enclave: AcceptedEnclave;
  /** An enclave of the same kind, measurement and model, for the same nonce. */
  readonly alternate: { readonly enclaveId: string; readonly enclave: AcceptedEnclave } | null;
  readonly nonce: string;
};

/** A device of one account in Node: real keys, real seals, a real relay. It keeps the tree but no cache. */
export class NodeDevice {
  readonly relay: NodeRelay;
  /** The readable contents that the last pull brought, by id. */
  readonly stored = new Map<string, { readonly version: number; readonly content: ItemContent }>();
  readonly #tree = new MerkleTree();
  #account: NodeAccount;
  #prunedBefore = 0;

  constructor(relay: NodeRelay, account: NodeAccount) {
    this.relay = relay;
    this.#account = account;
  }

  /** Seals contents as new items, and the head that covers them. */
  batch(contents: readonly { readonly id: Bytes; readonly content: ItemContent }[]): ItemBatch {
    return this.batchOf(contents.map(({ id, content }) => ({ id, version: 1, bytes: encodeItemContent(content) })));
  }

  /** Seals whatever bytes, also such as only a later build would write; null: a tombstone. */
  batchOf(
    writes: readonly { readonly id: Bytes; readonly version: number; readonly bytes: Uint8Array | null }[],
    prune: readonly Bytes[] = [],
  ): ItemBatch {
    const { keyring, keyslotListDigest, head } = this.#account;
    const items = writes.map(({ id, version, bytes }): ItemWrite => {
      const flags = bytes === null ? tombstoneFlag : 0;
      const sealing = { keyring, itemId: id, version, expiresAt: 0 };
      const body = bytes === null ? new Uint8Array(0) : sealItem({ ...sealing, content: bytes });
      this.#setLeaf(id, version, 0, flags, sha256(body));
      return { id: toBase64Url(id), version, expiresAt: 0, flags, body: toBase64Url(body) };
    });
    for (const id of prune) this.#tree.delete(id);
    const counter = head.counter + 1;
    const itemsRoot = this.#tree.root();
    if (prune.length > 0) this.#prunedBefore = counter;
    const next = { counter, previousHash: head.hash, itemsRoot, keyslotListDigest, prunedBefore: this.#prunedBefore };
    const body = sealHead({ keyring, head: next });
    this.#account = { ...this.#account, head: { counter, hash: hashHead(body) } };
    const expectedHead = toBase64Url(head.hash);
    return {
      format: 1,
      expectedHead,
      head: { counter, body: toBase64Url(body) },
      items,
      prune: prune.map((id) => toBase64Url(id)),
      finishTurns: [],
    };
  }

  /** Pulls everything, checks it against the head, and opens it. */
  async pull(): Promise<ItemContent[]> {
    const { keyring } = this.#account;
    const contents: ItemContent[] = [];
    let place = 'afterCounter=0';
    for (;;) {
      const page = await this.relay.expect<SyncAnswer>(200, 'GET', `/v1/items?${place}&limit=500`);
      for (const item of page.items) {
        const body = fromBase64Url(item.body ?? '');
        const itemId = fromBase64Url(item.id);
        this.#setLeaf(itemId, item.version, item.expiresAt, item.flags, sha256(body));
        this.stored.delete(item.id);
        if ((item.flags & tombstoneFlag) !== 0) continue;
        const content = openContent({ keyring, itemId, version: item.version, expiresAt: item.expiresAt, body });
        if (content === null) continue;
        contents.push(content);
        this.stored.set(item.id, { version: item.version, content });
      }
      const last = page.items.at(-1);
      if (page.more && last !== undefined) {
        place = `afterCounter=${last.counter}&afterId=${last.id}`;
        continue;
      }
      const body = fromBase64Url(page.head.body);
      const head = openHead({ keyring, body });
      if (!equalBytes(head.itemsRoot, this.#tree.root())) throw new Error('The head covers other items.');
      this.#account = { ...this.#account, head: { counter: head.counter, hash: hashHead(body) } };
      this.#prunedBefore = head.prunedBefore;
      return contents;
    }
  }

  /** Seals a question to an enclave, one that was verified before or a new one. */
  async prepareTurn(
    question: string,
    dependencies: { readonly stored: boolean; readonly enclave?: VerifiedEnclave },
  ): Promise<PreparedTurn> {
    const verified = dependencies.enclave ?? (await this.verifiedEnclave());
    const turn = await sealQuestion(question, verified);
    const { turnId, turnKey } = turn;
    const batch = dependencies.stored ? this.batch(messageItems(question, turnId, turnKey)) : null;
    const start = { ...toAttempt(verified, turn), turnId: toBase64Url(turnId), batch } as const;
    return { ...turn, start };
  }

  async verifiedEnclave(): Promise<VerifiedEnclave> {
    const nonce = randomBytes(32);
    const asked = { format: 1, nonce: toBase64Url(nonce), model: 'default' };
    const answer = await this.relay.expect<EnclaveChoice>(200, 'POST', '/v1/enclaves', asked);
    return verifyAnswer(answer, nonce);
  }

  #setLeaf(id: Uint8Array, version: number, expiresAt: number, flags: number, bodyHash: Bytes): void {
    this.#tree.set(id, hashLeaf({ id: id as Bytes, version, expiresAt, flags, bodyHash }));
  }
}

function messageItems(text: string, turnId: Bytes, turnKey: TurnKey) {
  const conversationId = randomBytes(16);
  const createdAtMs = Date.now();
  const conversation: ItemContent = {
    type: 'conversation',
    format: 1,
    createdAtMs,
    title: { value: 'A conversation', setAtMs: createdAtMs },
    cacheSalt: toBase64Url(randomBytes(32)),
  };
  const message: ItemContent = {
    type: 'message',
    format: 1,
    conversationId: toBase64Url(conversationId),
    parentId: null,
    createdAtMs,
    text,
    turnId: toBase64Url(turnId),
    turnKey: toBase64Url(turnKey.expose()),
    replyItemId: toBase64Url(randomBytes(16)),
  };
  return [
    { id: conversationId, content: conversation },
    { id: randomBytes(16), content: message },
  ];
}

/** Judges an answer, and what it offers beside the first enclave. @throws {Error} when the first is refused. */
export async function verifyAnswer(answer: EnclaveChoice, nonce: Bytes): Promise<VerifiedEnclave> {
  const { alternate, ...attestation } = answer;
  const enclave = await verifyPooled(attestation, nonce);
  if (enclave === null) throw new Error('The enclave was refused.');
  const other = alternate === undefined ? null : await verifyPooled(alternate, nonce);
  const isSame =
    other?.kind === enclave.kind &&
    other.measurement === enclave.measurement &&
    other.statement.model === enclave.statement.model;
  return {
    enclaveId: attestation.enclaveId,
    enclave,
    alternate: alternate !== undefined && isSame ? { enclaveId: alternate.enclaveId, enclave: other } : null,
    nonce: toBase64Url(nonce),
  };
}

async function verifyPooled(attestation: PooledAttestation, nonce: Bytes): Promise<AcceptedEnclave | null> {
  const verdict = await judge(attestation, nonce, developmentPolicy);
  return verdict.refused ? null : verdict;
}

/** Seals a question to an enclave, and to the one beside it where there is one. */
export function sealQuestion(question: string, verified: VerifiedEnclave, keys: SealOptions = {}): Promise<SealedTurn> {
  const { alternate, enclave } = verified;
  return sealTurn(alternate === null ? [enclave] : [enclave, alternate.enclave], question, keys);
}

/** Gives what a relay is sent of a sealed question. */
export function toAttempt(verified: VerifiedEnclave, { message }: SealedTurn): TurnAttempt {
  const { alternate, enclaveId, nonce } = verified;
  return {
    format: 1,
    enclaveId,
    ...(alternate !== null && { alternateEnclaveId: alternate.enclaveId }),
    nonce,
    request: message,
  };
}
