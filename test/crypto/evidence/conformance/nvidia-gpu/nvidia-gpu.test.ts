import { describe, expect, test } from 'vitest';
import { EvidenceRefused, type VerificationStep } from '../../../../../crypto/evidence/policy/evidence-step.ts';
import { verifyNvidiaGpu } from '../../../../../crypto/evidence/nvidia-gpu/verify-nvidia-gpu.ts';
import { extension, leafExtensions, testNowMs } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { context, sequence } from '../../../../parts/evidence/vendors/der-writer.ts';
import {
  firmwareExtension,
  makeNvidiaMachine,
  type NvidiaFaults,
  type NvidiaMachine,
  usualDigest,
} from '../../../../parts/evidence/nvidia/nvidia-machine.ts';
import { zeroEnded } from '../../../../parts/evidence/nvidia/nvidia-report.ts';
import { certificateVariants, type Changes, expected, fieldVariants, hopper, reportVariants } from './gpu-variants.ts';
import { driverRows, manifestVariants, measurementVariants } from './manifest-variants.ts';

const blackwell = makeNvidiaMachine({ architecture: 'BLACKWELL' });
const variants = [
  ...reportVariants,
  ...fieldVariants,
  ...certificateVariants,
  ...measurementVariants,
  ...manifestVariants,
];

/** These look odd and are right. */
const twins: [name: string, faults: NvidiaFaults, changes?: Changes][] = [
  ['the oldest driver that the policy accepts', {}, { policy: { minimumDriverVersion: '580.95.5' } }],
  [
    'the oldest VBIOS that the policy accepts, whatever it asks of other architectures',
    {},
    { policy: { minimumVbiosVersion: { HOPPER: '96.00.A5.00.01', BLACKWELL: 'FF.00.00.00.00' } } },
  ],
  // In decimals A5 would be no number, and 9F less than 100.
  [
    'a VBIOS whose parts are read as hexadecimal',
    {},
    { policy: { minimumVbiosVersion: { HOPPER: '96.00.9F.FF.FF', BLACKWELL: null } } },
  ],
  [
    'a decoder that is measured',
    { allGpus: true, opaqueFields: { 11: Uint8Array.of(0xaa) }, measurements: { 35: usualDigest(35) } },
  ],
  ['several GPUs over encrypted links', { allGpus: true, opaqueFields: { 36: Uint8Array.of(1, 0) } }],
  ['opaque data of before there was a feature flag', { allGpus: true, opaqueFields: { 34: null, 36: null, 21: null } }],
  ['measurements that no manifest compares', { measurements: { 13: null, 50: new Uint8Array(32) } }],
  [
    'a manifest that is for none of its GPUs, but signed',
    { manifests: (texts) => [...texts, hopper.makeManifests({ driver: { version: '1.2' } })[0]!] },
  ],
  [
    'manifests in the other order, with line ends of Windows',
    { manifests: (texts) => texts.toReversed().map((text) => text.replaceAll('\n', '\r\n')) },
  ],
  [
    'an XML declaration',
    { driver: { afterSigning: (document) => `<?xml version="1.0" encoding="UTF-8"?>\n${document}` } },
  ],
  [
    'capital hex',
    driverRows((rows) => rows.map((row) => ({ ...row, digests: row.digests.map((digest) => digest.toUpperCase()) }))),
  ],
  ['the last moment of the certificates', { manifestCertificates: { leaf: { notAfter: testNowMs } } }],
];

/** `accepted`, or the code and the step that failed, which must be the last one written. */
async function outcome(machine: NvidiaMachine, faults: NvidiaFaults = {}, changes: Changes = {}): Promise<string> {
  const { evidence, collateral } = machine.makeEvidence({ expected, ...faults });
  const steps: VerificationStep[] = [];
  try {
    await verifyNvidiaGpu({
      evidence,
      collateral,
      policy: { ...machine.policy, ...changes.policy },
      expected: Uint8Array.from(changes.expected ?? expected),
      nowMs: changes.nowMs ?? testNowMs,
      steps,
    });
  } catch (error) {
    // Nothing but a refusal may come out, and no line may say more than had been checked.
    if (!(error instanceof EvidenceRefused)) throw error;
    const isPassedTwice = steps.some(({ check, result }) => check === error.step.check || result === 'failed');
    return isPassedTwice ? `${error.code}, after its step had passed` : error.code;
  }
  return 'accepted';
}

describe('verifyNvidiaGpu', () => {
  test('accepts 1 to 8 GPUs, Hopper and Blackwell', async () => {
    expect(await outcome(hopper)).toBe('accepted');
    expect(await outcome(blackwell)).toBe('accepted');
    expect(await outcome(makeNvidiaMachine())).toBe('accepted');
    expect(await outcome(makeNvidiaMachine({ gpus: 8 }))).toBe('accepted');
  });

  for (const [name, faults, changes] of twins) {
    test(`accepts ${name}`, async () => {
      expect(await outcome(hopper, faults, changes)).toBe('accepted');
    });
  }

  test('says so where the driver does not report its firmware', async () => {
    const { evidence, collateral } = hopper.makeEvidence({ expected, allGpus: true, opaqueFields: { 20: null } });
    const steps: VerificationStep[] = [];
    await verifyNvidiaGpu({ evidence, collateral, policy: hopper.policy, expected, nowMs: testNowMs, steps });
    const notOffered = steps.filter(({ result }) => result === 'not-offered').map(({ check }) => check);
    expect(notOffered).toEqual(['gpu-firmware', 'gpu-revocation']);
  });

  for (const [name, code, faults, changes] of variants) {
    test(`refuses ${name}: ${code}`, async () => {
      expect(await outcome(hopper, typeof faults === 'function' ? faults() : faults, changes)).toBe(code);
    });
  }

  test('refuses on Blackwell another firmware than the certified one, and a chip whose manifest did not come', async () => {
    expect(await outcome(blackwell, { opaqueFields: { 20: new Uint8Array(48) } })).toBe('chain');
    expect(await outcome(blackwell, { opaqueFields: { 35: zeroEnded('GB202') } })).toBe('collateral-missing');
    expect(await outcome(blackwell, { opaqueFields: { 35: null } })).toBe('accepted');
  });

  test('refuses on Blackwell a certificate in which the firmware is not to be found', async () => {
    const digest = firmwareExtension('BLACKWELL', blackwell.firmwareIds[0]!, blackwell.chipKeys[0]!);
    const leafWith = (...extensions: Uint8Array<ArrayBuffer>[]): NvidiaFaults => ({
      certificates: { leaf: { extensions: [leafExtensions()[1]!, ...extensions] } },
    });
    const info = (...members: Uint8Array[]) => extension('2.23.133.5.4.1.1', false, sequence(...members));
    expect(await outcome(blackwell, leafWith(digest))).toBe('accepted');
    expect(await outcome(blackwell, leafWith(info(context(5), context(7))))).toBe('malformed');
    expect(await outcome(blackwell, leafWith(info(context(6))))).toBe('malformed');
    expect(await outcome(blackwell, leafWith(info(context(6, sequence()), context(6, sequence()))))).toBe('malformed');
    expect(await outcome(blackwell, leafWith())).toBe('chain');
  });

  test('has enough variants, each with a name of its own', () => {
    const names = variants.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(150);
  });
});
