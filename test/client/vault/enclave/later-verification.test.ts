import { beforeAll, describe, expect, test } from 'vitest';
import { recheckDocument } from '../../../../audit/document/recheck-document.ts';
import { parseVerificationDocument } from '../../../../crypto/evidence/verification-document.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { keepLaterVerification } from '../../../../client/vault/enclave/later-verification.ts';
import { turnWrites } from '../../../../client/vault/changes/operations/plan-turn.ts';
import { VaultContents } from '../../../../client/vault/store/vault-contents.ts';
import type { VerifiedEnclave } from '../../../../client/vault/enclave/verified-enclave.ts';
import { enclavePolicy, verifyNewEnclave } from '../../../parts/evidence/verified-enclave.ts';
import { newId, PaperDevice, PaperVault, stoppedTurn } from '../../../parts/vault/paper-vault.ts';

let first: VerifiedEnclave;
let second: VerifiedEnclave;
let third: VerifiedEnclave;
beforeAll(async () => {
  [first, second, third] = await Promise.all([verifyNewEnclave(), verifyNewEnclave(1_000), verifyNewEnclave(2_000)]);
});

/** A device, its vault, and what questions do with both. */
class Story {
  readonly vault = new PaperVault();
  readonly device = new PaperDevice(this.vault);

  /** A question whose message is stored, in a conversation of its own, sealed on the ground of a verification. */
  ask(enclave: VerifiedEnclave): { readonly turnId: string; readonly conversationId: string } {
    const question = stoppedTurn({ conversationId: newId(), isNew: true, text: 'Hello.', atMs: 1 });
    const { verification } = enclave;
    if (verification === null) throw new Error('nothing was verified');
    const isStored = this.vault.items.has(verification.itemId);
    const writes = turnWrites('new', question, { verification: { ...verification, isStored } });
    this.vault.store(
      this.vault.counter,
      writes.map((write) => ({ ...write, version: 1, flags: 0 })),
      [],
    );
    this.device.sync();
    return question;
  }

  /** Its stored message stays, its request is sealed anew. */
  async sealAnew(turnId: string, enclave: VerifiedEnclave): Promise<void> {
    const dependencies = {
      outbox: {
        put: async ({ kind }: { readonly kind: string }, fields: object) =>
          this.device.do({ ...fields, kind } as Parameters<PaperDevice['do']>[0]),
      },
      store: { contents: this.device.contents },
      writer: { kick: () => undefined },
    };
    await keepLaterVerification(dependencies, { turnId }, enclave);
  }

  /** Gives what is shown and exported for a turn, once everything is stored: on this device, and on one that comes new. */
  async rests(turnId: string) {
    this.device.flush();
    const newcomer = new PaperDevice(this.vault);
    const ids = [this.device, newcomer].map(({ contents }) => contents.verificationOf(turnId)?.id ?? '');
    if (ids[0] !== ids[1]) throw new Error('Two devices show two documents.');
    const content = this.vault.items.get(ids[0] ?? '')?.content;
    if (content?.type !== 'verification') throw new Error('There is no document.');
    const document = parseVerificationDocument(content.document);
    if (!(await recheckDocument(document, enclavePolicy)).holds) throw new Error('The document does not hold.');
    const [enclave] = document.enclaves;
    return { key: enclave?.answer.publicKeys[0], evidenceDigest: document.evidenceDigest };
  }

  get documents(): number {
    return this.device.contents.verifications.size;
  }
}

/** Gives what a request that is sealed to this enclave carries. */
function sealedTo(enclave: VerifiedEnclave) {
  const [key] = enclave.publicKeys;
  return { key: toBase64Url(key ?? new Uint8Array(0)), evidenceDigest: toBase64Url(enclave.evidenceDigest) };
}

describe('the document of a turn that was sealed anew', () => {
  test('is of the enclave that it was sealed to last, and of the first as long as there is no other', async () => {
    const story = new Story();
    const { turnId } = story.ask(first);
    expect(await story.rests(turnId)).toEqual(sealedTo(first));
    await story.sealAnew(turnId, second);
    expect(await story.rests(turnId)).toEqual(sealedTo(second));
    await story.sealAnew(turnId, third);
    expect(await story.rests(turnId)).toEqual(sealedTo(third));
  });

  test('two turns on one choice have one each', async () => {
    const story = new Story();
    const turns = [story.ask(first), story.ask(first)];
    for (const { turnId } of turns) await story.sealAnew(turnId, second);
    for (const { turnId } of turns) expect(await story.rests(turnId)).toEqual(sealedTo(second));
  });

  test('another question may have stored that verification first', async () => {
    const story = new Story();
    const sealedAnew = story.ask(first);
    const other = story.ask(second);
    await story.sealAnew(sealedAnew.turnId, second);
    expect(await story.rests(sealedAnew.turnId)).toEqual(sealedTo(second));
    expect(await story.rests(other.turnId)).toEqual(sealedTo(second));
  });

  test('another question may store that verification while it waits', async () => {
    const story = new Story();
    const sealedAnew = story.ask(first);
    await story.sealAnew(sealedAnew.turnId, second);
    const other = story.ask(second);
    expect(await story.rests(sealedAnew.turnId)).toEqual(sealedTo(second));
    expect(await story.rests(other.turnId)).toEqual(sealedTo(second));
  });

  test('is kept once, however often the same is tried; what its message names is not kept again', async () => {
    const story = new Story();
    const { turnId } = story.ask(first);
    await story.sealAnew(turnId, first);
    expect(story.device.waiting).toBe(0);
    for (let tries = 0; tries < 3; tries++) {
      await story.sealAnew(turnId, second);
      await story.sealAnew(turnId, second);
      await story.rests(turnId);
    }
    expect(story.documents).toBe(2);
  });

  test('goes with its conversation; what other turns rest on stays', async () => {
    const story = new Story();
    const sealedAnew = story.ask(first);
    const other = story.ask(second);
    await story.sealAnew(sealedAnew.turnId, second);
    await story.rests(sealedAnew.turnId);
    expect(story.documents).toBe(3);
    story.device.do({ kind: 'delete', conversationId: sealedAnew.conversationId });
    expect(await story.rests(other.turnId)).toEqual(sealedTo(second));
    expect(story.documents).toBe(1);
  });
});

describe('a verification as earlier builds kept it, of one turn and named by others', () => {
  async function earlierItems() {
    const story = new Story();
    const [one, two] = [story.ask(first), story.ask(second)];
    const { verification } = second;
    const stored = story.vault.items.get(verification?.itemId ?? '');
    if (verification === null || stored === undefined) throw new Error('It is not there.');
    story.vault.items.set(verification.itemId, {
      ...stored,
      content: { ...verification.content, turnId: one.turnId },
    });
    story.device.sync();
    return { story, one, two };
  }

  test('is read as theirs', async () => {
    const { story, one, two } = await earlierItems();
    expect(await story.rests(one.turnId)).toEqual(sealedTo(second));
    expect(await story.rests(two.turnId)).toEqual(sealedTo(second));
  });

  test('gives way to a later one for its turn, and for no other', async () => {
    const { story, one, two } = await earlierItems();
    await story.sealAnew(one.turnId, third);
    expect(await story.rests(one.turnId)).toEqual(sealedTo(third));
    expect(await story.rests(two.turnId)).toEqual(sealedTo(second));
  });
});

test('two later verifications of one moment: every device reads the same one, in either order', () => {
  const { verification } = first;
  if (verification === null) throw new Error('Nothing was verified.');
  const turnId = newId();
  const items = [newId(), newId()].toSorted().map((id) => ({
    row: { id, version: 1, flags: 0, expiresAt: 0, counter: 1, storedAtMs: 0, turnId: null, length: 0 },
    content: { ...verification.content, turnId },
  }));
  const read = (order: typeof items) => {
    const contents = new VaultContents();
    for (const { row, content } of order) {
      contents.set({ ...row, bodyHash: new Uint8Array(32), bodyState: 'here' }, content);
    }
    return contents.verificationOf(turnId)?.id;
  };
  expect([read(items), read(items.toReversed())]).toEqual([items[1]?.row.id, items[1]?.row.id]);
});
