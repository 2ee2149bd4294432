import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EvidenceRefused, type VerificationStep } from '../../../../crypto/evidence/policy/evidence-step.ts';
import { listManifestIds } from '../../../../crypto/evidence/nvidia-gpu/device/manifest-ids.ts';
import { readToolOutput } from '../../../../crypto/evidence/nvidia-gpu/device/read-tool-output.ts';
import { parseReferenceManifest } from '../../../../crypto/evidence/nvidia-gpu/manifest/reference-manifest.ts';
import { verifyManifests } from '../../../../crypto/evidence/nvidia-gpu/manifest/verify-manifests.ts';
import { rootsOf } from '../../../../crypto/evidence/nvidia-gpu/gpu-roots.ts';
import { verifyNvidiaGpu } from '../../../../crypto/evidence/nvidia-gpu/verify-nvidia-gpu.ts';
import type { NvidiaGpuPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { NvidiaGpuEvidence } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { fromBase64Url, fromHex, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { makeNvidiaMachine } from '../../../parts/evidence/nvidia/nvidia-machine.ts';

/** Evidence of H100s that NVIDIA published with its own tools, and manifests of its service (test/vectors/evidence/README.md). */
const folder = new URL('../../../vectors/evidence/', import.meta.url);
const manifestFolder = new URL('nvidia-manifests/', folder);
const manifestNames = readdirSync(manifestFolder);

const nonce = fromHex('e97b23a1718095a0e9e35edca810768c70a6a5a389b705e753b197912bc11576');
const policy: NvidiaGpuPolicy = {
  roots: null,
  architectures: ['HOPPER'],
  minimumDriverVersion: '550.0',
  minimumVbiosVersion: { HOPPER: null, BLACKWELL: null },
  requireGpuRevocation: false,
};
const nowMs = Date.UTC(2026, 0, 1);
const read = (name: string) => readToolOutput(readFileSync(new URL(name, folder), 'utf8'), nonce);

/** The code, and the steps before it. */
async function outcome(
  devices: NvidiaGpuEvidence['devices'],
  changes: { policy?: Partial<NvidiaGpuPolicy>; expected?: Uint8Array; nowMs?: number } = {},
): Promise<string> {
  const steps: VerificationStep[] = [];
  try {
    await verifyNvidiaGpu({
      evidence: { kind: 'nvidia-gpu', devices },
      collateral: { kind: 'nvidia-gpu', referenceManifests: [] },
      policy: { ...policy, ...changes.policy },
      expected: Uint8Array.from(changes.expected ?? nonce),
      nowMs: changes.nowMs ?? nowMs,
      steps,
    });
  } catch (error) {
    if (!(error instanceof EvidenceRefused)) throw error;
    return `${error.step.check}: ${error.code}, after ${steps.at(-1)?.check ?? 'nothing'}`;
  }
  return 'accepted';
}

const changedBit = (text: string, place: number) => {
  const bytes = fromBase64Url(text);
  bytes[place < 0 ? bytes.length + place : place]! ^= 1;
  return toBase64Url(bytes);
};

describe('genuine evidence of H100s', () => {
  test.each(['hopper_evidence.json', 'multi_gpu_hopper.json'])(
    '%s: root, chain, firmware and signature hold; its mode alone is refused',
    async (name) => {
      // These machines ran in protected PCIe mode: between their GPUs nothing is encrypted.
      expect(await outcome(read(name))).toBe('gpu-mode: not-confidential, after gpu-driver');
    },
  );

  test('names the manifests that NVIDIA has for it', () => {
    const ids = ['NV_GPU_DRIVER_GH100_590.12', 'NV_GPU_VBIOS_G520_0200_885_9600A50001'];
    expect(listManifestIds(read('multi_gpu_hopper.json'))).toEqual(ids);
  });

  test('refuses each other fault for its own reason', async () => {
    const [device, second] = read('multi_gpu_hopper.json');
    expect(await outcome([device!], { expected: new Uint8Array(32) })).toMatch(/^gpu-nonce: nonce/);
    expect(await outcome([device!], { nowMs: Date.UTC(2020, 0, 1) })).toMatch(/^gpu-certificates: not-yet-valid/);
    expect(await outcome([device!, device!])).toMatch(/^gpu-certificates: wrong-machine/);
    expect(await outcome([{ ...device!, architecture: 'BLACKWELL' }])).toMatch(/^gpu-certificates: wrong-machine/);
    expect(await outcome([{ ...device!, certificates: second!.certificates }])).toMatch(/^gpu-signature: signature/);
    expect(await outcome([device!], { policy: { roots: makeNvidiaMachine().rootDigests } })).toMatch(
      /^gpu-certificates: untrusted-root/,
    );
    expect(await outcome([device!], { policy: { minimumDriverVersion: '590.12.1' } })).toMatch(
      /^gpu-driver: outdated-firmware/,
    );
    expect(await outcome([device!], { policy: { architectures: ['BLACKWELL'] } })).toMatch(
      /^gpu-driver: kind-not-allowed/,
    );
  });

  test('refuses a bit changed anywhere in what is signed', async () => {
    const [device] = read('hopper_evidence.json');
    const length = fromBase64Url(device!.report).length;
    for (let place = 0; place < length; place += 61) {
      const report = changedBit(device!.report, place);
      expect(await outcome([{ ...device!, report }]), `byte ${place}`).not.toMatch(/accepted|not-confidential/);
    }
    for (const index of device!.certificates.keys()) {
      const certificates = device!.certificates.with(index, changedBit(device!.certificates[index]!, -1));
      expect(await outcome([{ ...device!, certificates }]), `certificate ${index}`).toMatch(/^gpu/);
      expect(await outcome([{ ...device!, certificates }])).not.toMatch(/not-confidential/);
    }
  });
});

describe('genuine reference manifests', () => {
  const roots = rootsOf(policy).manifest;
  for (const name of manifestNames) {
    test(`${name} is as NVIDIA signed it, and a changed bit is not`, async () => {
      const text = readFileSync(new URL(name, manifestFolder), 'utf8');
      const { notBeforeMs } = parseReferenceManifest(text).envelope.certificates[0]!;
      const verify = (manifest: string) =>
        verifyManifests({ kind: 'nvidia-gpu', referenceManifests: [manifest] }, roots, notBeforeMs + 1000);
      const [manifest] = await verify(text);
      expect(manifest!.measurements.size).toBeGreaterThan(9);
      await expect(verify(text.replace('active="True"', 'active="False"'))).rejects.toMatchObject({
        code: 'signature',
      });
    });
  }
});
