import { describe, expect, test } from 'vitest';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import type { ProtectionLevel } from '../../../../crypto/protocol/protection-level.ts';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { sentenceOf } from '../../../parts/evidence/sentence-of.ts';
import { makeAmdMachine } from '../../../parts/evidence/amd/amd-machine.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import {
  type HardwareAttestation,
  hardwarePolicy,
  makeHardwareAttestation,
} from '../../../parts/evidence/hardware-attestation.ts';
import { makeNvidiaMachine, type NvidiaFaults, sha384Of } from '../../../parts/evidence/nvidia/nvidia-machine.ts';

const nonce = randomBytes(32);
const cpu = makeAmdMachine('Genoa');
const gpu = makeNvidiaMachine({ gpus: 2 });
const policy: EnclavePolicy = hardwarePolicy({
  measured: { sevSnp: [cpu.measurement], tdx: [] },
  sevSnp: cpu.policy,
  nvidiaGpu: gpu.policy,
});

const answer = (faults: NvidiaFaults = {}) =>
  makeHardwareAttestation({
    nonce,
    machine: (expected) => cpu.makeEvidence({ expected }),
    devices: (expected) => gpu.makeEvidence({ expected, ...faults }),
  });

async function outcome(
  given: HardwareAttestation,
  changes: { policy?: Partial<EnclavePolicy>; minimum?: ProtectionLevel } = {},
): Promise<string> {
  const verdict = await verifyEnclave({
    attestation: given,
    nonce,
    model: 'default',
    minimum: changes.minimum ?? 'hardware-gpu',
    policy: { ...policy, ...changes.policy },
    nowMs: testNowMs,
  });
  return verdict.refused ? verdict.code : verdict.level;
}

describe('verifyEnclave with GPUs', () => {
  test('vouches for the machine and its GPUs, step by step', async () => {
    const verdict = await verifyEnclave({
      attestation: await answer(),
      nonce,
      model: 'default',
      minimum: 'hardware-gpu',
      policy,
      nowMs: testNowMs,
    });
    expect(verdict).toMatchObject({ refused: false, level: 'hardware-gpu', measurement: cpu.measurement });
    expect(sentenceOf(verdict)).toContain('the GPU is genuine, in confidential mode');
    const names = verdict.steps
      .filter(({ check }) => check.startsWith('gpu'))
      .map(({ check, result }) => [check, result]);
    expect(names).toEqual([
      ['gpu-evidence', 'enforced'],
      ['gpu-nonce', 'enforced'],
      ['gpu-certificates', 'enforced'],
      ['gpu-signature', 'enforced'],
      ['gpu-firmware', 'enforced'],
      ['gpu-driver', 'enforced'],
      ['gpu-mode', 'enforced'],
      ['gpu-reference-values', 'enforced'],
      ['gpu-measurements', 'enforced'],
      ['gpu-revocation', 'not-offered'],
    ]);
  });

  test('refuses GPUs of another answer, since the processor did not sign for them', async () => {
    const [own, others] = [await answer(), await answer()];
    expect(await outcome(own)).toBe('hardware-gpu');
    expect(await outcome({ ...own, evidence: [own.evidence[0]!, others.evidence[1]!] })).toBe('report-data');
  });

  test('refuses an answer from which the GPUs were left out', async () => {
    const own = await answer();
    expect(await outcome({ ...own, evidence: own.evidence.slice(0, 1) }, { minimum: 'any' })).toBe('report-data');
  });

  test('refuses the GPUs of a machine that itself is in order', async () => {
    expect(await outcome(await answer({ measurements: { 21: sha384Of('debug') } }))).toBe('measurement');
    expect(await outcome(await answer({ report: { nonce: randomBytes(32) } }))).toBe('nonce');
  });

  test('does not go on without them where they are refused, whatever one asks for', async () => {
    const given = await answer({ opaqueFields: { 21: Uint8Array.of(0xaa) } });
    expect(await outcome(given, { minimum: 'any' })).toBe('not-confidential');
    expect(await outcome(await answer(), { policy: { nvidiaGpu: null }, minimum: 'any' })).toBe('kind-not-allowed');
  });

  test('refuses a list in which a piece stands twice, or beside one of another kind', async () => {
    const own = await answer();
    const [machine, gpus] = own.evidence;
    const { identityPublicKey } = machine as Exclude<typeof machine, undefined | { kind: 'nvidia-gpu' }>;
    const development = { kind: 'development', identityPublicKey } as const;
    for (const evidence of [
      [machine!, gpus!, gpus!],
      [machine!, machine!],
      [machine!, development],
      [development, machine!],
      [gpus!, machine!],
      [gpus!],
      [],
    ]) {
      expect(['malformed', 'kind-not-allowed']).toContain(await outcome({ ...own, evidence }, { minimum: 'any' }));
    }
    expect(await outcome({ ...own, evidence: [machine!, gpus!, gpus!] }, { minimum: 'any' })).toBe('malformed');
    expect(await outcome(own)).toBe('hardware-gpu');
  });

  test('refuses GPUs without their manifests', async () => {
    const own = await answer();
    expect(await outcome({ ...own, collateral: own.collateral!.slice(0, 1) })).toBe('collateral-missing');
  });
});
