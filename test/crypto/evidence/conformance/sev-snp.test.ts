import { describe, expect, test } from 'vitest';
import { accepted } from './sev-snp-accepted-variants.ts';
import { machine, report, verify } from './sev-snp-bench.ts';
import { chains, lists } from './sev-snp-chain-variants.ts';
import { firmwares, guests, machines } from './sev-snp-platform-variants.ts';
import { forms, signatures } from './sev-snp-report-variants.ts';
import { vceks } from './sev-snp-vcek-variants.ts';

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
    // What failed is the end: nothing before it failed, and nothing says that it had passed.
    expect(steps.filter((step) => step.result === 'failed' || step.name === failed?.name)).toEqual([]);
  });
});

test('SEV-SNP conformance: each variant has a name of its own, and there are enough of them', () => {
  const names = Object.values(tables).flatMap((table) => table.map(([name]) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(150);
});

test('SEV-SNP conformance: the checklist of an accepted report', async () => {
  const { steps } = await verify({ revocationList: {} });
  expect(steps.map(({ name, result }) => [name, result])).toEqual([
    ['Attestation report', 'enforced'],
    ['AMD certificates', 'enforced'],
    ['Revocation list', 'enforced'],
    ['Signature of the processor', 'enforced'],
    ['Processor', 'enforced'],
    ['Bound to this enclave', 'enforced'],
    ['Privilege level', 'enforced'],
    ['Firmware of the processor', 'enforced'],
    ['Guest policy', 'enforced'],
    ['Memory', 'enforced'],
  ]);
  const bare = await verify(report({ platformInfo: 1 }));
  expect(bare.steps.filter(({ result }) => result === 'not-offered').map(({ name }) => name)).toEqual([
    'Revocation list',
    'Memory',
  ]);
});
