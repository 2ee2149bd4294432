import { beforeAll, describe, expect, test } from 'vitest';
import { FrameFetcher } from '../../../../../client/vault/exchange/reading/frame-fetcher.ts';
import { type ReplyGrowth, ReplyReader } from '../../../../../client/vault/exchange/reading/reply-reader.ts';
import { RelayClient } from '../../../../../client/vault/relay/relay-client.ts';
import { aeadReady } from '../../../../../crypto/primitives/aead.ts';
import { type Bytes, encodeUtf8, randomBytes, toBase64Url } from '../../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../../crypto/protocol/bytes/secret.ts';
import { encodeLiveRecord, type LiveRecord } from '../../../../../crypto/protocol/messages/live-record.ts';
import { headerBody } from '../../../../../crypto/protocol/messages/transcript-header.ts';
import { encodeEndRecord, encodeTextRecord } from '../../../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../../../crypto/turn/reply-sealer.ts';
import { ManualClock } from '../../../../parts/machine/clocks/manual-clock.ts';

beforeAll(aeadReady);

/** A client takes no more of one answer. */
const mostBytes = 32 * 1024 * 1024;
const dummy: Bytes = new Uint8Array(0);

/** A reply at the faster pace that went on for an hour. */
function longReply() {
  const [turnId, key, requestHash] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const turnKey = new Secret('TurnKey', key.slice());
  const sealer = new ReplySealer({ turnKey, frameClass: 'fast', turnId, keyId: randomBytes(32), requestHash });
  const ids = { turnId, transcriptId: sealer.transcriptId };
  const say = (word: string) => sealer.sealFrame(encodeTextRecord('text', encodeUtf8(word)));
  const end = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' } as const;
  const first = say('First, ');
  const pause = Array.from({ length: 36_000 }, () => sealer.sealFrame(dummy));
  const bodies = [first, ...pause, say('then.'), sealer.sealFrame(encodeEndRecord(end)), sealer.sealFinal()];
  const frames = bodies.map((body, number) => encodeLiveRecord({ kind: 'frame', number, body, ...ids }));
  const around = (kind: LiveRecord['kind'], number: number, body: Bytes) =>
    encodeLiveRecord({ kind, number, body, ...ids });
  const header = around('header', 0, headerBody(sealer.header, requestHash));
  const closed = around('closed', frames.length, Uint8Array.of(1));
  return { turnId: toBase64Url(turnId), turnKey: toBase64Url(key), header, frames, closed };
}

/** @param answer - The relay's whole answer for a place; it may send more than is taken. */
function fetcherOf(answer: (after: number) => Bytes[] | null) {
  const asked: string[] = [];
  const told: string[] = [];
  const fetch = (url: string | URL | Request) => {
    const place = new URL(url as string, 'http://relay').searchParams;
    asked.push(`${place.get('after')} of ${place.has('transcript') ? 'one' : 'all'}`);
    const pieces = answer(Number(place.get('after')));
    const gone = () => Response.json({ error: 'not-found' }, { status: 404 });
    return Promise.resolve(pieces === null ? gone() : new Response(new Blob(pieces)));
  };
  const clock = new ManualClock();
  const tokens = { current: () => Promise.resolve('token'), renew: () => Promise.resolve('token') };
  const relay = new RelayClient({ fetch, origin: '', clock }, tokens, () => undefined);
  const { signal } = new AbortController();
  const onFetched = (_: ReplyReader, growth: ReplyGrowth | null) => void told.push(growth?.text ?? '');
  return { asked, told, fetcher: new FrameFetcher({ relay, clock, signal, onFetched }) };
}

let reply: ReturnType<typeof longReply>;
beforeAll(() => {
  reply = longReply();
});

describe('FrameFetcher.fetch: a transcript of more bytes than one answer may bring', () => {
  test('is read in parts, each from where the last one was cut', async () => {
    const { turnId, turnKey, header, frames, closed } = reply;
    const reader = new ReplyReader(turnId, turnKey, () => 'own');
    const { asked, fetcher } = fetcherOf((after) => [
      ...(after < 0 ? [header] : []),
      ...frames.slice(after + 1),
      closed,
    ]);
    expect(await fetcher.fetch(reader, { after: -1, transcriptId: null })).toBeNull();
    expect(reader.text).toBe('First, then.');
    expect(reader.state).toMatchObject({ kind: 'ended', outcome: 'complete', endedEarly: false });
    // The header lies before the first frame, and one frame was cut.
    const inFirst = Math.floor((mostBytes - header.length) / (frames[0]?.length ?? 1));
    expect(asked).toEqual(['-1 of all', `${inFirst - 1} of one`]);
  });

  test('a relay that sends the same part for ever is asked once more, and left', async () => {
    const { turnId, turnKey, header, frames } = reply;
    const reader = new ReplyReader(turnId, turnKey, () => 'own');
    const { asked, fetcher } = fetcherOf(() => [header, ...frames]);
    expect(await fetcher.fetch(reader, { after: -1, transcriptId: null })).toBeNull();
    expect(reader.text).toBe('First, ');
    expect(asked).toHaveLength(2);
  });

  test('that goes between two parts leaves what came of it, and that is told', async () => {
    const { turnId, turnKey, header, frames } = reply;
    const reader = new ReplyReader(turnId, turnKey, () => 'own');
    const { fetcher, told } = fetcherOf((after) => (after < 0 ? [header, ...frames] : null));
    expect(await fetcher.fetch(reader, { after: -1, transcriptId: null })).toBe('not-found');
    expect(told).toEqual(['First, ']);
  });
});
