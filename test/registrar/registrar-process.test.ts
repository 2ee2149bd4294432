import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../crypto/evidence/key-statement.ts';
import { verifyEnclave } from '../../crypto/evidence/verify-enclave.ts';
import type { ModalEvidence } from '../../crypto/protocol/messages/evidence-messages.ts';
import { randomBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { makeModalAttestation, modalPolicy } from '../parts/evidence/modal/modal-machine.ts';
import { TestRegistrar } from '../parts/evidence/modal/test-registrar.ts';

let registrar: TestRegistrar;
beforeAll(async () => {
  registrar = await TestRegistrar.start();
});
afterAll(() => registrar.stop());

const identity = generateIdentityKeyPair();
const nonce = randomBytes(32);

/** The client's verdict on what the registrar gave. */
async function judge(evidence: ModalEvidence) {
  const nowMs = Date.now();
  const answer = await makeModalAttestation({
    nonce,
    identity,
    evidence: () => [evidence],
    statement: { issuedAtMs: nowMs },
  });
  const policy = modalPolicy(registrar.policySection);
  return verifyEnclave({ attestation: answer, nonce, model: 'default', minimum: 'stated', policy, nowMs });
}

test('a container registers its key and renews it, and the client believes both statements', async () => {
  const first = await registrar.register(identity);
  expect(first).toMatchObject({ status: 200, body: { format: 1, evidence: { kind: 'modal', leafIndex: 0 } } });
  const verdict = await judge(first.body.evidence);
  expect(verdict.steps.map(({ check, result }) => `${check}: ${result}`)).toEqual([
    'policy: enforced',
    'evidence-kind: enforced',
    'signature: enforced',
    'freshness: enforced',
    'keys: enforced',
    'model: enforced',
    'weights: not-offered',
    'clock: enforced',
    'registrar: enforced',
    'identity: enforced',
    'statement-age: enforced',
    'deployment: enforced',
    'public-log: enforced',
    'hardware: not-offered',
    'minimum: enforced',
  ]);
  expect(verdict).toMatchObject({ refused: false, level: 'stated' });
  for (let count = 1; count < 4; count++) {
    const { status, body } = await registrar.renew(identity);
    expect([status, body.evidence.leafIndex]).toEqual([200, count]);
    expect(await judge(body.evidence)).toMatchObject({ refused: false });
  }
  // The log has grown since; the first proof is for the first checkpoint, and stays good until the statement is over.
  expect(await judge(first.body.evidence)).toMatchObject({ refused: false });
});

test('SIGTERM ends it in order, with exit code 0', async () => {
  const own = await TestRegistrar.start();
  await own.register();
  await own.stop();
  expect(own.printed).toContain('"event":"stopped"');
});
