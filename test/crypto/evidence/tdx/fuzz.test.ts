import { describe, expect, test } from 'vitest';
import { readTdxCollateralNeed } from '../../../../crypto/evidence/tdx/collateral-need.ts';
import { EvidenceRefused } from '../../../../crypto/evidence/policy/evidence-step.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { seededNumbers, mutate } from '../../../parts/crypto/seeded-mutation.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import { ask, expected, machine } from '../../../parts/evidence/intel/tdx-conformance.ts';
import { askTdx, type TdxQuestion } from '../../../parts/evidence/intel/tdx-question.ts';

/** Seeded, so that a run that fails can be run again. askTdx throws whatever is no refusal. */
const made = { 4: machine.makeEvidence({ expected }), 5: machine.makeEvidence({ expected, version: 5 }) } as const;
const fromBase64Url = (text: string) => Uint8Array.from(Buffer.from(text, 'base64url'));
const toBase64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const question = (version: 4 | 5): TdxQuestion => ({
  quote: made[version].evidence.quote,
  collateral: made[version].collateral,
  expected,
  nowMs: testNowMs,
  policy: { roots: [machine.rootDigest], tcbStatuses: ['UpToDate'], minimumTcbEvaluationDataNumber: 18 },
});

describe('changed at random', () => {
  test.each([4, 5] as const)(
    'a quote of version %i is refused, never accepted, and nothing breaks',
    async (version) => {
      const next = seededNumbers(0x7d_0000 + version);
      const asked = question(version);
      const quote = fromBase64Url(asked.quote);
      const codes = new Set<string>();
      for (let run = 0; run < 400; run++) {
        const changed = toBase64Url(mutate(quote, next));
        if (changed === asked.quote) continue;
        const refusal = await askTdx({ ...asked, quote: changed });
        expect(refusal, `run ${run}`).not.toBe('accepted');
        codes.add(refusal);
      }
      expect(codes.size).toBeGreaterThan(3);
      expect(await askTdx(asked)).toBe('accepted');
    },
  );

  test.each(['rootCaCrl', 'pckCrl', 'tcbInfoSignature', 'qeIdentitySignature'] as const)(
    '%s is refused',
    async (member) => {
      const next = seededNumbers(0xc0 + member.length);
      const asked = question(4);
      for (let run = 0; run < 80; run++) {
        const changed = toBase64Url(mutate(fromBase64Url(asked.collateral[member]), next));
        if (changed === asked.collateral[member]) continue;
        const refusal = await askTdx({ ...asked, collateral: { ...asked.collateral, [member]: changed } });
        expect(refusal, `run ${run}`).not.toBe('accepted');
      }
      expect(await askTdx(asked)).toBe('accepted');
    },
  );

  test.each(['tcbInfoIssuerChain', 'qeIdentityIssuerChain', 'pckCrlIssuerChain'] as const)(
    'a certificate of %s is refused',
    async (member) => {
      const next = seededNumbers(0xca + member.length);
      const asked = question(4);
      for (let run = 0; run < 80; run++) {
        const chain = [...asked.collateral[member]];
        const index = next(chain.length);
        chain[index] = toBase64Url(mutate(fromBase64Url(chain[index]!), next));
        if (chain[index] === asked.collateral[member][index]) continue;
        const refusal = await askTdx({ ...asked, collateral: { ...asked.collateral, [member]: chain } });
        expect(refusal, `run ${run}`).not.toBe('accepted');
      }
      expect(await askTdx(asked)).toBe('accepted');
    },
  );

  test.each(['tcbInfo', 'qeIdentity'] as const)('%s that is signed as it is breaks nothing', async (member) => {
    const next = seededNumbers(0x15 + member.length);
    const seen = new Set<string>();
    for (let run = 0; run < 150; run++) {
      const change = (text: string) => Buffer.from(mutate(Buffer.from(text), next)).toString('latin1');
      seen.add(await ask({ [`${member}Text`]: change }));
    }
    expect([...seen].some((refusal) => refusal.startsWith('malformed'))).toBe(true);
  });

  test("the processor's certificates break nothing that reads a quote", () => {
    const next = seededNumbers(0x9e);
    const quote = fromBase64Url(made[4].evidence.quote);
    for (let run = 0; run < 2000; run++) {
      try {
        readTdxCollateralNeed(mutate(quote, next));
      } catch (error) {
        if (!(error instanceof CryptoError) && !(error instanceof EvidenceRefused)) throw error;
      }
    }
    expect(readTdxCollateralNeed(quote)).toEqual(machine.need);
  });

  test('random values of the processor in a signed certificate break nothing', async () => {
    const next = seededNumbers(0x5e);
    const seen = new Set<string>();
    for (let run = 0; run < 150; run++) {
      seen.add(
        await ask({ sgxMembers: (members) => members.map((each) => (next(4) === 0 ? mutate(each, next) : each)) }),
      );
    }
    expect(seen).toContain('malformed: tdx');
  });
});
