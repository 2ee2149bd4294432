import { beforeAll, describe, expect, test } from 'vitest';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { readTdxCollateralNeed } from '../../../../crypto/evidence/tdx/collateral-need.ts';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { sentenceOf } from '../../../parts/evidence/sentence-of.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import {
  type HardwareAttestation,
  hardwarePolicy,
  makeHardwareAttestation,
} from '../../../parts/evidence/hardware-attestation.ts';
import { type IntelChanges, makeIntelMachine } from '../../../parts/evidence/intel/intel-machine.ts';

const nonce = new Uint8Array(32).fill(3);
const machine = makeIntelMachine();
const policy = hardwarePolicy({
  measured: { sevSnp: [], tdx: [machine.tdxRelease] },
  tdx: { roots: [machine.rootDigest], tcbStatuses: ['UpToDate'], minimumTcbEvaluationDataNumber: 18 },
});
const answerWith = (changes: IntelChanges = {}, input: Partial<Parameters<typeof makeHardwareAttestation>[0]> = {}) =>
  makeHardwareAttestation({ nonce, machine: (expected) => machine.makeEvidence({ expected, ...changes }), ...input });

async function verify(answer: HardwareAttestation, changes: Partial<EnclavePolicy> = {}): Promise<string> {
  const verdict = await verdictOf(answer, changes);
  return verdict.refused ? `${verdict.code}: ${verdict.steps.at(-1)?.check}` : 'accepted';
}

function verdictOf(answer: HardwareAttestation, changes: Partial<EnclavePolicy> = {}) {
  return verifyEnclave({
    attestation: answer,
    nonce,
    model: 'default',
    minimum: 'hardware',
    policy: { ...policy, ...changes },
    nowMs: testNowMs,
  });
}

describe('an enclave on a TDX machine', () => {
  let answer: HardwareAttestation;
  beforeAll(async () => {
    answer = await answerWith();
  });

  test.each([
    ['version 4', {}],
    ['version 5', { version: 5 }],
  ])('is verified whole, quote of %s', async (_name, changes) => {
    const verdict = await verdictOf(await answerWith(changes));
    if (verdict.refused) throw new Error(verdict.code);
    expect(verdict.level).toBe('hardware');
    expect(verdict.measurement).toBe(machine.measurement);
    expect(verdict.release?.version).toBe('1.0.0-test');
    expect(sentenceOf(verdict)).toBe(
      'Intel hardware signed that measured software 1.0.0-test runs here, and 1.0.0-test is in the release list.',
    );
    expect(verdict.steps.map(({ check, result }) => [check, result])).toEqual([
      ['policy', 'enforced'],
      ['evidence-kind', 'enforced'],
      ['signature', 'enforced'],
      ['freshness', 'enforced'],
      ['keys', 'enforced'],
      ['model', 'enforced'],
      ['weights', 'not-offered'],
      ['clock', 'enforced'],
      ['evidence-age', 'enforced'],
      ['tdx-quote', 'enforced'],
      ['tdx-certificate', 'enforced'],
      ['tdx-signature', 'enforced'],
      ['tdx-report-data', 'enforced'],
      ['tdx-domain', 'enforced'],
      ['tdx-rating', 'enforced'],
      ['tdx-quoting-enclave', 'enforced'],
      ['tdx-module', 'enforced'],
      ['tdx-firmware', 'enforced'],
      ['measurement', 'enforced'],
      ['gpu', 'not-offered'],
      ['minimum', 'enforced'],
    ]);
  });

  test.each(['mrTd', 'rtMr0', 'rtMr1', 'rtMr2', 'rtMr3'])('is refused with another %s', async (register) => {
    const changed = await answerWith({ report: { [register]: 'ee'.repeat(48) } });
    expect(await verify(changed)).toBe('measurement: measurement');
    expect(await verify(answer)).toBe('accepted');
  });

  test('is refused with the registers of two releases mixed', async () => {
    const { mrTd, rtMrs } = machine.tdxRelease;
    const [first, second, third, fourth] = rtMrs;
    const releases = (tdx: EnclavePolicy['releases'][number]['tdx']) => ({
      releases: [{ ...policy.releases[0]!, tdx }],
    });
    const other = 'ee'.repeat(48);
    const mixed = [
      { mrTd, rtMrs: [other, second!, third!, fourth!] },
      { mrTd: other, rtMrs },
      { mrTd, rtMrs: [second!, first!, third!, fourth!] },
    ];
    expect(await verify(answer, releases(mixed))).toBe('measurement: measurement');
    expect(await verify(answer, releases([...mixed, { mrTd, rtMrs }]))).toBe('accepted');
  });

  test('is refused for what is wrong around the quote', async () => {
    const [evidence] = answer.evidence;
    if (evidence?.kind !== 'tdx') throw new Error('not a TDX answer');
    const withEvidence = (changes: object): HardwareAttestation => ({
      ...answer,
      evidence: [{ ...evidence, ...changes }],
    });
    const other = toBase64Url(new Uint8Array(32).fill(9));
    const { collateral = [] } = answer;
    expect(await verify(withEvidence({ freshness: other }))).toBe('report-data: tdx-report-data');
    expect(await verify(withEvidence({ imageDigest: other }))).toBe('report-data: tdx-report-data');
    expect(await verify(withEvidence({ notAfterMs: evidence.notAfterMs + 1 }))).toBe('report-data: tdx-report-data');
    expect(await verify(withEvidence({ notAfterMs: testNowMs }))).toBe('too-old: evidence-age');
    expect(await verify({ ...answer, collateral: [] })).toBe('collateral-missing: collateral');
    expect(await verify({ ...answer, collateral: [...collateral, ...collateral] })).toBe(
      'collateral-missing: collateral',
    );
    expect(await verify(answer, { tdx: null })).toBe('kind-not-allowed: tdx');
    expect(await verify(answer, { allowedKinds: ['sev-snp'] })).toBe('kind-not-allowed: evidence-kind');
    expect(await verify(answer, { requireNonceInReport: true })).toBe('nonce: evidence-age');
    expect(await verify(answer, { tdx: { ...policy.tdx!, roots: null } })).toBe('untrusted-root: tdx-certificate');
    expect(await verify(answer)).toBe('accepted');
  });

  test('is accepted where the report must be made for this very nonce, and is', async () => {
    const fresh = await answerWith({}, { binding: { freshness: nonce } });
    expect(await verify(fresh, { requireNonceInReport: true })).toBe('accepted');
  });

  test('fails at the fault, with nothing behind it called checked', async () => {
    const verdict = await verdictOf(await answerWith({ report: { tdAttributes: '0100001000000000' } }));
    expect(verdict.refused && verdict.code).toBe('debug');
    expect(verdict.steps.filter(({ result }) => result === 'failed')).toEqual([verdict.steps.at(-1)]);
    expect(verdict.steps.at(-2)?.check).toBe('tdx-report-data');
  });
});

describe('readTdxCollateralNeed', () => {
  test.each(['platform', 'processor'] as const)('names family and authority: %s', (ca) => {
    const machines = makeIntelMachine({ ca, fmspc: 'b0c06f000000' });
    const { quote } = machines.makeEvidence({ expected: new Uint8Array(64) }).evidence;
    expect(readTdxCollateralNeed(Uint8Array.from(Buffer.from(quote, 'base64url')))).toEqual(machines.need);
    expect(machines.need).toEqual({ kind: 'tdx', fmspc: 'b0c06f000000', ca });
  });

  test('refuses what it cannot read', () => {
    const read = (changes: IntelChanges) => {
      const { quote } = machine.makeEvidence({ expected: new Uint8Array(64), ...changes }).evidence;
      return () => readTdxCollateralNeed(Uint8Array.from(Buffer.from(quote, 'base64url')));
    };
    expect(read({ version: 3 })).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(read({ pckChain: 'no certificates' })).toThrow(expect.objectContaining({ code: 'malformed' }));
    expect(read({ certificates: { authority: { subject: 'Some CA' } } })).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
    expect(read({})).not.toThrow();
  });
});
