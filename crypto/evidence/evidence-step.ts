/** One line of the shield's checklist. */
export type VerificationStep = {
  readonly name: string;
  readonly result: 'enforced' | 'failed' | 'not-offered';
  /** For people: fixed words and values of the evidence, never a peer's own text. */
  readonly detail: string;
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

  constructor(code: RefusalCode, name: string, detail: string) {
    super(code);
    this.code = code;
    this.step = { name, result: 'failed', detail };
  }
}

/** @throws {EvidenceRefused} always. */
export function refuse(code: RefusalCode, name: string, detail: string): never {
  throw new EvidenceRefused(code, name, detail);
}

/** A check that was made and held. */
export function enforced(name: string, detail: string): VerificationStep {
  return { name, result: 'enforced', detail };
}

/** A check that could not be made and that the policy does not insist on. */
export function notOffered(name: string, detail: string): VerificationStep {
  return { name, result: 'not-offered', detail };
}
