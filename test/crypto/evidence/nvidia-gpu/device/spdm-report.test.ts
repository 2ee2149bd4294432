import { describe, expect, test } from 'vitest';
import { parseSpdmReport } from '../../../../../crypto/evidence/nvidia-gpu/device/spdm-report.ts';
import { fromBase64Url, toHex } from '../../../../../crypto/protocol/bytes/bytes.ts';
import { makeNvidiaMachine, usualDigest } from '../../../../parts/evidence/nvidia/nvidia-machine.ts';

const nonce = new Uint8Array(32).fill(5);
const [device] = makeNvidiaMachine().makeEvidence({ expected: nonce }).evidence.devices;
const report = fromBase64Url(device!.report);

describe('parseSpdmReport', () => {
  test('gives the nonce, what was measured by the index of manifests, and what was signed', () => {
    const { measurements, opaqueFields, signed, signature, ...rest } = parseSpdmReport(report);
    expect(rest.nonce).toEqual(nonce);
    expect(measurements.size).toBe(64);
    expect(toHex(measurements.get(0)!)).toBe(toHex(usualDigest(0)));
    expect(toHex(measurements.get(63)!)).toBe(toHex(usualDigest(63)));
    expect([...opaqueFields.keys()]).toEqual([6, 14, 15, 17, 18, 19, 3, 11, 20, 21, 34, 36]);
    expect(Uint8Array.of(...signed, ...signature)).toEqual(report);
    expect(signature).toHaveLength(96);
  });

  test('refuses every length but the right one', () => {
    for (let length = 0; length < report.length; length += 7) {
      expect(() => parseSpdmReport(report.slice(0, length)), `cut to ${length}`).toThrow('malformed');
    }
    expect(() => parseSpdmReport(Uint8Array.of(...report, 0))).toThrow('malformed');
  });

  test('refuses what is longer than 16 KiB before it reads it', () => {
    expect(() => parseSpdmReport(new Uint8Array(16_384))).toThrow('malformed');
    expect(() => parseSpdmReport(new Uint8Array(16_385))).toThrow('too-long');
  });
});
