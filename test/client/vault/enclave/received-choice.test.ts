import { describe, expect, test } from 'vitest';
import { recheckDocument } from '../../../../audit/document/recheck-document.ts';
import { joinEvidenceDigests } from '../../../../crypto/evidence/evidence-digest.ts';
import { isSameProtection } from '../../../../crypto/evidence/second-enclave.ts';
import { parseVerificationDocument } from '../../../../crypto/evidence/verification-document.ts';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { EnclaveChoice } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { Clock } from '../../../../client/vault/surroundings/clock.ts';
import { ReceivedChoice } from '../../../../client/vault/enclave/received-choice.ts';
import { isSameAsShown, readVerified } from '../../../../client/vault/enclave/verified-enclave.ts';
import { type AmdMachine, makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import { hardwarePolicy, makeHardwareAttestation } from '../../../parts/evidence/hardware-attestation.ts';

const clock: Clock = { wallMs: () => testNowMs, monotonicMs: () => 0, after: () => () => undefined };
const nonce = randomBytes(32);
const chip = makeAmdMachine();
const policy = hardwarePolicy({ measured: { sevSnp: [chip.measurement], tdx: [] }, sevSnp: chip.policy });
const status = { state: 'ready', reason: 'server-given', next: null } as const;

type Statement = NonNullable<Parameters<typeof makeHardwareAttestation>[0]['statement']>;

async function attestationOf(enclaveId: string, statement: Statement = {}, machine: AmdMachine = chip) {
  const choice = await makeHardwareAttestation({
    nonce,
    machine: (expected) => machine.makeEvidence({ expected }),
    statement,
  });
  return { ...choice, status, enclaveId };
}

async function judgeBoth(second: Awaited<ReturnType<typeof attestationOf>>, given: unknown = policy) {
  const choice: EnclaveChoice = { ...(await attestationOf('first')), alternate: second };
  const received = new ReceivedChoice(choice, nonce, { clock, policy: given });
  return { received, judgement: await received.judge('hardware') };
}

describe('two recipients', () => {
  test('a second enclave that proves the same is sealed to as well, and both stand in one document', async () => {
    const { received, judgement } = await judgeBoth(await attestationOf('second', { issuedAtMs: testNowMs - 60_000 }));
    const verified = readVerified(received, judgement, clock);
    const [first, second] = [judgement.verdict, judgement.alternate?.verdict];
    if (first.refused || second === undefined || verified === null) throw new Error('refused');
    expect([verified.enclaveId, verified.alternateEnclaveId]).toEqual(['first', 'second']);
    expect(verified.publicKeys).toEqual([first.publicKeys[0]?.publicKey, second.publicKeys[0]?.publicKey]);
    expect(verified.evidenceDigest).toEqual(joinEvidenceDigests(first.evidenceDigest, second.evidenceDigest));
    // The clock that runs behind decides when both still take it.
    expect(verified.expiresAtMs()).toBe(testNowMs - 60_000 + 300_000);
    const document = parseVerificationDocument(verified.verification?.content.document ?? '');
    expect(document.enclaves).toHaveLength(2);
    expect(await recheckDocument(document, policy)).toMatchObject({ holds: true, isSamePolicy: true });
  });

  test.each([
    ['of another model', () => attestationOf('second', { model: 'model-b' })],
    ['of another engine', () => attestationOf('second', { engine: 'gguf' })],
    ['with other weights', () => attestationOf('second', { weightsDigest: 'A'.repeat(43) })],
    ['that is refused: a nonce of its own', () => attestationOf('second', { nonce: 'A'.repeat(43) })],
    ['on a machine that nobody listed', () => attestationOf('second', {}, makeAmdMachine())],
    ['that is the first once more', () => attestationOf('first')],
  ])('one %s is left out, and the first stands alone', async (_name, make) => {
    const { received, judgement } = await judgeBoth(await make());
    expect(judgement.alternate).toBeNull();
    const verified = readVerified(received, judgement, clock);
    expect(verified?.publicKeys).toHaveLength(1);
    expect(verified?.alternateEnclaveId).toBeNull();
  });

  test('both are fresh no longer than the key that ends first', async () => {
    const { received, judgement } = await judgeBoth(await attestationOf('second'));
    const { verdict, alternate } = judgement;
    const [key] = alternate?.verdict.publicKeys ?? [];
    if (verdict.refused || alternate === null || key === undefined) throw new Error('refused');
    const notAfterMs = verdict.statement.issuedAtMs + 5 * 60_000;
    const publicKeys = [{ ...key, notAfterMs }];
    const short = { ...alternate, verdict: { ...alternate.verdict, publicKeys } };
    expect(readVerified(received, judgement, clock)?.isFresh()).toBe(true);
    expect(readVerified(received, { ...judgement, alternate: short }, clock)?.isFresh()).toBe(false);
  });

  test('one machine under two names is one machine', async () => {
    const first = await attestationOf('first');
    const received = new ReceivedChoice({ ...first, alternate: { ...first, enclaveId: 'second' } }, nonce, {
      clock,
      policy,
    });
    const judgement = await received.judge('hardware');
    expect(judgement.verdict.refused).toBe(false);
    expect(judgement.alternate).toBeNull();
  });

  test('a second one does not make up for a first that is refused', async () => {
    const choice: EnclaveChoice = {
      ...(await attestationOf('first', { nonce: 'A'.repeat(43) })),
      alternate: await attestationOf('second'),
    };
    const received = new ReceivedChoice(choice, nonce, { clock, policy });
    const judgement = await received.judge('any');
    expect(judgement.verdict).toMatchObject({ refused: true, code: 'nonce' });
    expect(readVerified(received, judgement, clock)).toBeNull();
  });
});

describe('judging one choice', () => {
  test('by each minimum: what is refused for the minimum alone says what it offers', async () => {
    const received = new ReceivedChoice(await attestationOf('first'), nonce, { clock, policy });
    expect((await received.judge('hardware')).verdict.refused).toBe(false);
    const above = await received.judge('hardware-gpu');
    expect(above.verdict).toMatchObject({ refused: true, code: 'below-minimum' });
    expect(above.withoutMinimum).toMatchObject({ level: 'hardware' });
    expect(await received.judge('hardware-gpu')).toBe(above);
  });

  test('an automatic retry goes nowhere else: level, measurement and release count', async () => {
    const received = new ReceivedChoice(await attestationOf('first'), nonce, { clock, policy });
    const verified = readVerified(received, await received.judge('any'), clock);
    if (verified === null) throw new Error('refused');
    const { shown } = verified;
    expect(isSameAsShown(verified, shown)).toBe(true);
    for (const change of [
      { level: 'hardware-gpu' as const },
      { measurement: '00'.repeat(48) },
      { release: '2.0.0' },
      { kind: 'tdx' as const },
      { model: 'model-b' },
      { engine: 'rehearsal' },
      { weightsDigest: 'A'.repeat(43) },
    ]) {
      expect(isSameAsShown(verified, { ...shown, ...change })).toBe(false);
    }
    expect(isSameAsShown(verified, { ...shown, level: null, measurement: null, release: null })).toBe(false);
  });

  test('is fresh for ten minutes, and never longer than the key that it would seal to', async () => {
    let nowMs = 0;
    const moving: Clock = { ...clock, monotonicMs: () => nowMs };
    const received = new ReceivedChoice(await attestationOf('first'), nonce, { clock: moving, policy });
    const judgement = await received.judge('any');
    if (judgement.verdict.refused) throw new Error('refused');
    const verified = readVerified(received, judgement, moving);
    const freshAt = (ms: number, given = verified) => {
      nowMs = ms;
      return given?.isFresh();
    };
    expect([freshAt(0), freshAt(10 * 60_000 - 1), freshAt(10 * 60_000)]).toEqual([true, true, false]);
    // A request that is sealed now may be opened until five minutes from now: its key has to live as long.
    const { statement, publicKeys } = judgement.verdict;
    const [key] = publicKeys;
    if (key === undefined) throw new Error('no key');
    const notAfterMs = statement.issuedAtMs + 5 * 60_000 + 1_000;
    const verdict = { ...judgement.verdict, publicKeys: [{ ...key, notAfterMs }] };
    const short = readVerified(received, { ...judgement, verdict }, moving);
    expect([freshAt(999, short), freshAt(1_000, short)]).toEqual([true, false]);
  });

  test('two machines of one measurement are the same to a person, two releases, levels or kinds are not', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async (id) => new ReceivedChoice(await attestationOf(id), nonce, { clock, policy }).judge('any')),
    );
    if (a?.verdict.refused !== false || b?.verdict.refused !== false) throw new Error('refused');
    expect(isSameProtection(a.verdict, b.verdict)).toBe(true);
    const release = a.verdict.release === null ? null : { ...a.verdict.release, version: '9' };
    expect(isSameProtection(a.verdict, { ...b.verdict, release })).toBe(false);
    const others = [{ level: 'hardware-gpu' }, { measurement: '00'.repeat(48) }, { kind: 'tdx' as const }] as const;
    for (const other of others) expect(isSameProtection(a.verdict, { ...b.verdict, ...other })).toBe(false);
  });
});
