import { beforeAll, describe, expect, test } from 'vitest';
import { type CloseReason, closeReasons } from '../../../../../crypto/protocol/messages/live-record.ts';
import { maximumFruitlessFetches, ReplyReader } from '../../../../../client/vault/exchange/reading/reply-reader.ts';
import type { KeyStanding } from '../../../../../client/vault/exchange/reading/transcript-reader.ts';
import { aeadReady } from '../../../../../crypto/primitives/aead.ts';
import {
  type Bytes,
  concat,
  encodeUtf8,
  randomBytes,
  toBase64Url,
} from '../../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../../crypto/protocol/bytes/secret.ts';
import { encodeEndRecord, encodeTextRecord } from '../../../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../../../crypto/turn/reply-sealer.ts';

beforeAll(() => aeadReady());

const end = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' } as const;

/** A device's reader, and the records of an enclave that has its turn key or another one. */
function startReading({ isOwn = true, standing = (): KeyStanding => 'own' } = {}) {
  const [turnId, key, requestHash] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const turnKey = new Secret('TurnKey', (isOwn ? key.slice() : randomBytes(32)) as Bytes);
  const sealer = new ReplySealer({ turnKey, frameClass: 'chat', turnId, keyId: randomBytes(32), requestHash });
  const reader = new ReplyReader(toBase64Url(turnId), toBase64Url(key), standing);
  const ids = { turnId, transcriptId: sealer.transcriptId };
  const sealText = (words: string) => sealer.sealFrame(encodeTextRecord('text', encodeUtf8(words)));
  return {
    reader,
    header: { kind: 'header', number: 0, body: concat(sealer.header, requestHash), ...ids } as const,
    end: () => {
      const [number, body] = [sealer.nextNumber, sealer.sealFrame(encodeEndRecord(end))];
      return { kind: 'frame', number, body, ...ids } as const;
    },
    final: () => ({ kind: 'frame', number: sealer.nextNumber, body: sealer.sealFinal(), ...ids }) as const,
    closed: (reason: CloseReason) => {
      const body = Uint8Array.of(closeReasons[reason]);
      return { kind: 'closed', number: sealer.nextNumber, body, ...ids } as const;
    },
    frame: (words: string) => {
      const number = sealer.nextNumber;
      return { kind: 'frame', number, body: sealText(words), ...ids } as const;
    },
  };
}

describe('a transcript of which frames come before its header', () => {
  test('may be the answer, and is read once the header is there', () => {
    const { reader, header, frame } = startReading();
    const [first, second] = [frame('One, '), frame('two.')];
    reader.take(second);
    expect([reader.isUnreadable, reader.state]).toEqual([false, { kind: 'waiting' }]);
    expect(reader.missing).toEqual({ after: -1, transcriptId: null });
    reader.take(header);
    reader.take(first);
    expect([reader.isUnreadable, reader.text]).toEqual([false, 'One, two.']);
  });

  test('is no answer once the header was asked for in vain', () => {
    const { reader, frame } = startReading();
    reader.take(frame('One.'));
    for (let count = 0; count < maximumFruitlessFetches; count++) reader.noteFetch(false);
    expect(reader.isUnreadable).toBe(true);
  });
});

test('a transcript of another key is no answer, and one beside it that opens is', () => {
  const foreign = startReading({ isOwn: false });
  expect(foreign.reader.isUnreadable).toBe(false);
  foreign.reader.take(foreign.header);
  expect(foreign.reader.isUnreadable).toBe(true);
  const own = startReading();
  own.reader.take({ ...foreign.header, turnId: own.header.turnId });
  own.reader.take(own.header);
  own.reader.take(own.frame('Mine.'));
  expect([own.reader.isUnreadable, own.reader.text]).toEqual([false, 'Mine.']);
});

test('a made-up header in the name of a transcript leaves its place to the real one', () => {
  const { reader, header, frame } = startReading();
  const body = header.body.map((byte, place) => (place === 70 ? byte ^ 1 : byte));
  reader.take({ ...header, body });
  expect([reader.isUnreadable, reader.text]).toEqual([true, '']);
  reader.take(header);
  reader.take(frame('The real one.'));
  expect([reader.isUnreadable, reader.text]).toEqual([false, 'The real one.']);
});

test('made-up transcripts, as many as are kept, do not keep the answer out', () => {
  const { reader, header, frame } = startReading();
  for (let count = 0; count < 40; count++) reader.take(startReading({ isOwn: false }).header);
  expect(reader.transcripts).toHaveLength(16);
  reader.take(header);
  reader.take(frame('Mine.'));
  expect([reader.transcripts.length, reader.text]).toEqual([16, 'Mine.']);
});

describe('an end that a relay says', () => {
  test('counts once all frames before it are here, and no longer when one comes behind it', () => {
    const { reader, header, frame, closed } = startReading();
    const [first, second] = [frame('One, '), frame('two, ')];
    reader.take(header);
    reader.take(first);
    reader.take(closed('lost'));
    expect([reader.isOver, reader.missing?.after]).toEqual([false, 0]);
    reader.take(second);
    expect(reader.state).toMatchObject({ kind: 'ended', outcome: 'cut-off' });
    reader.take(frame('three.'));
    expect([reader.state.kind, reader.text]).toEqual(['streaming', 'One, two, three.']);
  });

  test('between the end of the words and the last frame is said to be early, and with the last frame is not', () => {
    for (const isWhole of [false, true]) {
      const { reader, header, frame, end: endFrame, final, closed } = startReading();
      for (const record of [header, frame('Words.'), endFrame()]) reader.take(record);
      reader.take(isWhole ? final() : closed('gone'));
      expect(reader.state).toMatchObject({ kind: 'ended', outcome: 'complete', endedEarly: !isWhole });
    }
  });

  test('the end of a transcript that never began makes no transcript', () => {
    const { reader, closed } = startReading();
    expect(reader.take(closed('final'))).toBeNull();
    expect([reader.transcripts, reader.isUnreadable]).toEqual([[], false]);
  });
});

test('a frame further ahead than ten minutes is not kept', () => {
  const { reader, header, frame } = startReading();
  reader.take(header);
  reader.take({ ...frame('One.'), number: 6_000 });
  expect(reader.missing).toBeNull();
  reader.take({ ...frame('Two.'), number: 5_999 });
  expect(reader.missing).toEqual({ after: -1, transcriptId: toBase64Url(header.transcriptId) });
});

describe('a transcript of a key to which the question was not sealed, as far as is known', () => {
  test('is not opened, and is once it is known that it was', () => {
    let standing: KeyStanding = 'foreign';
    const { reader, header, frame } = startReading({ standing: () => standing });
    reader.take(header);
    reader.take(frame('One, '));
    expect([reader.text, reader.transcript, reader.isUnreadable, reader.missing]).toEqual(['', null, true, null]);
    expect(reader.reconsider()).toBe(false);
    standing = 'own';
    expect(reader.reconsider()).toBe(true);
    reader.take(frame('two.'));
    expect([reader.text, reader.isUnreadable, reader.state.kind]).toEqual(['One, two.', false, 'streaming']);
  });

  test('is waited for while that is still to be found out', () => {
    let standing: KeyStanding = 'unknown';
    const { reader, header, frame } = startReading({ standing: () => standing });
    reader.take(header);
    reader.take(frame('One.'));
    expect([reader.text, reader.isUnreadable, reader.state.kind]).toEqual(['', false, 'waiting']);
    standing = 'foreign';
    expect(reader.reconsider()).toBe(true);
    expect([reader.text, reader.isUnreadable]).toEqual(['', true]);
  });
});

test.each([
  ['lost', false],
  ['gone', true],
  ['final', true],
] as const)(
  'isSettled: an answer that the relay closes early as %s is settled (%s) alike, whether its words had ended or not',
  (reason, isSettled) => {
    for (const hasEnded of [true, false]) {
      const { reader, header, frame, end: last, closed, final } = startReading();
      for (const record of [header, frame('All of it.'), ...(hasEnded ? [last()] : [])]) reader.take(record);
      expect(reader.isSettled).toBe(false);
      reader.take(closed(reason));
      expect([hasEnded, reader.isSettled, reader.text]).toEqual([hasEnded, isSettled, 'All of it.']);
      expect(reader.state).toMatchObject({ kind: 'ended', outcome: hasEnded ? 'complete' : 'cut-off' });
      // The relay found the enclave again.
      reader.take(final());
      expect(reader.isSettled).toBe(true);
    }
  },
);
