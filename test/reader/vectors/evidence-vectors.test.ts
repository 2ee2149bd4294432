import { expect, test } from 'vitest';
import evidenceVectors from '../../vectors/sotto-v1-evidence.json' with { type: 'json' };
import { gpuNonce, pairDigest, reportData } from '../evidence/binding.ts';
import { fromHex, toHex } from './vectors.ts';

test.each(evidenceVectors.bindings)('evidence vectors: the binding that hardware signs until $notAfterMs', (entry) => {
  const binding = {
    identityPublicKey: fromHex(entry.identityPublicKey),
    freshness: fromHex(entry.freshness),
    notAfterMs: entry.notAfterMs,
    imageDigest: fromHex(entry.imageDigest),
  };
  expect(toHex(gpuNonce(binding))).toBe(entry.gpuNonce);
  expect(toHex(reportData(binding, entry.devices))).toBe(entry.reportData);
  // Every field counts.
  for (const name of ['identityPublicKey', 'freshness', 'imageDigest'] as const) {
    const changed = binding[name].slice();
    changed[31]! ^= 1;
    expect(toHex(gpuNonce({ ...binding, [name]: changed }))).not.toBe(entry.gpuNonce);
    expect(toHex(reportData({ ...binding, [name]: changed }, entry.devices))).not.toBe(entry.reportData);
  }
  expect(toHex(gpuNonce({ ...binding, notAfterMs: entry.notAfterMs - 1 }))).not.toBe(entry.gpuNonce);
});

test('report data: devices left out, added or in another order are other devices', () => {
  const [without, , withTwo] = evidenceVectors.bindings;
  const binding = {
    identityPublicKey: fromHex(withTwo!.identityPublicKey),
    freshness: fromHex(withTwo!.freshness),
    notAfterMs: withTwo!.notAfterMs,
    imageDigest: fromHex(withTwo!.imageDigest),
  };
  const changed = [without!.devices, withTwo!.devices.slice(1), withTwo!.devices.toReversed()];
  for (const devices of changed) expect(toHex(reportData(binding, devices))).not.toBe(withTwo!.reportData);
  expect(toHex(reportData(binding, withTwo!.devices))).toBe(withTwo!.reportData);
});

test.each(evidenceVectors.pairs)('digest of two pieces of evidence', ({ first, second, digest }) => {
  expect(toHex(pairDigest(fromHex(first), fromHex(second)))).toBe(digest);
  expect(toHex(pairDigest(fromHex(second), fromHex(first)))).not.toBe(digest);
});
