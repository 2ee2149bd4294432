import { expect, test } from 'vitest';
import { testNowMs } from '../vendors/certificate-maker.ts';
import { type IntelChanges, makeIntelMachine, makeIntelVendor } from './intel-machine.ts';
import { askTdx, type TdxQuestion } from './tdx-question.ts';

/** Tables of single faults in TDX evidence, each beside evidence of the same machine that is accepted (SPEC.md §9.8). */
export const expected = new Uint8Array(64).map((_, index) => index + 1);
export const vendor = makeIntelVendor();
export const machine = makeIntelMachine({ vendor });
/** Another machine of the same vendor. */
export const neighbour = makeIntelMachine({ vendor, serialNumber: 104 });
/** A machine of another vendor: all names alike, no key. */
export const stranger = makeIntelMachine();
export const dayMs = 86_400_000;
export const v5 = { version: 5, reportType: 3 } as const;

export type Question = Partial<Omit<TdxQuestion, 'policy'>> & { readonly policy?: Partial<TdxQuestion['policy']> };
/** Holds the refusal, as `code: step`, the changes in the evidence, and those in the question. */
export type Variant = readonly [name: string, refusal: string, changes: IntelChanges, question?: Question];

export type Acceptance = readonly [name: string, changes: IntelChanges, question?: Question];

/** @returns `accepted`, or the code of the refusal and the step that failed. */
export function ask(changes: IntelChanges, question: Question = {}, of = machine): Promise<string> {
  const { evidence, collateral, rootDigest } = of.makeEvidence({ expected, ...changes });
  return askTdx({
    quote: evidence.quote,
    collateral,
    expected,
    nowMs: testNowMs,
    ...question,
    policy: {
      roots: [rootDigest],
      tcbStatuses: ['UpToDate'],
      minimumTcbEvaluationDataNumber: 18,
      ...question.policy,
    },
  });
}

export function refuses(variants: readonly Variant[], twin: IntelChanges = {}): void {
  for (const [name, refusal, changes, question] of variants) {
    test(`refuses ${name}`, async () => {
      expect(await ask(changes, question)).toBe(refusal);
      expect(await ask(twin)).toBe('accepted');
    });
  }
}

export function accepts(variants: readonly Acceptance[]): void {
  for (const [name, changes, question] of variants) {
    test(`accepts ${name}`, async () => {
      expect(await ask(changes, question)).toBe('accepted');
    });
  }
}

/** Changes one bit of each of these bytes. */
export function flipAt(...places: readonly number[]) {
  return (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, index) => (places.includes(index) ? byte ^ 1 : byte));
}
