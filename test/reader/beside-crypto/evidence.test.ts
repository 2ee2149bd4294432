import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as statements from '../../../crypto/evidence/key-statement.ts';
import { digestEvidence } from '../../../crypto/evidence/evidence-digest.ts';
import { verifyEnclave } from '../../../crypto/evidence/verify-enclave.ts';
import * as live from '../../../crypto/protocol/messages/live-record.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { developmentPolicy } from '../../parts/evidence/development-policy.ts';
import { deriveStopToken } from '../../../crypto/turn/turn-key.ts';
import { encodeBase64url, join, lp, sha256, u32, u8, utf8, zeros, type Bytes } from '../protocol/conventions.ts';
import { differences, plain, random, secret, sortedMembers, variants } from './outcomes.ts';
import { ed25519PublicKey, ed25519Sign } from '../primitives/ed25519.ts';
import { liveRecordKinds, readLiveRecords, writeLiveRecord } from '../protocol/live-records.ts';
import { stopToken } from '../turn/reply.ts';
import { evidenceDigest, readStatement, signStatement, verifyDevelopment } from '../evidence/statement.ts';

// Keys are drawn while the tests are collected.
await aeadReady();

const times = Array.from({ length: 5 }, (_, index) => index);

test.each(times)('stop tokens, random input %i', () => {
  const [turnKey, turnId] = [random(32), random(16)];
  expect(stopToken({ turnKey, turnId })).toEqual(deriveStopToken({ turnKey: secret('TurnKey', turnKey), turnId }));
});

describe.each(times)('key statements, random input %i', () => {
  const [seed, nonce] = [random(32), random(32)];
  const identity = plain(ed25519PublicKey(seed));
  const publicKeys = Array.from({ length: randomInt(1, 5) }, () => random(1216));
  const issuedAtMs = randomInt(2 ** 47);
  const value = {
    format: 1 as const,
    nonce: encodeBase64url(nonce),
    issuedAtMs,
    keys: publicKeys.map((publicKey) => ({ keyId: encodeBase64url(sha256(publicKey)), notAfterMs: issuedAtMs + 1 })),
    model: 'm',
    weightsDigest: randomInt(2) === 0 ? null : encodeBase64url(random(32)),
    engine: 'gguf' as const,
  };
  const readers = (statement: Bytes) => ({
    mine: (signature: Bytes) => readStatement(identity, statement, signature, nonce),
    production: (signature: Bytes) =>
      statements.verifyKeyStatement({ identityPublicKey: identity, statement, signature, nonce }),
  });

  test('both write the same bytes and refuse alike', () => {
    const { statement, signature } = signStatement(seed, value);
    const identitySecretKey = secret('IdentityKey', seed);
    expect(statements.signKeyStatement({ identitySecretKey, statement: value })).toEqual({ statement, signature });
    expect(differences(variants(signature), readers(statement))).toEqual([]);
  });

  test('signed bytes that are no statement: both refuse alike', () => {
    const [key] = value.keys;
    const wrong: [string, Bytes][] = [
      ['no JSON', utf8('a')],
      ['nothing', zeros(0)],
      ['not canonical', utf8(JSON.stringify(value))],
      ...[
        { format: 2 },
        { format: 2, accepts: ['fast'], contextTokens: 8192 },
        { format: 2, accepts: ['fast', 'embed'], contextTokens: null },
        { format: 2, accepts: ['later', 'title'], contextTokens: 0 },
        { format: 2, accepts: [] },
        { format: 1, accepts: [] },
        { format: 3, accepts: [], contextTokens: null },
        { nonce: encodeBase64url(random(32)) },
        { nonce: 'short' },
        { keys: [] },
        { keys: [key, key, key, key, key] },
        { keys: [{ ...key, notAfterMs: issuedAtMs }] },
        { model: '' },
        { model: 'default' },
        { weightsDigest: '' },
        { engine: 'other' },
        { other: 1 },
        { issuedAtMs: -1 },
      ].map((changed): [string, Bytes] => [
        JSON.stringify(changed),
        utf8(JSON.stringify(sortedMembers({ ...value, ...changed }))),
      ]),
    ];
    const found = wrong.flatMap(([name, statement]) => {
      const signature = ed25519Sign(seed, lp('sotto/v1/key-statement', statement));
      return differences([{ name, bytes: signature }], readers(statement));
    });
    expect(found).toEqual([]);
  });

  test('verification: both accept and refuse the same answers', async () => {
    const { statement, signature } = signStatement(seed, value);
    const evidence = [{ kind: 'development' as const, identityPublicKey: encodeBase64url(identity) }];
    const whole = { evidence, statement, signature, publicKeys: publicKeys as Bytes[] };
    const expired = signStatement(seed, {
      ...value,
      keys: value.keys.map((key) => ({ ...key, notAfterMs: issuedAtMs })),
    });
    const cases: [string, Partial<typeof whole>, string][] = [
      ['whole', {}, 'default'],
      ['its model', {}, 'm'],
      ['another model', {}, 'n'],
      ['two pieces', { evidence: [...evidence, ...evidence] }, 'default'],
      ['no piece', { evidence: [] }, 'default'],
      [
        'another identity',
        { evidence: [{ ...evidence[0]!, identityPublicKey: encodeBase64url(random(32)) }] },
        'default',
      ],
      ['another statement', { statement: statement.slice(1) }, 'default'],
      ['another signature', { signature: signature.slice(1) }, 'default'],
      ['another key', { publicKeys: publicKeys.with(0, random(1216)) }, 'default'],
      ['a key more', { publicKeys: [...publicKeys, random(1216)] }, 'default'],
      ['a key less', { publicKeys: publicKeys.slice(1) }, 'default'],
      ['expired when issued', expired, 'default'],
    ];
    const found: [string, boolean, boolean][] = [];
    for (const [name, changed, model] of cases) {
      const attestation = { ...whole, ...changed };
      const given = {
        format: 1 as const,
        enclaveId: 'local-1',
        evidence: attestation.evidence,
        statement: encodeBase64url(attestation.statement),
        signature: encodeBase64url(attestation.signature),
        publicKeys: attestation.publicKeys.map(encodeBase64url),
      };
      let isTaken = true;
      try {
        verifyDevelopment(attestation, nonce, model);
      } catch {
        isTaken = false;
      }
      const question = {
        attestation: given,
        nonce,
        model,
        minimum: 'any',
        policy: developmentPolicy,
        nowMs: 0,
      } as const;
      found.push([name, isTaken, !(await verifyEnclave(question)).refused]);
    }
    expect(found.filter(([, mine, production]) => mine !== production)).toEqual([]);
    expect(found.slice(0, 3).map(([, mine]) => mine)).toEqual([true, true, false]);
    const wire = { evidence, statement: encodeBase64url(statement), signature: encodeBase64url(signature) };
    expect(digestEvidence(wire)).toEqual(evidenceDigest(evidence, statement, signature));
  });
});

describe.each(times)('live records, random input %i', () => {
  const lengths = { header: 131, frame: [272, 1040, 16_400][randomInt(3)]!, closed: 1, stream: 16 };
  const records = Array.from({ length: 20 }, () => {
    const kind = liveRecordKinds[randomInt(7)]!;
    const length = kind in lengths ? lengths[kind as keyof typeof lengths] : 0;
    const body = kind === 'closed' ? u8(randomInt(1, 4)) : random(length);
    return { kind, turnId: random(16), transcriptId: random(16), number: randomInt(2 ** 32), body: plain(body) };
  });
  const readers = {
    mine: (bytes: Bytes) => {
      const { records: found, rest } = readLiveRecords(bytes);
      return [found, rest.length];
    },
    production: (bytes: Bytes) => {
      const pieces = new live.LiveRecordSplitter().push(bytes);
      const found = pieces.map((piece) => live.decodeLiveRecord(piece));
      return [found, bytes.length - pieces.reduce((total, piece) => total + piece.length, 0)];
    },
  };

  test('both write the same bytes and read them alike', () => {
    const bytes = records.map(writeLiveRecord);
    expect(records.map((record) => live.encodeLiveRecord(record))).toEqual(bytes);
    expect(readers.mine(join(...bytes))).toEqual([records, 0]);
    const inputs = [...bytes, join(...bytes)].flatMap((each) => [
      { name: 'as written', bytes: each },
      { name: 'cut', bytes: each.slice(0, -1) },
    ]);
    expect(differences(inputs, readers)).toEqual([]);
  });

  test('odd ones: both read or refuse alike', () => {
    const framed = (length: number, kind: number, body = length - 37): Bytes =>
      join(u32(length), u8(kind), zeros(36), zeros(Math.max(body, 0)));
    const odd = [36, 37, 38, 53, 54, 168, 16_437, 16_438].flatMap((length) =>
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((kind) => ({ name: `kind ${kind}, ${length}`, bytes: framed(length, kind) })),
    );
    const reasons = [0, 4, 255].map((reason) => ({
      name: `reason ${reason}`,
      bytes: join(framed(38, 3).slice(0, -1), u8(reason)),
    }));
    expect(differences([...odd, ...reasons], readers)).toEqual([]);
  });
});
