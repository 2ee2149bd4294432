import { beforeAll, describe, expect, test } from 'vitest';
import { ReplyTracker, type TrackerSurroundings } from '../../../../client/vault/replies/reply-tracker.ts';
import {
  encodeLiveRecord,
  type LiveRecord,
  type LiveRecordKind,
} from '../../../../crypto/protocol/messages/live-record.ts';
import type { ReplyEnd } from '../../../../crypto/protocol/contents/request-content.ts';
import type { FrameClass } from '../../../../crypto/protocol/messages/request-header.ts';
import type { TurnRecord } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, concat, encodeUtf8, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { encodeEndRecord, encodeTextRecord } from '../../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../../crypto/turn/reply-sealer.ts';
import { seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';
import { ManualClock, settle } from '../../../parts/machine/clocks/manual-clock.ts';

beforeAll(() => aeadReady());

const end: ReplyEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' };

/** An answer as its enclave sealed it, and the list of the relay that holds it. */
function answer(words: readonly string[], frameClass: FrameClass = 'chat') {
  const [turnId, key, requestHash] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const turnKey = new Secret('TurnKey', key.slice() as Bytes);
  const sealer = new ReplySealer({ turnKey, frameClass, turnId, keyId: randomBytes(32), requestHash });
  const ids = { turnId, transcriptId: sealer.transcriptId };
  const header = concat(sealer.header, requestHash);
  const contents = [...words.map((word) => encodeTextRecord('text', encodeUtf8(word))), encodeEndRecord(end)];
  const bodies = [...contents.map((content) => sealer.sealFrame(content)), sealer.sealFinal()];
  const records: LiveRecord[] = [
    { kind: 'header', number: 0, body: header, ...ids },
    ...bodies.map((body, number): LiveRecord => ({ kind: 'frame', number, body, ...ids })),
    { kind: 'closed', number: bodies.length, body: Uint8Array.of(1), ...ids },
  ];
  const id = toBase64Url(turnId);
  const times = { startedAtMs: 1, endedAtMs: 1, attempts: 1, requestLength: 1, stops: 0 };
  const transcripts = [{ header: toBase64Url(header), frames: bodies.length }];
  const listed: TurnRecord = { turnId: id, state: 'ended', ...times, transcripts };
  return { id, key: toBase64Url(key), records, listed, text: words.join('') };
}

type Answer = ReturnType<typeof answer>;

const encode = (records: readonly LiveRecord[]) => concat(...records.map((record) => encodeLiveRecord(record)));

/** A device that fetches what `held` gives, and every text that it showed of one turn. */
function device(id: string, held: () => readonly LiveRecord[]) {
  const shown: string[] = [];
  const clock = new ManualClock();
  const dependencies: TrackerSurroundings = {
    client: { readFrames: async () => ({ bytes: encode(held()), isCut: false }) },
    clock,
    signal: new AbortController().signal,
    recipients: { standing: () => 'own', onLearnt: () => undefined },
    onChange: () => void shown.push(tracker.reader(id)?.text ?? ''),
    onUnknownTurn: () => undefined,
    onSettled: () => undefined,
  };
  const tracker: ReplyTracker = new ReplyTracker(dependencies);
  const pass = async (ms: number) => {
    await settle();
    await clock.pass(ms);
  };
  return { tracker, shown, pass };
}

const kinds: readonly LiveRecordKind[] = ['header', 'frame', 'closed', 'started', 'heartbeat', 'newer', 'stream'];

/** Makes of one record what a lying relay would. */
function liar(draw: (limit: number) => number, own: Answer, other: Answer): (record: LiveRecord) => LiveRecord[] {
  const pick = <T>(all: readonly T[]): T => all[draw(all.length)] as T;
  const turnId = own.records[0]?.turnId ?? randomBytes(16);
  const transcriptId = own.records[0]?.transcriptId ?? randomBytes(16);
  const lies: readonly ((record: LiveRecord) => LiveRecord[])[] = [
    () => [],
    (record) => [record, record],
    (record) => [{ ...record, number: pick([0, 1, 5_999, 6_000, 0xffff_ffff, record.number + 1]) }],
    (record) => [{ ...record, body: randomBytes(pick([0, 1, 16, 131, 272, 16_400])) }],
    () => [{ ...pick(other.records), turnId }],
    () => [{ ...pick(other.records), turnId, transcriptId }],
    (record) => [
      { ...record, kind: 'closed', number: pick([0, 0xffff_ffff]), body: Uint8Array.of(pick([0, 1, 2, 3])) },
    ],
    () => [pick(own.records)],
    (record) => [{ ...record, transcriptId: randomBytes(16) }],
    (record) => [{ ...record, kind: pick(kinds) }],
  ];
  return (record) => (draw(10) < 4 ? [record] : pick(lies)(record));
}

describe('M28, M29, M31 a relay that drops, doubles, renames, renumbers, swaps and makes up records', () => {
  test.each(Array.from({ length: 200 }, (_, seed) => seed + 1))(
    'shows nothing but a beginning of the answer, and honest again all of it (seed %i)',
    async (seed) => {
      const draw = seededNumbers(seed);
      const own = answer(Array.from({ length: 6 }, (_, n) => `word${n} `));
      const lie = liar(draw, own, answer(['Something ', 'else.']));
      let isHonest = false;
      const { tracker, shown, pass } = device(own.id, () => (isHonest ? own.records : own.records.flatMap(lie)));
      const isLate = draw(10) < 3;
      if (!isLate) tracker.watch(own.id, own.key);
      const sent = own.records.flatMap(lie);
      for (const record of draw(10) < 3 ? sent.toSorted(() => draw(2) - 0.5) : sent) {
        tracker.takeRecords(encode([record]));
        if (draw(10) < 2) await pass(2_000);
      }
      if (isLate) tracker.watch(own.id, own.key);
      await pass(60_000);
      const reader = tracker.reader(own.id);
      expect(reader?.outcome === 'complete' && reader.text !== own.text).toBe(false);
      isHonest = true;
      await tracker.resume([own.listed], [own.id]);
      await pass(60_000);
      expect([reader?.text, reader?.state, reader?.isSettled]).toEqual([
        own.text,
        { kind: 'ended', outcome: 'complete', code: null, endedEarly: false },
        true,
      ]);
      expect(shown.filter((text) => !own.text.startsWith(text))).toEqual([]);
    },
  );

  test.each([
    [
      'the header under another name',
      ([header]: readonly LiveRecord[]) => [{ ...header, transcriptId: randomBytes(16) }],
    ],
    ['rubbish for a header', ([header]: readonly LiveRecord[]) => [{ ...header, body: randomBytes(131) }]],
    [
      'sixteen transcripts that are none',
      (records: readonly LiveRecord[]) =>
        Array.from({ length: 16 }, () => ({ ...records[1], transcriptId: randomBytes(16) })),
    ],
  ])('cannot keep an answer out by %s before it', (_name, before) => {
    const own = answer(['All ', 'of it.']);
    const { tracker } = device(own.id, () => []);
    tracker.watch(own.id, own.key);
    tracker.takeRecords(encode(before(own.records) as LiveRecord[]));
    tracker.takeRecords(encode(own.records));
    expect(tracker.reader(own.id)).toMatchObject({ text: 'All of it.', isSettled: true });
  });
});

describe('M36 what a relay makes a tab hold is bounded', () => {
  test('live frames behind a missing one: those that found no room are fetched', async () => {
    const own = answer(
      Array.from({ length: 300 }, () => 'word '),
      'bulk',
    );
    const { tracker, pass } = device(own.id, () => own.records);
    tracker.watch(own.id, own.key);
    const [header, first, ...others] = own.records.slice(0, -1) as [LiveRecord, LiveRecord, ...LiveRecord[]];
    tracker.takeRecords(encode([header, ...others, first]));
    const read = tracker.reader(own.id)?.transcript?.nextNumber ?? 0;
    // Two MiB of frames of 16,400 bytes.
    expect(read).toBe(1 + 127);
    await pass(60_000);
    expect(tracker.reader(own.id)).toMatchObject({ text: own.text, isSettled: true });
  });

  test.each([
    [1, 'All of it.'],
    [20_000, ''],
  ])('live records of questions that nobody has asked: after %i empty ones an early answer is "%s"', (count, text) => {
    const own = answer(['All ', 'of it.']);
    const { tracker } = device(own.id, () => []);
    const empty = () => ({ kind: 'closed', turnId: randomBytes(16), transcriptId: randomBytes(16) }) as const;
    tracker.takeRecords(concat(...Array.from({ length: count }, () => encodeLiveRecord(empty()))));
    tracker.takeRecords(encode(own.records));
    tracker.watch(own.id, own.key);
    expect(tracker.reader(own.id)?.text).toBe(text);
  });
});
