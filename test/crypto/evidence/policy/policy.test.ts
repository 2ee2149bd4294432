import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { enclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';

const digest = 'A'.repeat(43);
const measured = 'ab'.repeat(48);
const tcb = { bootLoader: 3, tee: 0, snp: 14, microcode: 209 };

/** A policy with every section and every member. */
const whole = {
  format: 3,
  allowedKinds: ['development', 'modal', 'sev-snp', 'tdx'],
  models: [{ model: 'model-a', weightsDigests: [digest] }],
  minimum: 'any',
  maximumEvidenceAgeMs: 7_200_000,
  maximumClockDifferenceMs: 86_400_000,
  requireNonceInReport: false,
  releases: [
    {
      version: '1.0.0',
      url: 'https://example.org/releases/1.0.0',
      imageDigest: digest,
      sevSnp: [measured],
      tdx: [{ mrTd: measured, rtMrs: [measured, measured, measured, measured] }],
    },
  ],
  modal: {
    registrarPublicKey: digest,
    logOrigin: 'registrar.example.org/log',
    logPublicKey: digest,
    workspaceId: 'ac-1',
    environmentId: 'en-1',
    appId: 'ap-1',
    functionId: 'fu-1',
  },
  sevSnp: {
    roots: [digest],
    minimumTcb: { Milan: tcb, Genoa: tcb, Turin: { ...tcb, firmware: 1 } },
    maximumVmpl: 0,
    allowSmt: true,
  },
  tdx: { roots: null, tcbStatuses: ['UpToDate'], minimumTcbEvaluationDataNumber: 17 },
  nvidiaGpu: {
    roots: null,
    architectures: ['HOPPER'],
    minimumDriverVersion: '535.104.5',
    minimumVbiosVersion: { HOPPER: '96.00.A5.00.01', BLACKWELL: null },
    requireGpuRevocation: true,
  },
};

type Path = readonly (string | number)[];

/** Every member of every object in the policy. */
function memberPaths(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((entry: unknown, index) => memberPaths(entry, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, entry]) => [[...path, name], ...memberPaths(entry, [...path, name])]);
}

/** A copy in which the object that holds the path's last member was changed. */
function changed(path: Path, change: (holder: Record<string, unknown>, name: string) => void): unknown {
  const copy: unknown = structuredClone(whole);
  let holder = copy as Record<string, unknown>;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  change(holder, String(path.at(-1)));
  return copy;
}

const isComplete = (policy: unknown): boolean => v.safeParse(enclavePolicy, policy).success;

describe('enclavePolicy', () => {
  test('accepts a policy with every member, and the one of this project', () => {
    expect(isComplete(whole)).toBe(true);
    expect(isComplete(JSON.parse(readFileSync('client/policy.json', 'utf8')))).toBe(true);
  });

  test.each(memberPaths(whole).map((path) => [path.join('.'), path] as const))(
    'refuses a policy without %s',
    (_, path) => {
      expect(isComplete(changed(path, (holder, name) => delete holder[name]))).toBe(false);
      expect(isComplete(changed(path, (holder, name) => (holder[name] = undefined)))).toBe(false);
      expect(isComplete(changed(path, (holder) => (holder['allowUnverified'] = true)))).toBe(false);
    },
  );

  test.each([
    ['no kind at all', { allowedKinds: [] }],
    ['a GPU as the kind of a machine', { allowedKinds: ['nvidia-gpu'] }],
    ['an unknown kind', { allowedKinds: ['sgx'] }],
    ['an older format', { format: 2 }],
    ['a newer format', { format: 4 }],
    ['an unknown minimum', { minimum: 'none' }],
    ['an age of nothing', { maximumEvidenceAgeMs: 0 }],
    ['a clock that may lie anywhere', { maximumClockDifferenceMs: null }],
    [
      'a VBIOS in small letters',
      {
        nvidiaGpu: { ...whole.nvidiaGpu, minimumVbiosVersion: { HOPPER: '96.00.a5.00.01', BLACKWELL: null } },
      },
    ],
    ['a measurement in capitals', { releases: [{ ...whole.releases[0], sevSnp: [measured.toUpperCase()] }] }],
    ['a release without https', { releases: [{ ...whole.releases[0], url: 'http://example.org' }] }],
    ['no model where models are listed', { models: [] }],
  ])('refuses %s', (_, members) => {
    expect(isComplete({ ...whole, ...members })).toBe(false);
  });
});
