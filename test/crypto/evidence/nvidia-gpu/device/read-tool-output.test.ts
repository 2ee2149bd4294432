import { describe, expect, test } from 'vitest';
import { listManifestIds } from '../../../../../crypto/evidence/nvidia-gpu/device/manifest-ids.ts';
import { readToolOutput } from '../../../../../crypto/evidence/nvidia-gpu/device/read-tool-output.ts';
import { collateralNeed, nvidiaGpuEvidence } from '../../../../../crypto/protocol/messages/evidence-messages.ts';
import { randomBytes } from '../../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../../crypto/protocol/bytes/errors.ts';
import { makeNvidiaMachine } from '../../../../parts/evidence/nvidia/nvidia-machine.ts';
import { vbiosBytes, zeroEnded } from '../../../../parts/evidence/nvidia/nvidia-report.ts';
import * as v from 'valibot';

type Printed = { evidences: Record<string, unknown>[]; result_code: number };

const nonce = randomBytes(32);
const machine = makeNvidiaMachine({ gpus: 2 });
const text = machine.printToolOutput(nonce);

function outcome(output: string, asked: Uint8Array = nonce): string {
  try {
    return `${readToolOutput(output, asked).length} devices`;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return error.code;
  }
}

function changed(change: (printed: Printed) => unknown): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the machine part just printed
  const printed = JSON.parse(text) as Printed;
  return JSON.stringify(change(printed) ?? printed);
}

const withMember = (name: string, value: unknown) =>
  changed(({ evidences, result_code }) => ({
    result_code,
    evidences: evidences.map((one) => ({ ...one, [name]: value })),
  }));

describe('readToolOutput', () => {
  test('takes what the tool prints to devices that the wire takes, with the tool around them or alone', () => {
    const devices = readToolOutput(text, nonce);
    expect(v.is(nvidiaGpuEvidence, { kind: 'nvidia-gpu', devices })).toBe(true);
    expect(devices.map(({ certificates }) => certificates.length)).toEqual([5, 5]);
    expect(
      readToolOutput(
        changed(({ evidences }) => evidences),
        nonce,
      ),
    ).toEqual(devices);
    expect(outcome(withMember('uuid', 'GPU-0'))).toBe('2 devices');
  });

  test('reads nothing that the tool was not asked for', () => {
    expect(outcome(text, randomBytes(32))).toBe('malformed');
    // The report answers another nonce than the tool says.
    const other = machine.printToolOutput(randomBytes(32));
    expect(
      outcome(other.replaceAll(/"nonce": "[0-9a-f]{64}"/g, `"nonce": "${Buffer.from(nonce).toString('hex')}"`)),
    ).toBe('malformed');
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', 'GPU evidence collection was successful.'],
    ['a failure', changed(({ evidences }) => ({ evidences, result_code: 3 }))],
    ['no devices', changed(() => ({ evidences: [], result_code: 0 }))],
    ['too many devices', changed(({ evidences }) => Array.from({ length: 17 }, () => evidences[0]))],
    ['an unknown architecture', withMember('arch', 'AMPERE')],
    ['a nonce cut short', withMember('nonce', 'ab')],
    ['evidence that is no base64', withMember('evidence', '*')],
    ['evidence that is no report', withMember('evidence', 'AAAA')],
    ['no certificates', withMember('certificate', '')],
    ['certificates that are no PEM', withMember('certificate', Buffer.from('x').toString('base64'))],
    ['more certificates than a chain has', withMember('certificate', Buffer.from(pem().repeat(9)).toString('base64'))],
  ])('refuses %s', (_, output) => {
    expect(outcome(output)).toBe('malformed');
  });

  test('refuses what no machine prints before it reads it', () => {
    expect(outcome(text.padEnd(1_048_576))).toBe('2 devices');
    expect(outcome(text.padEnd(1_048_577))).toBe('too-long');
  });
});

function pem(): string {
  return '-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n';
}

describe('listManifestIds', () => {
  const ids = (made: ReturnType<typeof makeNvidiaMachine>, faults = {}) =>
    listManifestIds(made.makeEvidence({ expected: nonce, ...faults }).evidence.devices);

  test("names manifests as NVIDIA's service does, each once", () => {
    expect(ids(machine)).toEqual(['NV_GPU_DRIVER_GH100_580.95.05', 'NV_GPU_VBIOS_G520_0200_885_9600A50001']);
    const need = { kind: 'nvidia-gpu', manifestIds: ids(machine) };
    expect(v.is(collateralNeed, need)).toBe(true);
  });

  test('names the chip of a Blackwell where the report does, and the first one where it does not', () => {
    const blackwell = makeNvidiaMachine({ architecture: 'BLACKWELL' });
    const chip = (bytes: Uint8Array | null) => ids(blackwell, { opaqueFields: { 35: bytes } })[0];
    expect(chip(zeroEnded('GB202', 16))).toBe('NV_GPU_CC_DRIVER_GB202_580.95.05');
    expect(chip(null)).toBe('NV_GPU_CC_DRIVER_GB100_580.95.05');
  });

  test('names the manifests of each GPU where they differ', () => {
    expect(ids(machine, { opaqueFields: { 6: vbiosBytes('96.00.9F.00.04'), 17: zeroEnded('1010') } })).toEqual([
      'NV_GPU_DRIVER_GH100_580.95.05',
      'NV_GPU_VBIOS_1010_0200_885_96009F0004',
      'NV_GPU_VBIOS_G520_0200_885_9600A50001',
    ]);
  });

  test('names eight manifests at most', () => {
    const one = makeNvidiaMachine();
    const devices = Array.from({ length: 8 }, (_, index) => {
      const opaqueFields = { 6: vbiosBytes(`96.00.A5.00.0${index}`) };
      return one.makeEvidence({ expected: nonce, opaqueFields }).evidence.devices[0]!;
    });
    expect(listManifestIds(devices.slice(1))).toHaveLength(8);
    expect(() => listManifestIds(devices)).toThrow(CryptoError);
  });

  test('refuses a report that no client could read', () => {
    expect(() => ids(machine, { opaqueFields: { 3: null } })).toThrow(CryptoError);
  });
});
