import { beforeAll, describe, expect, test } from 'vitest';
import { verifyEnclave } from '../../crypto/evidence/verify-enclave.ts';
import type { Attestation } from '../../crypto/protocol/messages/enclave-messages.ts';
import { decodeLiveRecord, LiveRecordSplitter } from '../../crypto/protocol/messages/live-record.ts';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { concat, fromHex, toBase64Url, toHex } from '../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../crypto/protocol/bytes/secret.ts';
import { ReplyOpener } from '../../crypto/turn/reply-opener.ts';
import { openRequest } from '../../crypto/turn/sealed-request.ts';
import { developmentPolicy } from '../parts/evidence/development-policy.ts';
import frozen from '../vectors/sotto-v1-turn.json' with { type: 'json' };
import { makeTurnVectors } from '../vectors/making/turn-vectors.ts';

beforeAll(aeadReady);

describe('sotto-v1-turn.json', () => {
  test('is what the writers make from the same random bytes', async () => {
    expect(JSON.parse(JSON.stringify(await makeTurnVectors()))).toEqual(frozen);
  });

  test.each(frozen.requests)(
    'a request with $name opens with each of its keys',
    async ({ header, content, sealed, requestHash }) => {
      const request = {
        header: fromHex(sealed.header),
        body: fromHex(sealed.body),
        recipients: sealed.recipients.map(({ keyId, encapsulation, wrappedKey }) => ({
          keyId: fromHex(keyId),
          encapsulation: fromHex(encapsulation),
          wrappedKey: fromHex(wrappedKey),
        })),
      };
      for (const { keyId } of sealed.recipients) {
        const { secretKey } = frozen.enclaveKeys.find((key) => key.keyId === keyId)!;
        const secretKeys = new Map([[keyId, new Secret('EnclaveKey', fromHex(secretKey))]]);
        const opened = await openRequest({ request, secretKeys });
        expect({ ...opened.header, turnId: toHex(opened.header.turnId) }).toEqual(header);
        expect(opened.content).toEqual(content);
        expect([toHex(opened.requestHash), toHex(opened.keyId)]).toEqual([requestHash, keyId]);
      }
    },
  );

  test.each(frozen.replies)(
    'the reply "$name" opens to its words',
    ({ frames, text, reasoning, notes, end, ...reply }) => {
      const opener = new ReplyOpener({
        turnKey: new Secret('TurnKey', fromHex(reply.turnKey)),
        turnId: fromHex(reply.turnId),
        requestHash: fromHex(reply.requestHash),
        header: fromHex(reply.header),
      });
      const pieces = frames.flatMap((frame, number) => opener.open(number, fromHex(frame)).pieces);
      const words = (kind: string) =>
        pieces.map((piece) => (piece.kind === kind && 'text' in piece ? piece.text : '')).join('');
      expect([words('text'), words('reasoning')]).toEqual([text, reasoning]);
      expect(pieces.flatMap((piece) => (piece.kind === 'note' ? [piece.note] : []))).toEqual(notes);
      expect([opener.end, opener.isFinal]).toEqual([end, true]);
    },
  );

  test('the key statement verifies', async () => {
    const { evidence, statement, signature, nonce, evidenceDigest } = frozen.keyStatement;
    const verdict = await verifyEnclave({
      attestation: {
        format: 1,
        evidence: evidence as Attestation['evidence'],
        statement: toBase64Url(fromHex(statement)),
        signature: toBase64Url(fromHex(signature)),
        publicKeys: frozen.enclaveKeys.map(({ publicKey }) => toBase64Url(fromHex(publicKey))),
      },
      nonce: fromHex(nonce),
      model: 'default',
      minimum: 'any',
      policy: developmentPolicy,
      nowMs: 0,
    });
    if (verdict.refused) throw new Error('refused');
    expect(verdict.statement).toEqual(frozen.keyStatement.value);
    expect(toHex(verdict.evidenceDigest)).toBe(evidenceDigest);
  });

  test('live records come out of one stream, whatever its pieces', () => {
    const stream = concat(...frozen.liveRecords.map(({ bytes }) => fromHex(bytes)));
    for (const size of [1, 7, 100, stream.length]) {
      const splitter = new LiveRecordSplitter();
      const records = [];
      for (let i = 0; i < stream.length; i += size) {
        const pieces = splitter.push(stream.subarray(i, i + size));
        records.push(...pieces.map((piece) => decodeLiveRecord(piece)));
      }
      const inHex = records.map(({ turnId, transcriptId, body, ...rest }) => ({
        ...rest,
        turnId: toHex(turnId),
        transcriptId: toHex(transcriptId),
        body: toHex(body),
      }));
      expect(inHex).toEqual(frozen.liveRecords.map(({ bytes: _bytes, ...rest }) => rest));
    }
  });
});
