import { describe, expect, test } from 'vitest';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { EnclaveRequest } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import { fromBase64Url, randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Clock } from '../../../../client/vault/surroundings/clock.ts';
import { RelayCallError } from '../../../../client/vault/relay/http/relay-call-error.ts';
import { EnclaveSession } from '../../../../client/vault/enclave/enclave-session.ts';
import { makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import { hardwarePolicy, makeHardwareAttestation } from '../../../parts/evidence/hardware-attestation.ts';

let passedMs = 0;
const clock: Clock = { wallMs: () => testNowMs, monotonicMs: () => passedMs, after: () => () => undefined };
const chip = makeAmdMachine();
const policy = hardwarePolicy({ measured: { sevSnp: [chip.measurement], tdx: [] }, sevSnp: chip.policy });
const status = { state: 'ready', reason: 'server-given', next: null } as const;

const answerTo = async (nonce: Uint8Array, freshness?: Uint8Array) => ({
  ...(await makeHardwareAttestation({
    nonce,
    machine: (expected) => chip.makeEvidence({ expected }),
    ...(freshness === undefined ? {} : { binding: { freshness: new Uint8Array(freshness) } }),
  })),
  status,
  enclaveId: 'first',
});

/** A session whose relay answers every question with evidence that hardware signed for it. */
function openSession(given: EnclavePolicy, refuses: (question: EnclaveRequest) => boolean = () => false) {
  const questions: EnclaveRequest[] = [];
  const answered = Promise.withResolvers<void>();
  const client = {
    askEnclave: async (question: EnclaveRequest) => {
      questions.push(question);
      if (refuses(question)) throw new RelayCallError('bad-request');
      const nonce = fromBase64Url(question.nonce);
      const answer = await answerTo(nonce, nonce);
      setImmediate(answered.resolve);
      return answer;
    },
  };
  const dependencies = { client, clock, policy: given, onView: () => undefined };
  return { session: new EnclaveSession(dependencies), questions, answered };
}

describe('the choice that comes with enclave-changed', () => {
  test('is judged as it is, where the policy does not ask for the nonce in the report', async () => {
    const { session, questions } = openSession(policy);
    const nonce = randomBytes(32);
    expect((await session.adopt(await answerTo(nonce), nonce, 'hardware')).enclaveId).toBe('first');
    expect(questions).toEqual([]);
  });

  test('is not taken where the policy asks for it: hardware is asked anew, for a nonce of this client', async () => {
    const { session, questions } = openSession({ ...policy, requireNonceInReport: true });
    const nonce = randomBytes(32);
    expect((await session.adopt(await answerTo(nonce), nonce, 'hardware')).enclaveId).toBe('first');
    expect(questions).toMatchObject([{ freshEvidence: true }]);
  });
});

describe('the wish for a statement of format 2', () => {
  test('goes to a relay with each question', async () => {
    const { session, questions } = openSession(policy);
    await session.ask();
    await session.ask();
    expect(questions).toMatchObject([{ statement: 2 }, { statement: 2 }]);
  });

  test('goes once to a relay that does not know it, which is asked without for some time', async () => {
    const { session, questions } = openSession(policy, ({ statement }) => statement !== undefined);
    expect((await session.current('hardware')).accepts).toBeNull();
    await session.ask();
    const asked = questions.map(({ statement }) => statement);
    expect(asked).toEqual([2, undefined, undefined]);
    expect(questions[1]?.nonce).toBe(questions[0]?.nonce);
  });

  test('goes again after an hour: the relay may be a newer one by now', async () => {
    let isOlder = true;
    const { session, questions } = openSession(policy, ({ statement }) => isOlder && statement !== undefined);
    await session.ask();
    isOlder = false;
    passedMs += 3_599_999;
    await session.ask();
    passedMs += 1;
    await session.ask();
    expect(questions.map(({ statement }) => statement)).toEqual([2, undefined, undefined, 2]);
  });

  test('EnclaveSession: a relay that also refuses the question without the wish is asked no third time', async () => {
    const { session, questions } = openSession(policy, () => true);
    await expect(session.ask()).rejects.toThrow('bad-request');
    expect(questions).toHaveLength(2);
  });
});

test('a choice that was judged for longer than a newer one is not shown', async () => {
  const { session, answered } = openSession(policy);
  const stale = await answerTo(randomBytes(32));
  const older = session.ask();
  await answered.promise;
  // The older one waits for its signatures by now, and this one is refused before any is looked at.
  await expect(session.adopt(stale, randomBytes(32), 'any')).rejects.toThrow('evidence-refused');
  await older;
  expect(session.view).toMatchObject({ kind: 'refused', code: 'nonce' });
});
