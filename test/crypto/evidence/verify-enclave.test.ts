import { beforeAll, describe, expect, test } from 'vitest';
import { createDevelopmentEvidence } from '../../../crypto/evidence/development.ts';
import {
  generateIdentityKeyPair,
  type IdentityKeyPair,
  signKeyStatement,
} from '../../../crypto/evidence/key-statement.ts';
import { digestEvidence } from '../../../crypto/evidence/evidence-digest.ts';
import { verifyEnclave } from '../../../crypto/evidence/verify-enclave.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import type { Attestation, PlainStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { generateEnclaveKeyPair } from '../../../crypto/turn/hybrid-kem.ts';
import { sentenceOf } from '../../parts/evidence/sentence-of.ts';
import { developmentPolicy as policy } from '../../parts/evidence/development-policy.ts';

const nonce = randomBytes(32);
let identity: IdentityKeyPair;
let publicKeys: Uint8Array[];
beforeAll(async () => {
  await aeadReady();
  identity = generateIdentityKeyPair();
  publicKeys = [generateEnclaveKeyPair().publicKey, generateEnclaveKeyPair().publicKey];
});

type Answer = Omit<Attestation, 'status'>;

function answerWith(changes: Partial<PlainStatement> = {}, signer: IdentityKeyPair = identity): Answer {
  const { statement, signature } = signKeyStatement({
    identitySecretKey: signer.secretKey,
    statement: {
      format: 1,
      nonce: toBase64Url(nonce),
      issuedAtMs: 1_795_000_000_000,
      keys: publicKeys.map((key) => ({ keyId: toBase64Url(keyIdOf(key)), notAfterMs: 1_795_007_200_000 })),
      model: 'model-a',
      weightsDigest: null,
      engine: 'gguf',
      ...changes,
    },
  });
  return {
    format: 1,
    evidence: [createDevelopmentEvidence(identity.publicKey)],
    statement: toBase64Url(statement),
    signature: toBase64Url(signature),
    publicKeys: publicKeys.map((key) => toBase64Url(key)),
  };
}

type Changes = { policy?: unknown; model?: string; nonce?: Uint8Array; minimum?: ProtectionLevel };

const verify = (answer: Answer, changes: Changes = {}) =>
  verifyEnclave({
    attestation: answer,
    nonce,
    model: 'default',
    minimum: 'any',
    policy,
    nowMs: Date.now(),
    ...changes,
  });

function without(field: string): unknown {
  return Object.fromEntries(Object.entries(policy).filter(([name]) => name !== field));
}

/** The step at which it was refused, or `accepted`. */
async function refusedAt(verifying: ReturnType<typeof verifyEnclave>): Promise<string> {
  const verdict = await verifying;
  if (!verdict.refused) return 'accepted';
  const failed = verdict.steps.filter(({ result }) => result === 'failed');
  // The first failure ends it: nothing after it may look as if it had been checked.
  expect(failed).toEqual([verdict.steps.at(-1)]);
  return failed[0]!.check;
}

describe('verifyEnclave', () => {
  test('gives the keys of the statement, the sentence and the list of what was checked', async () => {
    const answer = answerWith();
    const verdict = await verify(answer);
    if (verdict.refused) throw new Error('refused');
    expect(sentenceOf(verdict)).toBe('No protection from whoever runs this machine.');
    expect(verdict.kind).toBe('development');
    expect(verdict.publicKeys.map(({ publicKey }) => publicKey)).toEqual(publicKeys);
    expect(verdict.identityPublicKey).toEqual(identity.publicKey);
    expect(verdict.evidenceDigest).toEqual(digestEvidence(answer));
    expect(verdict.steps.map(({ check, result }) => [check, result])).toEqual([
      ['policy', 'enforced'],
      ['evidence-kind', 'enforced'],
      ['signature', 'enforced'],
      ['freshness', 'enforced'],
      ['keys', 'enforced'],
      ['model', 'enforced'],
      ['weights', 'not-offered'],
      ['hardware', 'not-offered'],
      ['minimum', 'not-offered'],
    ]);
  });

  test('refuses a swapped, missing, added or reordered key (M1)', async () => {
    const mine = toBase64Url(generateEnclaveKeyPair().publicKey);
    const answer = answerWith();
    const [first, second] = answer.publicKeys;
    for (const keys of [[mine, second!], [first!], [first!, second!, mine], [second!, first!], [first!, 'AAAA']]) {
      expect(await refusedAt(verify({ ...answer, publicKeys: keys }))).toBe('keys');
    }
    expect(await refusedAt(verify(answer))).toBe('accepted');
  });

  test('refuses genuine evidence beside a statement of another identity (M2)', async () => {
    const other = generateIdentityKeyPair();
    expect(await refusedAt(verify(answerWith({}, other)))).toBe('signature');
    const evidence = [createDevelopmentEvidence(other.publicKey)];
    expect(await refusedAt(verify({ ...answerWith(), evidence }))).toBe('signature');
  });

  test('refuses an answer to an older question (M3)', async () => {
    expect(await refusedAt(verify(answerWith({ nonce: toBase64Url(randomBytes(32)) })))).toBe('freshness');
    expect(await refusedAt(verify(answerWith(), { nonce: randomBytes(32) }))).toBe('freshness');
  });

  test('refuses the enclave of another model, and weights that the policy does not know (M4)', async () => {
    expect(await refusedAt(verify(answerWith(), { model: 'model-b' }))).toBe('model');
    expect(await refusedAt(verify(answerWith(), { model: 'model-a' }))).toBe('accepted');
    const digest = toBase64Url(randomBytes(32));
    const listed = (weightsDigests: string[] | null, model = 'model-a') => ({
      policy: { ...policy, models: [{ model, weightsDigests }] },
    });
    expect(await refusedAt(verify(answerWith(), listed(null)))).toBe('accepted');
    expect(await refusedAt(verify(answerWith(), listed(null, 'model-b')))).toBe('model');
    expect(await refusedAt(verify(answerWith(), listed([digest])))).toBe('model');
    expect(await refusedAt(verify(answerWith({ weightsDigest: digest }), listed([digest])))).toBe('accepted');
    expect(await refusedAt(verify(answerWith({ weightsDigest: toBase64Url(randomBytes(32)) }), listed([digest])))).toBe(
      'model',
    );
  });

  test('calls weights enforced only where it had something to compare them with', async () => {
    const digest = toBase64Url(randomBytes(32));
    const resultWith = async (models: unknown) => {
      const verdict = await verify(answerWith({ weightsDigest: digest }), { policy: { ...policy, models } });
      return verdict.steps.find(({ check }) => check === 'weights')?.result;
    };
    expect(await resultWith(null)).toBe('not-offered');
    expect(await resultWith([{ model: 'model-a', weightsDigests: null }])).toBe('not-offered');
    expect(await resultWith([{ model: 'model-a', weightsDigests: [digest] }])).toBe('enforced');
  });

  test.each([
    ['no policy', undefined],
    ['undefined kinds', { ...policy, allowedKinds: undefined }],
    ['an empty list of kinds', { ...policy, allowedKinds: [] }],
    ...Object.keys(policy).map((field): [string, unknown] => [`no ${field}`, without(field)]),
    ['an older format', { ...policy, format: 1 }],
    ['undefined models', { ...policy, models: undefined }],
    ['an empty list of models', { ...policy, models: [] }],
    ['models without digests', { ...policy, models: [{ model: 'model-a' }] }],
    ['a switch that turns checks off', { ...policy, allowUnverified: true }],
  ])('refuses with %s', async (_name, incomplete) => {
    expect(await refusedAt(verify(answerWith(), { policy: incomplete }))).toBe('policy');
    expect(await refusedAt(verify(answerWith()))).toBe('accepted');
  });

  test('refuses two pieces of evidence, since the sender would choose which counts', async () => {
    const evidence = [createDevelopmentEvidence(identity.publicKey), createDevelopmentEvidence(identity.publicKey)];
    expect(await refusedAt(verify({ ...answerWith(), evidence }))).toBe('evidence-kind');
    expect(await refusedAt(verify({ ...answerWith(), evidence: [] }))).toBe('evidence-kind');
    const devices = [{ architecture: 'HOPPER', report: 'AA', certificates: ['AA'] }] as const;
    const beside = [evidence[0]!, { kind: 'nvidia-gpu', devices }] as unknown as Answer['evidence'];
    expect(await refusedAt(verify({ ...answerWith(), evidence: beside }))).toBe('evidence-kind');
  });

  test('refuses what is not canonical base64url', async () => {
    const answer = answerWith();
    expect(await refusedAt(verify({ ...answer, statement: `${answer.statement}=` }))).toBe('signature');
    expect(await refusedAt(verify({ ...answer, signature: `${answer.signature.slice(0, -1)}B` }))).toBe('signature');
  });

  test('refuses keys that end before they begin', async () => {
    const keys = publicKeys.map((key) => ({ keyId: toBase64Url(keyIdOf(key)), notAfterMs: 1_795_000_000_000 }));
    expect(await refusedAt(verify(answerWith({ keys })))).toBe('keys');
  });
});
