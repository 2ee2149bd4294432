import { beforeAll, describe, expect, test } from 'vitest';
import { ReplyReader } from '../../../../client/vault/exchange/reading/reply-reader.ts';
import type { ReplyEnd } from '../../../../crypto/protocol/contents/request-content.ts';
import type { ReplyCause } from '../../../../crypto/protocol/contents/reply-note.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, concat, encodeUtf8, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { encodeEndRecord, encodeNoteRecord, encodeTextRecord } from '../../../../crypto/turn/reply-record.ts';
import { ReplySealer } from '../../../../crypto/turn/reply-sealer.ts';

beforeAll(() => aeadReady());

const end: ReplyEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'openai' };
const text = (words: string) => encodeTextRecord('text', encodeUtf8(words));

/** A device's reader, and an enclave that seals for it. */
function startReading() {
  const [turnId, key, requestHash] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const turnKey = () => new Secret('TurnKey', key.slice() as Bytes);
  const sealer = new ReplySealer({
    turnKey: turnKey(),
    frameClass: 'chat',
    turnId,
    keyId: randomBytes(32),
    requestHash,
  });
  const reader = new ReplyReader(toBase64Url(turnId), toBase64Url(key), () => 'own');
  const ids = { turnId, transcriptId: sealer.transcriptId };
  reader.take({ kind: 'header', number: 0, body: concat(sealer.header, requestHash), ...ids });
  const send = (...records: Bytes[]) => {
    const number = sealer.nextNumber;
    return reader.take({ kind: 'frame', number, body: sealer.sealFrame(concat(...records)), ...ids });
  };
  return { reader, send };
}

describe('ReplyReader', () => {
  test('shows why nothing comes yet, and forgets it when the answer is there', () => {
    const { reader, send } = startReading();
    expect(send(encodeNoteRecord({ kind: 'cause', cause: 'model-loading' }))).toMatchObject({ stateChanged: true });
    expect(reader.state).toEqual({ kind: 'waiting', cause: 'model-loading' });
    send(text('Here.'));
    expect(reader.state).toEqual({ kind: 'streaming' });
    send(encodeEndRecord(end));
    expect(reader.state).toMatchObject({ kind: 'ended', outcome: 'complete', code: null });
  });

  test('takes the finer cause of an error, and the coarse code where there is none', () => {
    for (const notes of [[encodeNoteRecord({ kind: 'cause', cause: 'key-refused' })], []]) {
      const { reader, send } = startReading();
      send(...notes, encodeEndRecord({ ...end, outcome: 'error', code: 'model-refused' }));
      expect(reader.state).toMatchObject({ code: notes.length > 0 ? 'key-refused' : 'model-refused' });
    }
  });

  test('names the finest reason first and END’s own behind it; an answer that came to its end names none', () => {
    const cause = (which: ReplyCause) => encodeNoteRecord({ kind: 'cause', cause: which });
    const failed = encodeEndRecord({ ...end, outcome: 'error', code: 'model-refused' });
    for (const [records, codes] of [
      [
        [cause('model-loading'), cause('key-refused'), failed],
        ['key-refused', 'model-refused'],
      ],
      [[failed], ['model-refused']],
      [[cause('model-loading'), text('Here.'), encodeEndRecord(end)], []],
      [[cause('model-loading')], []],
    ] as const) {
      const { reader, send } = startReading();
      send(...records);
      expect(reader.codes).toEqual(codes);
    }
  });

  test('moves text that was reasoning, and says that all of it is to be shown anew', () => {
    const { reader, send } = startReading();
    send(text('Hm, '), text('a colour.'));
    expect([reader.text, reader.reasoning]).toEqual(['Hm, a colour.', '']);
    const growth = send(encodeNoteRecord({ kind: 'text-was-reasoning' }), text('Teal.'));
    expect(growth).toMatchObject({ text: 'Teal.', reasoning: 'Hm, a colour.', replaced: true });
    expect([reader.text, reader.reasoning]).toEqual(['Teal.', 'Hm, a colour.']);
  });

  test('knows how many messages the model was not given', () => {
    const { reader, send } = startReading();
    expect(reader.leftOut).toBe(0);
    expect(send(encodeNoteRecord({ kind: 'left-out', messages: 12 }))).toMatchObject({ stateChanged: true });
    expect(reader.leftOut).toBe(12);
  });
});
