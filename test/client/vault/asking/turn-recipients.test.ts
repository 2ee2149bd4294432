import { beforeAll, describe, expect, test } from 'vitest';
import type { Operation } from '../../../../client/vault/features/features.ts';
import { turnWrites } from '../../../../client/vault/changes/operations/plan-turn.ts';
import { TurnRecipients } from '../../../../client/vault/asking/turn-recipients.ts';
import { type OpenedContent, VaultContents } from '../../../../client/vault/store/vault-contents.ts';
import type { CachedItem } from '../../../../client/vault/store/cached-shapes.ts';
import type { VerifiedEnclave } from '../../../../client/vault/enclave/verified-enclave.ts';
import type { ItemContent } from '../../../../crypto/protocol/contents/item-contents.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../../../crypto/primitives/key-id.ts';
import { verifyNewEnclave } from '../../../parts/evidence/verified-enclave.ts';
import { newId, stoppedTurn } from '../../../parts/vault/paper-vault.ts';

let first: VerifiedEnclave;
let second: VerifiedEnclave;
beforeAll(async () => {
  [first, second] = await Promise.all([verifyNewEnclave(), verifyNewEnclave()]);
});
const keyOf = (enclave: VerifiedEnclave): Bytes => keyIdOf(enclave.publicKeys[0]!);
const foreign = randomBytes(32);

/** One device, its items and what waits in its browser. */
class Device {
  readonly contents = new VaultContents();
  readonly question = stoppedTurn({ conversationId: newId(), isNew: true, text: 'Hello.', atMs: 1 });
  readonly recipients: TurnRecipients;
  readonly #items = new Map<string, OpenedContent>();
  readonly waiting: Operation[] = [];
  learnt = 0;

  constructor() {
    const store = {
      contents: this.contents,
      open: ({ id }: CachedItem) => this.#items.get(id) ?? null,
      cache: { readBody: async () => Uint8Array.of(1) },
    };
    const outbox = {
      of: ({ kind }: { readonly kind: string }) =>
        this.waiting.filter((operation) => operation.kind === kind).map((operation) => ({ operation })),
    };
    this.recipients = new TurnRecipients(store as never, outbox as never);
    this.recipients.onLearnt = () => (this.learnt += 1);
  }

  store(id: string, content: ItemContent | null): void {
    this.#items.set(id, content);
    const row = { id, version: 1, seq: 1, expiresAt: 0, flags: content === null ? 1 : 0, bodyHash: randomBytes(32) };
    this.contents.set(row as never, content);
  }

  /** The message first, as it may come; what it names after it. */
  storeQuestion(enclave: VerifiedEnclave | null): readonly (() => void)[] {
    const verification = enclave?.verification ?? undefined;
    const company = verification === undefined ? {} : { verification: { ...verification, isStored: false } };
    return turnWrites('there', this.question, company).map(
      ({ id, content }) =>
        () =>
          this.store(id, content),
    );
  }

  storeLater(enclave: VerifiedEnclave): void {
    this.store(newId(), { ...enclave.verification!.content, turnId: this.question.turnId });
  }

  async standings(...keyIds: Bytes[]): Promise<string[]> {
    const ask = () => keyIds.map((keyId) => this.recipients.standing(this.question.turnId, keyId));
    ask();
    // By now the vault has read what it has to read.
    await new Promise((resolve) => setImmediate(resolve));
    return ask();
  }
}

describe('a key under which an answer comes', () => {
  test('is its own where the question rests on a verification of it, and foreign where not', async () => {
    const device = new Device();
    for (const write of device.storeQuestion(first)) write();
    expect(await device.standings(keyOf(first), keyOf(second), foreign)).toEqual(['own', 'foreign', 'foreign']);
    expect(device.learnt).toBe(1);
  });

  test('is unknown until the question and its verification are here', async () => {
    const device = new Device();
    expect(await device.standings(keyOf(first), foreign)).toEqual(['unknown', 'unknown']);
    const [message, verification] = device.storeQuestion(first);
    message!();
    expect(await device.standings(keyOf(first), foreign)).toEqual(['unknown', 'unknown']);
    verification!();
    expect(await device.standings(keyOf(first), foreign)).toEqual(['own', 'foreign']);
  });

  test('is its own where the question was sealed anew, whether that is stored or waits', async () => {
    const device = new Device();
    for (const write of device.storeQuestion(first)) write();
    expect(await device.standings(keyOf(second))).toEqual(['foreign']);
    const content = { ...second.verification!.content, turnId: device.question.turnId };
    device.waiting.push({ kind: 'verification', itemId: newId(), content });
    expect(await device.standings(keyOf(first), keyOf(second), foreign)).toEqual(['own', 'own', 'foreign']);
    device.waiting.length = 0;
    expect(await device.standings(keyOf(second))).toEqual(['foreign']);
    device.storeLater(second);
    expect(await device.standings(keyOf(first), keyOf(second), foreign)).toEqual(['own', 'own', 'foreign']);
  });

  test('is its own in the tab that sealed to it, before anything is stored', async () => {
    const device = new Device();
    device.recipients.note(device.question.turnId, first.publicKeys);
    expect(await device.standings(keyOf(first), keyOf(second))).toEqual(['own', 'unknown']);
    for (const write of device.storeQuestion(first)) write();
    expect(await device.standings(keyOf(first), keyOf(second))).toEqual(['own', 'foreign']);
  });

  test('is taken as it comes where nothing was kept: by an earlier build, or in a form of a later one', async () => {
    const earlier = new Device();
    for (const write of earlier.storeQuestion(null)) write();
    expect(await earlier.standings(foreign)).toEqual(['own']);
    const later = new Device();
    later.storeQuestion(first)[0]!();
    later.store(first.verification!.itemId, null);
    expect(await later.standings(foreign)).toEqual(['own']);
  });

  test('is taken as it comes where the document is of a later format, and is foreign where it is damaged', async () => {
    const { itemId, content } = first.verification!;
    const withDocument = (document: string) => {
      const device = new Device();
      device.storeQuestion(first)[0]!();
      device.store(itemId, { ...content, document });
      return device;
    };
    const later = content.document.replace('sotto-verification-2', 'sotto-verification-3');
    expect(await withDocument(later).standings(keyOf(first), foreign)).toEqual(['own', 'own']);
    const damaged = content.document.replace('"minimum":"hardware"', '"minimum":"stated"');
    expect(await withDocument(damaged).standings(keyOf(first), foreign)).toEqual(['foreign', 'foreign']);
    expect(await withDocument(content.document).standings(keyOf(first), foreign)).toEqual(['own', 'foreign']);
  });

  test('a key of another turn says nothing about this one', async () => {
    const device = new Device();
    for (const write of device.storeQuestion(first)) write();
    const content = { ...second.verification!.content, turnId: toBase64Url(randomBytes(16)) };
    device.store(newId(), content);
    device.waiting.push({ kind: 'verification', itemId: newId(), content });
    device.recipients.note(toBase64Url(randomBytes(16)), second.publicKeys);
    expect(await device.standings(keyOf(first), keyOf(second))).toEqual(['own', 'foreign']);
  });
});
