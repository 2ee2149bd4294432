import { describe, expect, test } from 'vitest';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { EnclaveRequest } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import { fromBase64Url, randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Clock } from '../../../../client/vault/surroundings/clock.ts';
import { EnclaveSession } from '../../../../client/vault/enclave/enclave-session.ts';
import { makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import { hardwarePolicy, makeHardwareAnswer } from '../../../parts/evidence/hardware-answer.ts';

const clock: Clock = { wallMs: () => testNowMs, monotonicMs: () => 0, after: () => () => undefined };
const chip = makeAmdMachine();
const policy = hardwarePolicy({ measured: { sevSnp: [chip.measurement], tdx: [] }, sevSnp: chip.policy });
const status = { state: 'ready', reason: 'server-given', next: null } as const;

const answerTo = async (nonce: Uint8Array, freshness?: Uint8Array) => ({
  ...(await makeHardwareAnswer({
    nonce,
    machine: (expected) => chip.makeEvidence({ expected }),
    ...(freshness === undefined ? {} : { binding: { freshness: new Uint8Array(freshness) } }),
  })),
  status,
  enclaveId: 'first',
});

/** A session whose relay answers every question with evidence that hardware signed for it. */
function openSession(given: EnclavePolicy) {
  const questions: EnclaveRequest[] = [];
  const answered = Promise.withResolvers<void>();
  const client = {
    askEnclave: async (question: EnclaveRequest) => {
      questions.push(question);
      const nonce = fromBase64Url(question.nonce);
      const answer = await answerTo(nonce, nonce);
      setImmediate(answered.resolve);
      return answer;
    },
  };
  const parts = { client, clock, random: () => 0, policy: given, onView: () => undefined };
  return { session: new EnclaveSession(parts), questions, answered };
}

describe('what comes with enclave-changed', () => {
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

test('an offer that was judged for longer than a newer one is not shown', async () => {
  const { session, answered } = openSession(policy);
  const stale = await answerTo(randomBytes(32));
  const older = session.ask();
  await answered.promise;
  // The older one waits for its signatures by now, and this one is refused before any is looked at.
  await expect(session.adopt(stale, randomBytes(32), 'any')).rejects.toThrow('evidence-refused');
  await older;
  expect(session.view).toMatchObject({ kind: 'refused', code: 'nonce' });
});
