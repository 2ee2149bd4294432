import type * as v from 'valibot';
import { checkCodes, type StepValue, type VerificationStep } from '../../../crypto/evidence/policy/evidence-step.ts';
import { type DetailCode, detailValues } from '../../../crypto/evidence/policy/step-details.ts';
import type { ProtectionClaim } from '../../../crypto/protocol/contents/protection-sentence.ts';

/** Each sort of protection once. */
export const claims: readonly ProtectionClaim[] = [
  { kind: 'development', level: 'any', release: null },
  { kind: 'modal', level: 'stated', release: null },
  { kind: 'sev-snp', level: 'hardware', release: '1.4.0' },
  { kind: 'sev-snp', level: 'hardware-gpu', release: '1.4.0' },
  { kind: 'tdx', level: 'hardware', release: '1.4.0' },
  { kind: 'tdx', level: 'hardware-gpu', release: '1.4.0' },
];

/** A step of every detail, and among them one of every check. */
export function sampleSteps(): VerificationStep[] {
  return Object.entries(detailValues).map(([detail, { entries }], index) => ({
    check: checkCodes[index % checkCodes.length] ?? 'policy',
    result: 'enforced',
    detail: detail as DetailCode,
    values: Object.fromEntries(
      Object.entries<v.GenericSchema>(entries).map(([name, schema]) => [name, sampleOf(name, schema)]),
    ),
  }));
}

function sampleOf(name: string, { type }: v.GenericSchema): StepValue {
  switch (type) {
    case 'number':
    case 'nullable':
      return name.length * 7;
    case 'array':
      return ['580.95.05 96.00.A5.00.01', '570.1 96.00.A5.00.02'];
    case 'picklist':
      return 'tdx';
    default:
      return `${name}-value`;
  }
}
