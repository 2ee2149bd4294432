import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EvidenceRefused, type VerificationStep } from '../../../../crypto/evidence/policy/evidence-step.ts';
import type { SevSnpPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { parseSnpReport } from '../../../../crypto/evidence/sev-snp/report.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { verifySevSnp } from '../../../../crypto/evidence/sev-snp/verify-sev-snp.ts';

/** Reports of genuine machines with the certificates that AMD gave out for them (test/vectors/evidence/README.md). */
const folder = resolve(import.meta.dirname, '../../../vectors/evidence');
const load = (file: string) => new Uint8Array(readFileSync(resolve(folder, file)));

const least = { bootLoader: 2, tee: 0, snp: 5, microcode: 68 };
const policy: SevSnpPolicy = {
  roots: null,
  minimumTcb: { Milan: least, Genoa: null, Turin: null },
  maximumVmpl: 0,
  allowSmt: true,
};
const nowMs = Date.parse('2024-01-01');

/** The certificates of a PEM file, as the collateral has them. */
const certificatesOf = (file: string): string[] =>
  [...readFileSync(resolve(folder, file), 'utf8').matchAll(/-----\r?\n([^-]+)-----END/g)].map(([, text]) =>
    Buffer.from(text ?? '', 'base64').toString('base64url'),
  );

type Product = 'milan' | 'genoa' | 'turin';
type Changes = {
  product?: Product;
  report?: Uint8Array<ArrayBuffer>;
  policy?: Partial<SevSnpPolicy>;
  expected?: Uint8Array<ArrayBuffer>;
  nowMs?: number;
};

async function verify(changes: Changes): Promise<{ code: string; at: string; passed: readonly string[] }> {
  const { product } = changes;
  const isDebug = product === undefined;
  const report = changes.report ?? load(isDebug ? 'sev-snp-report-debug.bin' : `${product}_attestation_report.bin`);
  const [ask, ark] = certificatesOf(`ask_ark_${product ?? 'milan'}.pem`);
  const vcek = isDebug ? toBase64Url(load('vcek.testcer')) : certificatesOf(`${product}_vcek.pem`)[0];
  const steps: VerificationStep[] = [];
  try {
    await verifySevSnp({
      evidence: {
        kind: 'sev-snp',
        identityPublicKey: '',
        freshness: '',
        notAfterMs: 0,
        imageDigest: '',
        report: Buffer.from(report).toString('base64url'),
      },
      collateral: {
        kind: 'sev-snp',
        vcek: vcek!,
        ask: ask!,
        ark: ark!,
      },
      policy: { ...policy, ...changes.policy },
      // The guest asked for this in its own time; ours would have to be our binding.
      expected: changes.expected ?? report.slice(0x50, 0x90),
      nowMs: changes.nowMs ?? nowMs,
      steps,
    });
    return { code: 'accepted', at: '', passed: [] };
  } catch (error) {
    if (!(error instanceof EvidenceRefused)) throw error;
    const passed = steps.filter(({ result }) => result === 'enforced').map(({ check }) => check);
    return { code: error.code, at: error.step.check, passed };
  }
}

test('a genuine debug report is refused for debugging alone', async () => {
  expect(await verify({})).toEqual({
    code: 'debug',
    at: 'snp-guest',
    passed: [
      'snp-report',
      'snp-certificates',
      'snp-signature',
      'snp-chip',
      'snp-report-data',
      'snp-privilege',
      'snp-firmware',
    ],
  });
  const report = parseSnpReport(load('sev-snp-report-debug.bin'));
  // Debugging is the one bit of its guest policy that is not accepted: version 0.0, SMT, the bit that is always one.
  expect(report.guestPolicy).toBe((1n << 19n) | (1n << 17n) | (1n << 16n));
});

const questions: readonly (readonly [name: string, code: string, changes: Changes])[] = [
  ['another binding', 'report-data', { expected: new Uint8Array(64) }],
  [
    'one level of firmware more',
    'outdated-firmware',
    { policy: { minimumTcb: { ...policy.minimumTcb, Milan: { ...least, snp: 6 } } } },
  ],
  ['another product', 'unsupported', { policy: { minimumTcb: { ...policy.minimumTcb, Milan: null } } }],
  ['a test root', 'untrusted-root', { policy: { roots: ['A'.repeat(43)] } }],
  ['no shared cores', 'guest-policy', { policy: { allowSmt: false } }],
  ['a clock before the certificate', 'not-yet-valid', { nowMs: Date.parse('2021-01-01') }],
  ['a clock behind the certificate', 'expired', { nowMs: Date.parse('2030-01-01') }],
];
test.each(questions)('a genuine report, asked for %s: %s', async (_name, code, changes) => {
  expect((await verify(changes)).code).toBe(code);
});

test('a genuine report without its debug bit is no genuine report', async () => {
  const report = load('sev-snp-report-debug.bin');
  report[0x0a]! &= ~0x08;
  expect((await verify({ report })).code).toBe('signature');
});

const anyFirmware = { bootLoader: 0, tee: 0, snp: 0, microcode: 0 };
const production: Partial<SevSnpPolicy> = {
  minimumTcb: { Milan: anyFirmware, Genoa: anyFirmware, Turin: { ...anyFirmware, firmware: 0 } },
};
test.each(['milan', 'genoa', 'turin'] as const)(
  'a genuine report of a production guest on %s is accepted',
  async (product) => {
    const whole = { product, policy: production, nowMs: Date.parse('2026-11-01') };
    expect((await verify(whole)).code).toBe('accepted');
    const report = load(`${product}_attestation_report.bin`);
    report[0x90]! ^= 1;
    expect((await verify({ ...whole, report })).code).toBe('signature');
    const other = product === 'milan' ? 'genoa' : 'milan';
    expect((await verify({ ...whole, report: load(`${other}_attestation_report.bin`) })).code).not.toBe('accepted');
  },
);
