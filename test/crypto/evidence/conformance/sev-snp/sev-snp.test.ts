import { describe, expect, test } from 'vitest';
import { accepted } from './accepted-variants.ts';
import { machine, report, verify } from './sev-snp-bench.ts';
import { chains, lists } from './chain-variants.ts';
import { firmwares, guests, machines } from './platform-variants.ts';
import { forms, signatures } from './report-variants.ts';
import { vceks } from './vcek-variants.ts';

describe('SEV-SNP conformance: accepts', () => {
  test.each(accepted)('%s', async (_name, variant) => {
    expect((await verify(variant)).result).toBe((variant.on ?? machine).measurement);
  });
});

const tables = { forms, signatures, chains, vceks, machines, firmwares, guests, lists };
describe.each(Object.entries(tables))('SEV-SNP conformance: refuses, %s', (_table, refusals) => {
  test.each(refusals)('%s: %s', async (_name, code, variant) => {
    const { result, steps, failed } = await verify(variant);
    expect(result).toBe(code);
    expect(failed?.result).toBe('failed');
    // The failed step is the end: nothing before it failed, and nothing says that it had passed.
    expect(steps.filter((step) => step.result === 'failed' || step.check === failed?.check)).toEqual([]);
  });
});

test('SEV-SNP conformance: each variant has a name of its own, and there are enough of them', () => {
  const names = Object.values(tables).flatMap((table) => table.map(([name]) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(150);
});

test('SEV-SNP conformance: the checklist of an accepted report', async () => {
  const { steps } = await verify({ revocationList: {} });
  expect(steps.map(({ check, result }) => [check, result])).toEqual([
    ['snp-report', 'enforced'],
    ['snp-certificates', 'enforced'],
    ['revocation-list', 'enforced'],
    ['snp-signature', 'enforced'],
    ['snp-chip', 'enforced'],
    ['snp-report-data', 'enforced'],
    ['snp-privilege', 'enforced'],
    ['snp-firmware', 'enforced'],
    ['snp-guest', 'enforced'],
    ['snp-memory', 'enforced'],
  ]);
  const bare = await verify(report({ platformInfo: 1 }));
  expect(bare.steps.filter(({ result }) => result === 'not-offered').map(({ check }) => check)).toEqual([
    'revocation-list',
    'snp-memory',
  ]);
});
