import { Dexie } from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeAll, describe, expect, it } from 'vitest';
import { CiphertextCache } from '../../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../../client/worker/indexeddb-cache.ts';
import { Drafts } from '../../../../../client/vault/features/drafts.ts';
import { type Operation, operationTypes } from '../../../../../client/vault/features/features.ts';
import { turnOperation } from '../../../../../client/vault/changes/operations/plan-turn.ts';
import { protectionOf } from '../../../../../client/vault/changes/operations/turn-operation.ts';
import { Outbox, type QueuedOperation } from '../../../../../client/vault/changes/outbox/outbox.ts';
import { aeadReady } from '../../../../../crypto/primitives/aead.ts';
import { toBase64Url } from '../../../../../crypto/protocol/bytes/bytes.ts';
import { sealUnsentText } from '../../../../../crypto/vault/unsent-text.ts';
import { newId, stoppedTurn } from '../../../../parts/vault/paper-vault.ts';
import { randomKeyring } from '../../../../parts/crypto/sample-account.ts';

beforeAll(() => aeadReady());

const keyring = randomKeyring();

function turn(text: string, atMs = 1) {
  return stoppedTurn({ conversationId: newId(), isNew: true, text, atMs });
}
const minimum = (level: 'any' | 'hardware', setAtMs: number): Operation => ({
  kind: 'minimum',
  level,
  setAtMs,
  itemId: newId(),
});

/** Outboxes of as many tabs as a test wants, over the storage of one browser profile. */
async function openProfile(indexedDB = new IDBFactory()) {
  const cache = new CiphertextCache(openIndexedDbCache({ indexedDB, IDBKeyRange }));
  await cache.open();
  const openTab = async () => {
    const outbox = new Outbox(cache, keyring, operationTypes, () => undefined);
    await outbox.load();
    return outbox;
  };
  return { cache, openTab };
}

/** Puts an operation of whatever kind. */
function put(outbox: Outbox, operation: Operation): Promise<void> {
  return outbox.put(operationTypes.of(operation), operation);
}

function only<Queued extends QueuedOperation>(all: readonly Queued[]): Queued {
  const [first] = all;
  if (first === undefined || all.length !== 1) throw new Error(`There are ${all.length}.`);
  return first;
}
const texts = (outbox: Outbox) => outbox.turns.map(({ operation }) => operation.text);

describe('Outbox: a change names the revision that it was read as', () => {
  it('and no revision comes again, also when the outbox was empty in between', async () => {
    const outbox = await (await openProfile()).openTab();
    const operation = minimum('any', 1);
    const seen = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      await put(outbox, operation);
      seen.add(only(outbox.all).revision);
      await outbox.remove(outbox.all);
    }
    expect([seen.size, outbox.all]).toEqual([3, []]);
  });

  it('rewrite: changes what is as it was read, and refuses what is another by now', async () => {
    const outbox = await (await openProfile()).openTab();
    await put(outbox, turn('first'));
    const read = only(outbox.turns);
    expect(await outbox.rewrite(read, { ...read.operation, stage: { name: 'going' } })).toBe(true);
    expect(await outbox.rewrite(read, { ...read.operation, text: 'from before' })).toBe(false);
    expect(only(outbox.turns).operation).toEqual({ ...read.operation, stage: { name: 'going' } });
  });

  it('rewrite: refuses for a question that is gone, and leaves the one alone that came after it', async () => {
    const outbox = await (await openProfile()).openTab();
    await put(outbox, turn('first'));
    const gone = only(outbox.turns);
    await outbox.remove([gone]);
    await put(outbox, turn('second'));
    expect(await outbox.rewrite(gone, gone.operation)).toBe(false);
    expect(texts(outbox)).toEqual(['second']);
    const there = only(outbox.turns);
    expect(await outbox.rewrite(there, { ...there.operation, text: 'second, changed' })).toBe(true);
    expect(texts(outbox)).toEqual(['second, changed']);
  });

  it('remove: takes out what is as it was read, and nothing that came after it', async () => {
    const outbox = await (await openProfile()).openTab();
    await put(outbox, turn('first'));
    const first = only(outbox.turns);
    await outbox.remove([first]);
    await put(outbox, turn('second'));
    await outbox.remove([first]);
    expect(texts(outbox)).toEqual(['second']);
    await outbox.remove(outbox.turns);
    expect(texts(outbox)).toEqual([]);
  });

  it('a tab that slept reads the later one of the same name, and settles only what it read', async () => {
    const { openTab } = await openProfile();
    const awake = await openTab();
    await put(awake, minimum('any', 1));
    const asleep = await openTab();
    const before = asleep.all;
    await awake.remove(awake.all);
    await put(awake, minimum('hardware', 2));
    await asleep.remove(before);
    expect(only(asleep.all).operation).toMatchObject({ level: 'hardware', setAtMs: 2 });
    await awake.load();
    expect(only(awake.all).operation).toMatchObject({ level: 'hardware' });
  });

  it('replace: puts one in place of others, or changes nothing where one of them is another by now', async () => {
    const { openTab } = await openProfile();
    const [here, there] = [await openTab(), await openTab()];
    await put(here, turn('failed'));
    await there.load();
    expect(await here.replace(here.turns, turnOperation, turn('asked again'))).toBe(true);
    expect(await there.replace(there.turns, turnOperation, turn('asked again in another tab'))).toBe(false);
    expect([texts(here), texts(there)]).toEqual([['asked again'], ['asked again']]);
  });

  it('keeps the order in which things were done, whatever is rewritten in between', async () => {
    const outbox = await (await openProfile()).openTab();
    for (const text of ['one', 'two', 'three']) await put(outbox, turn(text));
    const [first] = outbox.turns;
    if (first !== undefined) await outbox.rewrite(first, { ...first.operation, text: 'one, changed' });
    expect(texts(outbox)).toEqual(['one, changed', 'two', 'three']);
  });
});

describe('Outbox: words that are given back', () => {
  it('leave the questions and wait, in the order in which they were asked, until a draft has them', async () => {
    const { cache, openTab } = await openProfile();
    const [outbox, other] = [await openTab(), await openTab()];
    await put(outbox, turn('first words'));
    await put(outbox, turn('second words'));
    expect(await Promise.all(outbox.turns.map((queued) => outbox.giveBack(queued)))).toEqual([true, true]);
    expect([outbox.turns, outbox.all]).toEqual([[], []]);
    const waiting = outbox.returned.map(({ operation }) => operation);
    expect(waiting.map(({ text }) => text)).toEqual(['first words', 'second words']);

    const drafts = new Drafts(cache, keyring, outbox);
    await drafts.write(null, 'nothing of it');
    await other.load();
    expect(other.returned).toHaveLength(2);
    await drafts.write(null, 'with the first words', [waiting[0]?.turnId ?? '']);
    await other.load();
    expect(only(other.returned).operation.text).toBe('second words');
    expect(await drafts.read(null)).toBe('with the first words');
  });

  it('are taken by the draft of one tab: another that names them is refused, and overwrites nothing', async () => {
    const { cache, openTab } = await openProfile();
    const [outbox, other] = [await openTab(), await openTab()];
    await put(outbox, turn('words'));
    await outbox.giveBack(only(outbox.turns));
    await other.load();
    const { turnId } = only(other.returned).operation;
    const [here, there] = [new Drafts(cache, keyring, outbox), new Drafts(cache, keyring, other)];
    expect(await here.write(null, 'typed here, words', [turnId])).toEqual([]);
    expect(await there.write(null, 'words', [turnId])).toEqual([turnId]);
    expect(await there.read(null)).toBe('typed here, words');
    // The one that has them goes on naming them, since it need not have heard that it was written.
    expect(await here.write(null, 'typed here, words!', [turnId])).toEqual([]);
    expect(await there.write(null, 'typed there')).toEqual([]);
    expect(await here.read(null)).toBe('typed there');
  });

  it('are not given back twice, and not when the question was changed meanwhile', async () => {
    const outbox = await (await openProfile()).openTab();
    await put(outbox, turn('words'));
    const read = only(outbox.turns);
    expect(await outbox.rewrite(read, { ...read.operation, stage: { name: 'going' } })).toBe(true);
    expect(await outbox.giveBack(read)).toBe(false);
    expect(outbox.returned).toEqual([]);
    expect(await outbox.giveBack(only(outbox.turns))).toBe(true);
    expect(outbox.returned).toHaveLength(1);
  });
});

describe('Outbox: what an earlier build left in the browser', () => {
  /** The tables of version 0.1.0, and operations as it sealed them. */
  async function leaveBehind(operations: readonly { readonly id: string; readonly operation: unknown }[]) {
    const indexedDB = new IDBFactory();
    const database = new Dexie('sotto', { indexedDB, IDBKeyRange });
    database.version(1).stores({ singletons: '&name', items: '&id, counter', outbox: '&id, order', drafts: '&id' });
    const rows = operations.map(({ id, operation }, index) => ({
      id,
      order: index + 1,
      body: sealUnsentText({ keyring, placeId: `outbox/${id}`, text: JSON.stringify(operation) }),
    }));
    await database.table('outbox').bulkPut(rows);
    database.close();
    return indexedDB;
  }

  it('is all there, in its order, and is changed and settled like anything else', async () => {
    const asked = turn('asked of an earlier build');
    const indexedDB = await leaveBehind([
      { id: `turn:${asked.turnId}`, operation: asked },
      { id: 'minimum', operation: { ...minimum('hardware', 5) } },
    ]);
    const outbox = await (await openProfile(indexedDB)).openTab();
    expect(outbox.all.map(({ operation }) => operation.kind)).toEqual(['turn', 'minimum']);
    const read = only(outbox.turns);
    expect(read.operation).toEqual(asked);
    expect(await outbox.rewrite(read, { ...asked, stage: { name: 'going' } })).toBe(true);
    expect(await outbox.rewrite(read, asked)).toBe(false);
    await put(outbox, turn('asked of this one'));
    expect(texts(outbox)).toEqual(['asked of an earlier build', 'asked of this one']);
    await outbox.remove(outbox.all);
    expect(outbox.all).toEqual([]);
  });
});

describe('Outbox: why a question was refused', () => {
  it.each([
    ['relay:foreign-answer', 'foreign-answer'],
    ['relay:malformed-answer', 'malformed-answer'],
    ['relay:too-large-on-the-way', 'too-large-on-the-way'],
    ['relay:too-many-requests', 'relay:too-many-requests'],
    ['a-later-code', 'a-later-code'],
  ])('%s, as some build stored it, is read as %s', async (stored, code) => {
    const { cache, openTab } = await openProfile();
    const operation = { ...turn('words'), stage: { name: 'failed', failure: { code: stored, retryAfterMs: 1 } } };
    const id = `turn:${operation.turnId}`;
    const body = sealUnsentText({ keyring, placeId: `outbox/${id}`, text: JSON.stringify(operation) });
    await cache.putOperation({ id, body }, []);
    const outbox = await openTab();
    const read = only(outbox.turns);
    expect(read.operation.stage).toEqual({ name: 'failed', failure: { code, retryAfterMs: 1 } });
    // It is changed like any other, whatever the code was called.
    expect(await outbox.rewrite(read, { ...read.operation, stage: { name: 'going' } })).toBe(true);
  });
});

describe('Outbox: what the shield showed when a question was sent', () => {
  const weightsDigest = toBase64Url(new Uint8Array(32));
  const common = { kind: 'sev-snp', model: 'a/model', engine: 'gguf', level: 'hardware', release: '1.4.0' } as const;
  const now = { ...common, weightsDigest, measurement: 'aa' };
  const sentence = 'AMD hardware signed that measured software 1.4.0 runs here, and 1.4.0 is in the release list.';

  /** Reads what a build leaves in the browser. */
  async function read(shown: object) {
    const { cache, openTab } = await openProfile();
    const operation = { ...turn('words'), shown };
    const id = `turn:${operation.turnId}`;
    const body = sealUnsentText({ keyring, placeId: `outbox/${id}`, text: JSON.stringify(operation) });
    await cache.putOperation({ id, body }, []);
    const outbox = await openTab();
    return outbox.turns.map(({ operation: { text, shown: found } }) => ({ text, shown: found }));
  }

  it.each([
    ['this build', now, now],
    ['an earlier build', { ...common, sentence, measurement: weightsDigest, machine: 'aa' }, now],
    [
      'a build that showed no level',
      { kind: 'development', model: 'm', engine: 'gguf', sentence: 'No protection …', measurement: null },
      {
        kind: 'development',
        model: 'm',
        engine: 'gguf',
        weightsDigest: null,
        level: null,
        measurement: null,
        release: null,
      },
    ],
  ])('the shown enclave of a question of %s is read', async (_build, left, shown) => {
    expect(await read(left)).toEqual([{ text: 'words', shown }]);
  });

  it('is left alone where it is of no build that this one knows', async () => {
    expect(await read({ ...now, sentence })).toEqual([]);
    expect(await read({ ...now, machine: 'aa' })).toEqual([]);
  });

  it('is kept with the answer as the sentence that stands for it, and as none where no level was shown', () => {
    expect(protectionOf(now)).toBe(sentence);
    expect(protectionOf({ ...now, level: null })).toBe('');
    expect(protectionOf(null)).toBe('');
  });
});
