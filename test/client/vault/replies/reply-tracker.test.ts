import { beforeAll, describe, expect, test } from 'vitest';
import { ReplyTracker } from '../../../../client/vault/replies/reply-tracker.ts';
import { type CloseReason, closeReasons, encodeLiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import type { ReplyEnd } from '../../../../crypto/protocol/contents/request-content.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, concat, encodeUtf8, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { encodeEndRecord, encodeTextRecord } from '../../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../../crypto/turn/reply-sealer.ts';
import { ManualClock } from '../../../parts/machine/clocks/manual-clock.ts';

beforeAll(() => aeadReady());

const text = encodeTextRecord('text', encodeUtf8('Words.'));
const end: ReplyEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' };

/** A device that waits for an answer, and the relay's live records of it. */
function startTracking({ isWatched = true, given = null as ReplyTracker | null } = {}) {
  const [turnId, key, requestHash] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const tracker =
    given ??
    new ReplyTracker({
      client: { readFrames: () => Promise.reject(new Error('not asked')) },
      clock: new ManualClock(),
      signal: new AbortController().signal,
      recipients: { standing: () => 'own', onLearnt: () => undefined },
      onChange: () => undefined,
      onUnknownTurn: () => undefined,
      onSettled: () => undefined,
    });
  const watch = () => tracker.watch(toBase64Url(turnId), toBase64Url(key));
  if (isWatched) watch();
  const turnKey = new Secret('TurnKey', key.slice() as Bytes);
  const sealer = new ReplySealer({ turnKey, frameClass: 'chat', turnId, keyId: randomBytes(32), requestHash });
  const ids = { turnId, transcriptId: sealer.transcriptId };
  const take = (record: Parameters<typeof encodeLiveRecord>[0]) =>
    tracker.takeRecords(encodeLiveRecord({ ...record, ...ids }));
  const frame = (seal: () => Bytes) => {
    const number = sealer.nextNumber;
    take({ kind: 'frame', number, body: seal() });
  };
  take({ kind: 'header', body: concat(sealer.header, requestHash) });
  return {
    tracker,
    watch,
    reader: () => tracker.reader(toBase64Url(turnId)),
    send: (content: Bytes) => frame(() => sealer.sealFrame(content)),
    sendFinal: () => frame(() => sealer.sealFinal()),
    close: (reason: CloseReason) =>
      take({ kind: 'closed', number: sealer.nextNumber, body: Uint8Array.of(closeReasons[reason]) }),
    /** Tells if frames are waited for, and if their pause is looked into. */
    waits: () => [tracker.isExpecting, tracker.progress.size > 0],
  };
}

describe('ReplyTracker waits for frames', () => {
  test('the same whether the words had come to their end or not', () => {
    for (const content of [text, encodeEndRecord(end)]) {
      const { send, waits } = startTracking();
      send(content);
      expect(waits()).toEqual([true, true]);
    }
  });

  test('until the relay has sent the last one', () => {
    const { send, sendFinal, waits } = startTracking();
    send(encodeEndRecord(end));
    sendFinal();
    expect(waits()).toEqual([false, false]);
  });

  test('no longer where the relay says that it lost the answer, whatever had come of it', () => {
    for (const content of [text, encodeEndRecord(end)]) {
      for (const reason of ['lost', 'gone'] as const) {
        const { send, close, waits } = startTracking();
        send(content);
        close(reason);
        expect(waits()).toEqual([false, false]);
        // The relay found the enclave again, which had nothing more to say.
        send(new Uint8Array(0));
        expect(waits()).toEqual([true, true]);
      }
    }
  });
});

test('ReplyTracker holds a mebibyte of answers to questions that are not here yet, and again once they came', () => {
  let tracker: ReplyTracker | null = null;
  for (let turns = 0; turns < 40; turns++) {
    const held = startTracking({ isWatched: false, given: tracker });
    tracker = held.tracker;
    for (let frames = 0; frames < 200; frames++) held.send(text);
    held.watch();
    expect(held.reader()?.text).toBe('Words.'.repeat(200));
  }
});
