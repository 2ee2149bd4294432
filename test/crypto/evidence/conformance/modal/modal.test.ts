import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../../../crypto/evidence/key-statement.ts';
import { verifyEnclave } from '../../../../../crypto/evidence/verify-enclave.ts';
import { sentenceOf } from '../../../../parts/evidence/sentence-of.ts';
import { testNowMs } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { makeModalAttestation, type ModalFaults, modalPolicy } from '../../../../parts/evidence/modal/modal-machine.ts';
import {
  askModal,
  change,
  flip,
  machine,
  neighbour,
  type Question,
  refuses,
} from '../../../../parts/evidence/modal/modal-question.ts';

/** One fault each, beside evidence of the same registrar that is accepted (SPEC.md §9.6); those of the log are in modal-log.test.ts. */
const nonce = new Uint8Array(randomBytes(32));
const minuteMs = 60_000;
const bytes = (text: string) => Buffer.from(text, 'base64url');

describe('accepts', () => {
  test('a statement in the log, and says what it is worth', async () => {
    const evidence = (identityPublicKey: Uint8Array) => [machine.makeEvidence({ identityPublicKey })];
    const answer = await makeModalAttestation({ nonce, evidence });
    const policy = modalPolicy(machine.policy);
    const verdict = await verifyEnclave({
      attestation: answer,
      nonce,
      model: 'default',
      minimum: 'stated',
      policy,
      nowMs: testNowMs,
    });
    if (verdict.refused) throw new Error(verdict.code);
    expect(verdict).toMatchObject({ kind: 'modal', level: 'stated', measurement: null, release: null });
    expect(sentenceOf(verdict)).toBe(
      'The operator of this service states that the model runs on Modal. The operator and Modal could read your messages.',
    );
    expect(verdict.steps.filter(({ result }) => result === 'not-offered').map(({ check }) => check)).toEqual([
      'weights',
      'hardware',
    ]);
    // It never reaches what hardware would.
    const asked = { attestation: answer, nonce, model: 'default', policy, nowMs: testNowMs };
    expect(await verifyEnclave({ ...asked, minimum: 'hardware' })).toMatchObject({ code: 'below-minimum' });
  });

  const accepted: readonly [name: string, faults: ModalFaults, question?: Question][] = [
    [
      'a client whose clock is five minutes behind',
      { statement: { issuedAtMs: testNowMs } },
      { nowMs: testNowMs - 5 * minuteMs },
    ],
    ['a client whose clock is five minutes ahead', {}, { nowMs: testNowMs + 55 * minuteMs }],
    [
      'an enclave whose clock is five minutes behind',
      { statement: { issuedAtMs: testNowMs } },
      { keyStatement: { issuedAtMs: testNowMs - 5 * minuteMs } },
    ],
  ];
  test.each(accepted)('%s', async (_name, faults, question) => {
    expect(await askModal(faults, question)).toBe('accepted');
  });
});

describe('the statement', () => {
  refuses([
    ['one of another registrar', 'signature', { statementSigner: neighbour.statementKey }],
    ["one that the log's key signed", 'signature', { statementSigner: machine.logKey }],
    ['one that the enclave signed itself', 'signature', { statementLabel: 'sotto/v1/key-statement' }],
    ['a signature for another purpose', 'signature', { statementLabel: 'sotto/v1/registrar-possession' }],
    [
      'a changed first byte of the signature',
      'signature',
      { afterwards: change('signature', (text) => flip(text, 0)) },
    ],
    [
      'a changed last byte of the signature',
      'signature',
      { afterwards: change('signature', (text) => flip(text, 63)) },
    ],
    [
      'a signature of zeros',
      'signature',
      { afterwards: change('signature', () => Buffer.alloc(64).toString('base64url')) },
    ],
    [
      'a signature that is cut',
      'schema',
      { afterwards: change('signature', (text) => bytes(text).subarray(0, 63).toString('base64url')) },
    ],
    ['a changed byte of the statement', 'signature', { afterwards: change('statement', (text) => flip(text, 40)) }],
    [
      'a statement that is cut',
      'signature',
      { afterwards: change('statement', (text) => bytes(text).subarray(0, -1).toString('base64url')) },
    ],
    [
      'a byte behind the statement',
      'signature',
      { afterwards: change('statement', (text) => Buffer.concat([bytes(text), Buffer.of(32)]).toString('base64url')) },
    ],
    ['an empty statement', 'schema', { afterwards: () => ({ statement: '' }) }],
    [
      'a statement that is no canonical base64url',
      'malformed',
      {
        statementText: (text) => text.replace('abcd', 'abc'),
        afterwards: change('statement', (text) => `${text.slice(0, -1)}_`),
      },
    ],
    ['a blank behind it that was signed', 'malformed', { statementText: (text) => `${text} ` }],
    ['a blank before it that was signed', 'malformed', { statementText: (text) => ` ${text}` }],
    [
      'a duplicate member that was signed',
      'malformed',
      { statementText: (text) => text.replace('{', '{"appId":"ap-other",') },
    ],
    [
      'members in another order',
      'malformed',
      { statementText: (text) => text.replace(/"appId":"[^"]*",(.*)}/, '$1,"appId":"ap-12345abcd"}') },
    ],
    ['a number in other words', 'malformed', { statementText: (text) => text.replace('"format":1', '"format":1.0') }],
    ['a member too many', 'malformed', { statement: { extra: 1 } }],
    ['a member too few', 'malformed', { statement: { containerId: undefined } }],
    ['another format', 'malformed', { statement: { format: 2 } }],
    ['another platform', 'malformed', { statement: { platform: 'development' } }],
    ['an identity that is no key', 'malformed', { statement: { identityPublicKey: 'AAAA' } }],
    ['an id with a blank', 'malformed', { statement: { containerId: 'ta 1' } }],
    ['an id of 129 characters', 'malformed', { statement: { containerId: 'a'.repeat(129) } }],
    ['a time with a fraction', 'malformed', { statement: { notAfterMs: testNowMs + 0.5 } }],
    ['a time as text', 'malformed', { statement: { notAfterMs: String(testNowMs) } }],
    ['null in place of a time', 'malformed', { statement: { issuedAtMs: null } }],
    ['an id beyond ASCII', 'malformed', { statement: { containerId: 'ta-\u00e9' } }],
  ]);
});

describe('whom it is about', () => {
  const other = Buffer.from(generateIdentityKeyPair().publicKey).toString('base64url');
  refuses([
    ['a statement about another enclave', 'identity-mismatch', { statement: { identityPublicKey: other } }],
    [
      'a piece that names another enclave than signed',
      'signature',
      { afterwards: () => ({ identityPublicKey: other }) },
    ],
    ['a changed identity key', 'signature', { afterwards: change('identityPublicKey', (text) => flip(text, 9)) }],
    ['another workspace', 'wrong-deployment', { statement: { workspaceId: 'ac-other' } }],
    ['another environment', 'wrong-deployment', { statement: { environmentId: 'en-other' } }],
    ['another app', 'wrong-deployment', { statement: { appId: 'ap-other' } }],
    ['another function', 'wrong-deployment', { statement: { functionId: 'fu-other' } }],
    ['an id with something behind it', 'wrong-deployment', { statement: { functionId: 'fu-12345abcd2' } }],
    ['an id in capitals', 'wrong-deployment', { statement: { workspaceId: 'AC-12345ABCD' } }],
    [
      'app and function changed about',
      'wrong-deployment',
      { statement: { appId: 'fu-12345abcd', functionId: 'ap-12345abcd' } },
    ],
    ['a policy for another workspace', 'wrong-deployment', {}, { section: { workspaceId: 'ac-other' } }],
    [
      'a policy with another registrar',
      'signature',
      {},
      { section: { registrarPublicKey: neighbour.policy.registrarPublicKey } },
    ],
    ['a policy without a registrar', 'kind-not-allowed', {}, { policy: { modal: null } }],
    ['a policy that does not list the kind', 'kind-not-allowed', {}, { policy: { allowedKinds: ['sev-snp'] } }],
    ['a policy that asks for hardware', 'below-minimum', {}, { policy: { minimum: 'hardware' } }],
  ]);
});

describe('when it holds', () => {
  const hour = { issuedAtMs: testNowMs, notAfterMs: testNowMs + 60 * minuteMs };
  refuses(
    [
      ['a life of a millisecond too many', 'too-old', { statement: { ...hour, notAfterMs: hour.notAfterMs + 1 } }],
      [
        'a life that is longer than the policy takes',
        'too-old',
        { statement: hour },
        { policy: { maximumEvidenceAgeMs: 60 * minuteMs - 1 } },
      ],
      ['a life of nothing', 'too-old', { statement: { ...hour, notAfterMs: hour.issuedAtMs } }],
      ['an end before its beginning', 'too-old', { statement: { ...hour, notAfterMs: hour.issuedAtMs - 1 } }],
      [
        "one that is over by the client's clock",
        'too-old',
        { statement: hour },
        { nowMs: hour.notAfterMs + 5 * minuteMs + 1 },
      ],
      [
        "one that is over by the enclave's clock",
        'too-old',
        { statement: hour },
        { keyStatement: { issuedAtMs: hour.notAfterMs + 5 * minuteMs + 1 } },
      ],
      [
        "one of the client's future",
        'not-yet-valid',
        { statement: hour },
        { nowMs: hour.issuedAtMs - 5 * minuteMs - 1 },
      ],
      [
        "one of the enclave's future",
        'not-yet-valid',
        { statement: hour },
        { keyStatement: { issuedAtMs: hour.issuedAtMs - 5 * minuteMs - 1 } },
      ],
      [
        "an enclave's clock that is further from the client's than the policy takes",
        'clock',
        { statement: hour },
        { keyStatement: { issuedAtMs: testNowMs - minuteMs - 1 }, policy: { maximumClockDifferenceMs: minuteMs } },
      ],
    ],
    { statement: hour },
  );
});

describe('the list', () => {
  const { policy } = machine;
  const nowMs = testNowMs;
  const asked = async (evidence: Parameters<typeof makeModalAttestation>[0]['evidence']) => {
    const answer = await makeModalAttestation({ nonce, evidence });
    const verdict = await verifyEnclave({
      attestation: answer,
      nonce,
      model: 'default',
      minimum: 'any',
      policy: modalPolicy(policy),
      nowMs,
    });
    return verdict.refused ? verdict.code : 'accepted';
  };
  test('refuses a second piece beside it, and accepts it alone', async () => {
    const mine = (identityPublicKey: Uint8Array) => machine.makeEvidence({ identityPublicKey });
    expect(await asked((key) => [mine(key), mine(key)])).toBe('malformed');
    const gpu = {
      kind: 'nvidia-gpu' as const,
      devices: [{ architecture: 'HOPPER' as const, report: 'AAAA', certificates: ['AAAA'] }],
    };
    expect(await asked((key) => [mine(key), gpu])).toBe('malformed');
    expect(await asked((key) => [mine(key)])).toBe('accepted');
  });

  test("refuses a neighbour's evidence for our policy, and accepts it for theirs", async () => {
    const evidence = (identityPublicKey: Uint8Array) => [neighbour.makeEvidence({ identityPublicKey })];
    expect(await asked(evidence)).toBe('signature');
    const answer = await makeModalAttestation({ nonce, evidence });
    const theirs = modalPolicy(neighbour.policy);
    expect(
      await verifyEnclave({ attestation: answer, nonce, model: 'default', minimum: 'any', policy: theirs, nowMs }),
    ).toMatchObject({ refused: false });
  });
});
