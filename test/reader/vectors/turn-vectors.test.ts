import { describe, expect, test } from 'vitest';
import hpkeVectors from '../../vectors/hpke-xwing.hpkewg.json' with { type: 'json' };
import { writeCanonicalJson, type JsonObject } from '../protocol/canonical-json.ts';
import { join, sha256, zeros, type Bytes } from '../protocol/conventions.ts';
import { ed25519PublicKey } from '../primitives/ed25519.ts';
import { hpkeOpen, hpkeSeal, xWingPublicKey } from '../turn/hpke.ts';
import { readLiveRecords, writeLiveRecord, type LiveRecordKind } from '../protocol/live-records.ts';
import { ReplyReader, sealReply, stopToken, transcriptLength } from '../turn/reply.ts';
import { readRequestContent, writeRequestContent } from '../protocol/request-content.ts';
import { openRequest, readRequestHeader, requestHash, sealRequestBody, writeRequestHeader } from '../turn/request.ts';
import type { FrameClass, SealedRequest } from '../turn/request.ts';
import { evidenceDigest, readStatement, signStatement, verifyDevelopment } from '../evidence/statement.ts';
import { codeOf, codesOfFlips, fromHex, toHex, turnVectors } from './vectors.ts';

const enclaveKeys = turnVectors.enclaveKeys.map(({ secretKey, keyId }) => ({
  seed: fromHex(secretKey),
  keyId: fromHex(keyId),
}));

test.each(hpkeVectors.vectors.filter(({ kdfId, aeadId }) => kdfId === 1 && aeadId === 3))(
  'HPKE: the working group’s vector, sequence number 0',
  (vector) => {
    const [first] = vector.encryptions;
    const parts = [fromHex(vector.info), fromHex(first!.associatedData)] as const;
    const plaintext = fromHex(first!.plaintext);
    const sealed = hpkeSeal(fromHex(vector.publicKey), ...parts, plaintext, fromHex(vector.encapsulationSeed));
    expect(toHex(xWingPublicKey(fromHex(vector.secretKey)))).toBe(vector.publicKey);
    expect(toHex(sealed.encapsulation)).toBe(vector.encapsulation);
    expect(toHex(sealed.ciphertext)).toBe(first!.ciphertext);
    const opened = hpkeOpen(fromHex(vector.secretKey), fromHex(vector.encapsulation), ...parts, sealed.ciphertext);
    expect(toHex(opened)).toBe(first!.plaintext);
  },
);

test.each(turnVectors.enclaveKeys)('enclave key: $keyId', ({ secretKey, publicKey, keyId }) => {
  expect(toHex(xWingPublicKey(fromHex(secretKey)))).toBe(publicKey);
  expect(toHex(sha256(fromHex(publicKey)))).toBe(keyId);
});

describe.each(turnVectors.requests)('request: $name', (entry) => {
  const sealed: SealedRequest = {
    header: fromHex(entry.sealed.header),
    body: fromHex(entry.sealed.body),
    recipients: entry.sealed.recipients.map((recipient) => ({
      keyId: fromHex(recipient.keyId),
      encapsulation: fromHex(recipient.encapsulation),
      wrappedKey: fromHex(recipient.wrappedKey),
    })),
  };
  const header = {
    ...entry.header,
    turnId: fromHex(entry.header.turnId),
    frameClass: entry.header.frameClass as FrameClass,
  };
  const [recipient] = sealed.recipients;

  test('header and content: both ways', () => {
    expect(toHex(writeRequestHeader(header))).toBe(entry.sealed.header);
    expect(readRequestHeader(sealed.header)).toEqual(header);
    expect(readRequestContent(fromHex(entry.contentBytes))).toEqual(entry.content);
    expect(toHex(writeRequestContent(entry.content as JsonObject))).toBe(entry.contentBytes);
    expect(toHex(requestHash(sealed))).toBe(entry.requestHash);
  });

  test('opens for each key that it is sealed to; the body is made again from key and nonce', () => {
    for (const { keyId } of sealed.recipients) {
      const keys = enclaveKeys.filter((key) => toHex(key.keyId) === toHex(keyId));
      const opened = openRequest(sealed, keys);
      expect(opened.header).toEqual(header);
      expect(toHex(opened.content)).toBe(entry.contentBytes);
      const again = sealRequestBody(sealed.header, opened.content, opened.contentKey, sealed.body.slice(0, 24));
      expect(toHex(again)).toBe(entry.sealed.body);
    }
  });

  test('refuses what does not belong together', () => {
    const flip = (bytes: Bytes): Bytes => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);
    const openCode = (changed: Partial<SealedRequest>): string =>
      codeOf(() => openRequest({ ...sealed, ...changed }, enclaveKeys));
    expect(openCode({})).toBe('accepted');
    expect(openCode({ body: flip(sealed.body) })).toBe('open-failed');
    expect(openCode({ header: writeRequestHeader({ ...header, model: 'n' }) })).toBe('open-failed');
    expect(openCode({ recipients: [{ ...recipient!, wrappedKey: flip(recipient!.wrappedKey) }] })).toBe('open-failed');
    const encapsulation = flip(recipient!.encapsulation);
    expect(openCode({ recipients: [{ ...recipient!, encapsulation }] })).toBe('open-failed');
    expect(openCode({ recipients: [{ ...recipient!, keyId: zeros(32) }] })).toBe('unknown-key');
    expect(openCode({ recipients: [] })).toBe('unknown-key');
    expect(openCode({ body: zeros(39) })).toBe('malformed');
    expect(openCode({ header: join(sealed.header, zeros(1)) })).toBe('malformed');
    expect(openCode({ header: sealed.header.with(0, 2) })).toBe('unsupported-version');
    expect(openCode({ header: sealed.header.with(1, 2) })).toBe('unsupported-suite');
    expect(openCode({ header: sealed.header.with(2, 4) })).toBe('malformed');
  });
});

test('stop token', () => {
  const { turnKey, turnId, stopToken: token } = turnVectors.stopToken;
  expect(toHex(stopToken({ turnKey: fromHex(turnKey), turnId: fromHex(turnId) }))).toBe(token);
});

describe.each(turnVectors.replies)('reply: $name', (entry) => {
  const turn = {
    turnKey: fromHex(entry.turnKey),
    turnId: fromHex(entry.turnId),
    requestHash: fromHex(entry.requestHash),
  };
  const header = fromHex(entry.header);
  const frames = entry.frames.map(fromHex);

  test('opens, and is made again', () => {
    const reader = new ReplyReader(turn, header);
    const contents = frames.map((frame, number) => reader.add(number, frame));
    expect(reader.isFinal).toBe(true);
    const { text, reasoning, notes, end } = entry;
    expect(reader.records).toMatchObject({ text, reasoning, notes, end });
    expect(toHex(reader.transcriptHash())).toBe(toHex(sha256(header, ...frames)));
    const again = sealReply(turn, reader.start, join(...contents.slice(0, -1)));
    expect([toHex(again.header), ...again.frames.map(toHex)]).toEqual([entry.header, ...entry.frames]);
  });

  test('refuses another header, turn and request', () => {
    const codes = codesOfFlips(header, (changed) => new ReplyReader(turn, changed));
    expect(codes.slice(0, 2)).toEqual(['unsupported-version', 'unsupported-suite']);
    expect(new Set(codes.slice(3))).toEqual(new Set(['open-failed']));
    expect(codeOf(() => new ReplyReader(turn, header.with(2, 4)))).toBe('malformed');
    expect(codeOf(() => new ReplyReader({ ...turn, requestHash: zeros(32) }, header))).toBe('open-failed');
    expect(codeOf(() => new ReplyReader({ ...turn, turnId: zeros(16) }, header))).toBe('open-failed');
    expect(codeOf(() => new ReplyReader(turn, header.slice(0, -1)))).toBe('malformed');
  });

  test('refuses frames out of order, changed, cut and after FINAL, and goes on after those that do not open', () => {
    const reader = new ReplyReader(turn, header);
    const addCode = (number: number, frame: Bytes): string => codeOf(() => reader.add(number, frame));
    expect(addCode(1, frames[1]!)).toBe('out-of-order');
    expect(addCode(0, frames[1]!)).toBe('open-failed');
    expect(addCode(0, frames[0]!.with(0, frames[0]![0]! ^ 1))).toBe('open-failed');
    expect(addCode(0, frames[0]!.slice(1))).toBe('open-failed');
    expect(frames.map((frame, number) => addCode(number, frame))).toEqual(frames.map(() => 'accepted'));
    expect(addCode(frames.length, frames[0]!)).toBe('stream-ended');
  });
});

test.each(turnVectors.rungs)('rungs: $frameClass', ({ frameClass, totals }) => {
  const found = totals.map(({ needed }) => ({ needed, total: transcriptLength(frameClass as FrameClass, needed) }));
  expect(found).toEqual(totals);
});

describe('key statement', () => {
  const vector = turnVectors.keyStatement;
  const [statement, signature] = [fromHex(vector.statement), fromHex(vector.signature)];
  const [identity, nonce] = [fromHex(vector.identityPublicKey), fromHex(vector.nonce)];
  const publicKeys = turnVectors.enclaveKeys.map(({ publicKey }) => fromHex(publicKey));
  const answer = { evidence: vector.evidence, statement, signature, publicKeys };

  test('is written, signed, read and digested', () => {
    const seed = fromHex(vector.identitySeed);
    expect(ed25519PublicKey(seed)).toEqual(identity);
    expect(signStatement(seed, vector.value)).toEqual({ statement, signature });
    expect(readStatement(identity, statement, signature, nonce)).toEqual(vector.value);
    expect(toHex(evidenceDigest(vector.evidence, statement, signature))).toBe(vector.evidenceDigest);
  });

  test('development evidence: accepted with its own nonce, model and keys alone', () => {
    const code = (changed: Partial<typeof answer>, model = 'default', asked = nonce): string =>
      codeOf(() => verifyDevelopment({ ...answer, ...changed }, asked, model));
    expect([code({}), code({}, vector.value.model)]).toEqual(['accepted', 'accepted']);
    expect(code({}, 'another')).toBe('evidence-refused');
    expect(code({}, 'default', zeros(32))).toBe('evidence-refused');
    expect(code({ publicKeys: publicKeys.toReversed() })).toBe('evidence-refused');
    expect(code({ publicKeys: publicKeys.slice(1) })).toBe('evidence-refused');
    expect(code({ publicKeys: [...publicKeys, publicKeys[0]!] })).toBe('evidence-refused');
    expect(code({ evidence: [] })).toBe('evidence-refused');
    expect(code({ evidence: [...vector.evidence, ...vector.evidence] })).toBe('evidence-refused');
  });

  test('refuses each changed byte of statement and signature, and what is signed but no statement', () => {
    const ofStatement = codesOfFlips(statement, (changed) => readStatement(identity, changed, signature, nonce));
    const ofSignature = codesOfFlips(signature, (changed) => readStatement(identity, statement, changed, nonce));
    expect(new Set([...ofStatement, ...ofSignature])).toEqual(new Set(['evidence-refused']));
  });
});

describe('live records', () => {
  const records = turnVectors.liveRecords.map((entry) => ({
    kind: entry.kind as LiveRecordKind,
    turnId: fromHex(entry.turnId),
    transcriptId: fromHex(entry.transcriptId),
    number: entry.number,
    body: fromHex(entry.body),
  }));
  const bytes = turnVectors.liveRecords.map((entry) => fromHex(entry.bytes));

  test('both ways, one by one and in one stream', () => {
    expect(records.map((record) => toHex(writeLiveRecord(record)))).toEqual(bytes.map(toHex));
    expect(readLiveRecords(join(...bytes, zeros(3)))).toEqual({ records, rest: zeros(3) });
  });

  test('refuses lengths below 37 and above 16,437 and unknown kinds', () => {
    const code = (record: Bytes): string => codeOf(() => readLiveRecords(record));
    const heartbeat = bytes[5]!;
    expect(code(heartbeat)).toBe('accepted');
    expect(code(heartbeat.with(3, 36))).toBe('malformed');
    expect(code(Uint8Array.of(0, 0, 0x40, 0x36))).toBe('malformed');
    expect(code(Uint8Array.of(0, 0, 0x40, 0x35))).toBe('accepted');
    expect([0, 8].map((kind) => code(heartbeat.with(4, kind)))).toEqual(['malformed', 'malformed']);
  });
});

test('evidence digest: is of canonical JSON, whatever the order of members', () => {
  const { evidence } = turnVectors.keyStatement;
  const turned = evidence.map(({ kind, identityPublicKey }) => ({ identityPublicKey, kind }));
  expect(writeCanonicalJson(turned)).toEqual(writeCanonicalJson(evidence));
});
