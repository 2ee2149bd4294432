import { type DetailCode, type DetailValues, maximumValueLength } from './step-details.ts';

/** A verifier checks these, one line of the shield's checklist each (SPEC.md §9.11). */
export const checkCodes = [
  'evidence',
  'policy',
  'evidence-kind',
  'signature',
  'freshness',
  'keys',
  'model',
  'weights',
  'minimum',
  'hardware',
  'clock',
  'evidence-age',
  'collateral',
  'measurement',
  'modal',
  'registrar',
  'identity',
  'statement-age',
  'deployment',
  'public-log',
  'revocation-list',
  'sev-snp',
  'snp-report',
  'snp-certificates',
  'snp-signature',
  'snp-chip',
  'snp-report-data',
  'snp-privilege',
  'snp-firmware',
  'snp-guest',
  'snp-memory',
  'tdx',
  'tdx-quote',
  'tdx-certificate',
  'tdx-signature',
  'tdx-report-data',
  'tdx-domain',
  'tdx-rating',
  'tdx-quoting-enclave',
  'tdx-module',
  'tdx-firmware',
  'gpu',
  'gpu-evidence',
  'gpu-nonce',
  'gpu-certificates',
  'gpu-signature',
  'gpu-firmware',
  'gpu-driver',
  'gpu-mode',
  'gpu-reference-values',
  'gpu-measurements',
  'gpu-revocation',
] as const;
export type CheckCode = (typeof checkCodes)[number];

export const stepResults = ['enforced', 'failed', 'not-offered'] as const;
export type StepResult = (typeof stepResults)[number];
export type StepValue = string | number | null | readonly string[];

/** One check, and what it came to. Words are made of it where it is shown. */
export type VerificationStep = {
  readonly check: CheckCode;
  readonly result: StepResult;
  readonly detail: DetailCode;
  /** The values that `detailValues` names: numbers, versions, digests; never a peer's own sentence. */
  readonly values: Readonly<Record<string, StepValue>>;
};

/** Why evidence is refused, stable for tests, documents and the client's advice (SPEC.md §9.4). */
export const refusalCodes = [
  'policy-incomplete',
  'kind-not-allowed',
  'below-minimum',
  'malformed',
  'unsupported',
  'identity-mismatch',
  'signature',
  'chain',
  'untrusted-root',
  'not-yet-valid',
  'expired',
  'revoked',
  'wrong-machine',
  'debug',
  'migration',
  'guest-policy',
  'privilege-level',
  'outdated-firmware',
  'outdated-collateral',
  'measurement',
  'report-data',
  'nonce',
  'too-old',
  'clock',
  'keys',
  'model',
  'weights',
  'collateral-missing',
  'reference-values',
  'not-confidential',
  'wrong-deployment',
  'log',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

/** Ends a verification at the step that failed. Never leaves `crypto/evidence/`: a caller gets a verdict. */
export class EvidenceRefused extends Error {
  override readonly name = 'EvidenceRefused';
  readonly code: RefusalCode;
  readonly step: VerificationStep;

  constructor(code: RefusalCode, step: VerificationStep) {
    super(code);
    this.code = code;
    this.step = step;
  }
}

/** The values of a detail; left out where it has none. */
type ValuesOf<Code extends DetailCode> = keyof DetailValues[Code] extends never ? [] : [values: DetailValues[Code]];

/** A detail that has no values. */
export type PlainDetail = {
  [Code in DetailCode]: keyof DetailValues[Code] extends never ? Code : never;
}[DetailCode];

/** @throws {EvidenceRefused} always. */
export function refuse<Code extends DetailCode>(
  code: RefusalCode,
  check: CheckCode,
  detail: Code,
  ...values: ValuesOf<Code>
): never {
  throw new EvidenceRefused(code, failed(check, detail, ...values));
}

/** The check that ended a verification. */
export function failed<Code extends DetailCode>(
  check: CheckCode,
  detail: Code,
  ...values: ValuesOf<Code>
): VerificationStep {
  return makeStep(check, 'failed', detail, values[0]);
}

/** A check that was made and held. */
export function enforced<Code extends DetailCode>(
  check: CheckCode,
  detail: Code,
  ...values: ValuesOf<Code>
): VerificationStep {
  return makeStep(check, 'enforced', detail, values[0]);
}

/** A check that could not be made and that the policy does not insist on. */
export function notOffered<Code extends DetailCode>(
  check: CheckCode,
  detail: Code,
  ...values: ValuesOf<Code>
): VerificationStep {
  return makeStep(check, 'not-offered', detail, values[0]);
}

function makeStep(
  check: CheckCode,
  result: StepResult,
  detail: DetailCode,
  given: VerificationStep['values'] = {},
): VerificationStep {
  const values = Object.entries(given).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.slice(0, maximumValueLength) : value,
  ]);
  return { check, result, detail, values: Object.fromEntries(values) as VerificationStep['values'] };
}
