import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../../../../audit/document/step-words.ts';
import { stepText } from '../../../../../client/page/texts/of-values/evidence-texts.ts';
import { claimText, storedProtectionText } from '../../../../../client/page/texts/of-values/protection-texts.ts';
import { checkCodes, type VerificationStep } from '../../../../../crypto/evidence/policy/evidence-step.ts';
import { detailValues } from '../../../../../crypto/evidence/policy/step-details.ts';
import { readStoredProtection, writeProtection } from '../../../../../crypto/protocol/contents/protection-sentence.ts';
import { claims, sampleSteps } from '../../../../parts/evidence/sample-steps.ts';

describe('stepText', () => {
  test('every check and every detail has words, and the words of a detail hold each of its values', () => {
    const steps = sampleSteps();
    expect(new Set(steps.map(({ check }) => check))).toEqual(new Set(checkCodes));
    expect(new Set(steps.map(({ detail }) => detail))).toEqual(new Set(Object.keys(detailValues)));
    for (const step of steps) {
      const { name, detail } = stepText(step);
      expect(name).toMatch(/^[A-Z].{2,}$/);
      expect(detail).not.toMatch(/undefined|null|\[object/);
      for (const value of Object.values(step.values).flat()) {
        for (const part of String(value ?? '').split(' ')) expect(detail).toContain(part);
      }
    }
  });

  test.each([
    ['statement-holds', { minutes: 1 }, 'Made for 1 minute, which is not over.'],
    ['statement-holds', { minutes: 2 }, 'Made for 2 minutes, which are not over.'],
    ['evidence-holds', { minutes: 1 }, 'It holds for 1 more minute.'],
    ['manifests-signed', { count: 1 }, '1 manifest, signed by NVIDIA.'],
  ] as const)('%s with %j counts as a person would', (detail, values, words) => {
    expect(stepText({ check: 'policy', result: 'enforced', detail, values }).detail).toBe(words);
  });

  test('in English they are the words that documents of format 1 hold', () => {
    for (const step of sampleSteps()) expect(stepText(step)).toMatchObject(nameAndDetail(step));
  });

  test('a step of an earlier build is shown in the words that it holds', () => {
    const step = { name: 'Your minimum', result: 'failed', detail: 'Less than you ask for.' } as const;
    expect(stepText(step)).toMatchObject({ name: 'Your minimum', detail: 'Less than you ask for.' });
  });

  test.each(['constructor', 'later', 'tcb', 'gpu-version', 'a-later-code'])(
    'a code of a later build is shown as a code: %s',
    (code) => {
      const step = { check: code, result: 'enforced', detail: code, values: {} } as const;
      expect(stepText(step)).toEqual({
        name: `A check of a later version (${code})`,
        detail: `A result of a later version (${code})`,
      });
    },
  );
});

describe('storedProtectionText', () => {
  test.each(claims)('$kind, $level: the stored key becomes the words of the claim', (claim) => {
    const stored = readStoredProtection(writeProtection(claim));
    expect(stored).toEqual(claim);
    expect(storedProtectionText(stored!)).toBe(claimText(claim));
  });

  test('any other text that was stored is shown as it is, and an empty one is none', () => {
    const text = 'A <b>sentence</b> of another build.';
    expect(storedProtectionText(readStoredProtection(text)!)).toBe(text);
    expect(readStoredProtection('')).toBeNull();
  });
});

function nameAndDetail(step: VerificationStep) {
  const { name, detail } = wordsOf(step);
  // The page writes quotes of a printer.
  const printed = (words: string) => words.replaceAll("'", '’').replace(/"([^"]*)"/, '“$1”');
  return { name: printed(name), detail: printed(detail) };
}
