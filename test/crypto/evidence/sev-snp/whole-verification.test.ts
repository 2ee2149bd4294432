import { beforeAll, describe, expect, test } from 'vitest';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { CollateralItem, EvidenceItem } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { sentenceOf } from '../../../parts/evidence/sentence-of.ts';
import { makeAmdMachine, type SnpFaults, usualGuestPolicy } from '../../../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import {
  type HardwareAttestation,
  hardwarePolicy,
  makeHardwareAttestation,
} from '../../../parts/evidence/hardware-attestation.ts';
import { mutate, seededNumbers } from '../../../parts/crypto/seeded-mutation.ts';

const machine = makeAmdMachine('Genoa');
const nonce = randomBytes(32);
const policy = hardwarePolicy({ measured: { sevSnp: [machine.measurement], tdx: [] }, sevSnp: machine.policy });
type AnswerChanges = Partial<Omit<Parameters<typeof makeHardwareAttestation>[0], 'machine'>>;
const answerWith = (faults: SnpFaults = {}, changes: AnswerChanges = {}) =>
  makeHardwareAttestation({ nonce, machine: (expected) => machine.makeEvidence({ expected, ...faults }), ...changes });
const verify = (answer: HardwareAttestation, changes: Partial<EnclavePolicy> = {}) =>
  verifyEnclave({
    attestation: answer,
    nonce,
    model: 'default',
    minimum: 'hardware',
    policy: { ...policy, ...changes },
    nowMs: testNowMs,
  });
const codeOf = async (answer: HardwareAttestation, changes: Partial<EnclavePolicy> = {}) => {
  const verdict = await verify(answer, changes);
  return verdict.refused ? verdict.code : 'accepted';
};

let whole: HardwareAttestation;
beforeAll(async () => {
  whole = await answerWith();
});
const withEvidence = (change: Partial<Extract<EvidenceItem, { kind: 'sev-snp' }>>): HardwareAttestation => {
  const [first] = whole.evidence;
  if (first?.kind !== 'sev-snp') throw new Error('no report');
  return { ...whole, evidence: [{ ...first, ...change }] };
};
const withCollateral = (...collateral: CollateralItem[]): HardwareAttestation => ({ ...whole, collateral });

/** Evidence that was made, stated and bound as much later than now; before now when negative. */
const madeAfter = (laterMs: number) =>
  answerWith(
    {},
    { statement: { issuedAtMs: testNowMs + laterMs }, binding: { notAfterMs: testNowMs + laterMs + 3_600_000 } },
  );
const dayMs = 86_400_000;

describe('the clock of an enclave', () => {
  test.each([30, 200, 400])('a leaked identity key does not make evidence of %i days ago good', async (days) => {
    expect(await codeOf(await madeAfter(-days * dayMs))).toBe('clock');
  });

  test('may lie as far from the client’s as the policy says, before it or after it', async () => {
    for (const laterMs of [-dayMs, -1, 0, dayMs]) expect(await codeOf(await madeAfter(laterMs))).toBe('accepted');
    for (const laterMs of [-dayMs - 1, dayMs + 1]) expect(await codeOf(await madeAfter(laterMs))).toBe('clock');
    expect(await codeOf(await madeAfter(-61_000), { maximumClockDifferenceMs: 60_000 })).toBe('clock');
    expect(await codeOf(await madeAfter(-60_000), { maximumClockDifferenceMs: 60_000 })).toBe('accepted');
  });
});

describe('verifyEnclave with SEV-SNP evidence', () => {
  test('says what the hardware shows, step by step', async () => {
    const verdict = await verify(whole);
    if (verdict.refused) throw new Error(verdict.code);
    expect(verdict.kind).toBe('sev-snp');
    expect(verdict.level).toBe('hardware');
    expect(verdict.measurement).toBe(machine.measurement);
    expect(verdict.release?.version).toBe('1.0.0-test');
    expect(sentenceOf(verdict)).toBe(
      'AMD hardware signed that measured software 1.0.0-test runs here, and 1.0.0-test is in the release list.',
    );
    expect(verdict.steps.map(({ check, result }) => `${result}: ${check}`)).toEqual([
      'enforced: policy',
      'enforced: evidence-kind',
      'enforced: signature',
      'enforced: freshness',
      'enforced: keys',
      'enforced: model',
      'not-offered: weights',
      'enforced: clock',
      'enforced: evidence-age',
      'enforced: snp-report',
      'enforced: snp-certificates',
      'not-offered: revocation-list',
      'enforced: snp-signature',
      'enforced: snp-chip',
      'enforced: snp-report-data',
      'enforced: snp-privilege',
      'enforced: snp-firmware',
      'enforced: snp-guest',
      'enforced: snp-memory',
      'enforced: measurement',
      'not-offered: gpu',
      'enforced: minimum',
    ]);
  });

  test.each(['Milan', 'Genoa', 'Turin'] as const)(
    'accepts a machine of %s, for its own measurement',
    async (product) => {
      const another = makeAmdMachine(product);
      const answer = await makeHardwareAttestation({
        nonce,
        machine: (expected) => another.makeEvidence({ expected }),
      });
      const { releases } = hardwarePolicy({ measured: { sevSnp: [another.measurement], tdx: [] } });
      expect(await codeOf(answer, { sevSnp: another.policy, releases })).toBe('accepted');
      expect(await codeOf(answer, { sevSnp: another.policy })).toBe('measurement');
    },
  );

  test('refuses a guest that may be debugged, and stops there', async () => {
    const verdict = await verify(await answerWith({ report: { guestPolicy: usualGuestPolicy | (1n << 19n) } }));
    expect(verdict).toMatchObject({ refused: true, code: 'debug' });
    expect(verdict.steps.at(-1)).toMatchObject({ check: 'snp-guest', result: 'failed' });
    expect(verdict.steps.filter(({ result }) => result === 'failed').length).toBe(1);
  });

  test('refuses evidence whose binding was changed: each member is signed by the processor', async () => {
    const other = toBase64Url(randomBytes(32));
    expect(await codeOf(withEvidence({ freshness: other }))).toBe('report-data');
    expect(await codeOf(withEvidence({ imageDigest: other }))).toBe('report-data');
    expect(await codeOf(withEvidence({ notAfterMs: testNowMs + 3_600_001 }))).toBe('report-data');
    // Another identity: its statement would have to be signed by it as well.
    expect(await codeOf(withEvidence({ identityPublicKey: other }))).toBe('signature');
    const theirs = await answerWith();
    expect(await codeOf({ ...theirs, evidence: whole.evidence })).toBe('signature');
    expect(await codeOf(whole)).toBe('accepted');
  });

  test("refuses an honest machine's report under the identity of another", async () => {
    const { evidence } = whole;
    const [first] = evidence;
    const [own] = (await answerWith()).evidence;
    if (first?.kind !== 'sev-snp' || own?.kind !== 'sev-snp') throw new Error('no report');
    const thief = await answerWith();
    const [stolen] = thief.evidence;
    if (stolen?.kind !== 'sev-snp') throw new Error('no report');
    expect(await codeOf({ ...thief, evidence: [{ ...stolen, report: first.report }] })).toBe('report-data');
  });

  test('refuses evidence that is over, holds for too long, or was not made for this nonce', async () => {
    const until = (notAfterMs: number) => answerWith({}, { binding: { notAfterMs } });
    expect(await codeOf(await until(testNowMs))).toBe('too-old');
    expect(await codeOf(await until(testNowMs + 7_200_001))).toBe('too-old');
    expect(await codeOf(await until(testNowMs + 7_200_000))).toBe('accepted');
    expect(await codeOf(whole, { requireNonceInReport: true })).toBe('nonce');
    const fresh = await answerWith({}, { binding: { freshness: nonce } });
    expect(await codeOf(fresh, { requireNonceInReport: true })).toBe('accepted');
  });

  test('refuses software that no release has, and the image of one release with the measurement of another', async () => {
    expect(await codeOf(await answerWith({ report: { measurement: new Uint8Array(48) } }))).toBe('measurement');
    const [release] = policy.releases;
    if (release === undefined) throw new Error('no release');
    const imageDigest = toBase64Url(randomBytes(32));
    expect(await codeOf(whole, { releases: [{ ...release, imageDigest }] })).toBe('measurement');
    const mixed = [
      { ...release, sevSnp: ['0'.repeat(96)] },
      { ...release, version: '2.0.0-test', imageDigest },
    ];
    expect(await codeOf(whole, { releases: mixed })).toBe('measurement');
    expect(await codeOf(whole, { releases: [] })).toBe('measurement');
    expect(await codeOf(whole, { releases: [...mixed, release] })).toBe('accepted');
  });

  test('wants its certificates once, and a policy for the kind', async () => {
    const [collateral] = whole.collateral ?? [];
    expect(await codeOf(withCollateral())).toBe('collateral-missing');
    expect(await codeOf(withCollateral(collateral!, collateral!))).toBe('collateral-missing');
    const { collateral: _gone, ...without } = whole;
    expect(await codeOf(without)).toBe('collateral-missing');
    expect(await codeOf(whole, { sevSnp: null })).toBe('kind-not-allowed');
    expect(await codeOf(whole, { allowedKinds: ['tdx'] })).toBe('kind-not-allowed');
    expect(await codeOf(whole, { minimum: 'hardware-gpu' })).toBe('below-minimum');
  });

  test('never accepts an answer of which a byte was changed', async () => {
    const next = seededNumbers(7);
    const [item] = whole.evidence;
    const [collateral] = whole.collateral ?? [];
    if (item?.kind !== 'sev-snp' || collateral?.kind !== 'sev-snp') throw new Error('no report');
    const seen = new Map<string, number>();
    for (let round = 0; round < 250; round++) {
      const place = (['report', 'vcek', 'ask', 'ark'] as const)[next(4)] ?? 'report';
      const before = place === 'report' ? item.report : collateral[place];
      const after = toBase64Url(mutate(Buffer.from(before, 'base64url'), next));
      if (after === before) continue;
      const answer: HardwareAttestation =
        place === 'report'
          ? { ...whole, evidence: [{ ...item, report: after }] }
          : { ...whole, collateral: [{ ...collateral, [place]: after }] };
      const code = await codeOf(answer);
      seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    expect(seen.has('accepted')).toBe(false);
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['malformed', 'chain', 'untrusted-root', 'signature']));
  });
});
