import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readTdxCollateralNeed } from '../../../../crypto/evidence/tdx/collateral-need.ts';
import { intelRootDigest } from '../../../../crypto/evidence/tdx/intel-chains.ts';
import { parsePckChain, readPckExtensions } from '../../../../crypto/evidence/tdx/pck-certificate.ts';
import { verifyQuoteSignatures } from '../../../../crypto/evidence/tdx/qe-identity.ts';
import { parseQuote } from '../../../../crypto/evidence/tdx/quote.ts';
import { checkTrustDomain } from '../../../../crypto/evidence/tdx/trust-domain.ts';
import { verifyChain } from '../../../../crypto/evidence/x509/verify-chain.ts';
import type { TdxCollateral } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { fromHex, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { flipAt, stranger } from '../../../parts/evidence/intel/tdx-conformance.ts';
import { askTdx, type TdxQuestion } from '../../../parts/evidence/intel/tdx-question.ts';

const folder = resolve(import.meta.dirname, '../../../vectors/evidence');
const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

describe('a genuine quote of version 4 and its collateral', () => {
  /** The file is a buffer of fixed size, of which the quote fills the beginning. */
  const quoteLength = 4936;
  let file: Uint8Array<ArrayBuffer>;
  let question: TdxQuestion;
  beforeAll(() => {
    file = Uint8Array.from(readFileSync(resolve(folder, 'tdx_quote')));
    const quote = file.slice(0, quoteLength);
    question = {
      quote: base64Url(quote),
      collateral: readCollateral(resolve(folder, 'tdx_quote_collateral.json')),
      expected: parseQuote(quote).report.reportData,
      nowMs: Date.UTC(2025, 6, 1),
      policy: { roots: null, tcbStatuses: ['UpToDate'], minimumTcbEvaluationDataNumber: 17 },
    };
  });
  const at = (date: string) => askTdx({ ...question, nowMs: Date.parse(date) });

  test('is accepted between 19 June and 19 July 2025, and refused outside for the dates alone', async () => {
    expect(await at('2025-06-19T10:32:27Z')).toBe('accepted');
    expect(await at('2025-07-19T10:00:35Z')).toBe('accepted');
    expect(await at('2025-06-19T10:32:26Z')).toBe('not-yet-valid: tdx-quoting-enclave');
    expect(await at('2025-06-19T10:16:02Z')).toBe('not-yet-valid: tdx-rating');
    expect(await at('2025-06-19T10:00:34Z')).toBe('not-yet-valid: tdx-certificate');
    expect(await at('2025-07-19T10:00:36Z')).toBe('outdated-collateral: tdx-certificate');
    expect(await at('2032-02-07T00:00:00Z')).toBe('expired: tdx-certificate');
    expect(await at('2017-01-01T00:00:00Z')).toBe('not-yet-valid: tdx-certificate');
  });

  test('is refused with the zeros that its buffer ends in', async () => {
    expect(file.subarray(quoteLength).every((byte) => byte === 0)).toBe(true);
    expect(await askTdx({ ...question, quote: base64Url(file) })).toBe('malformed: tdx');
    expect(await askTdx(question)).toBe('accepted');
  });

  test('is refused for each reason of its own', async () => {
    const { policy, collateral } = question;
    const quote = file.slice(0, quoteLength);
    const strangers = stranger.makeEvidence({ expected: question.expected });
    const refused: readonly (readonly [string, Partial<TdxQuestion>])[] = [
      ['report-data: tdx-report-data', { expected: new Uint8Array(64) }],
      ['outdated-firmware: tdx-firmware', { policy: { ...policy, tcbStatuses: ['SWHardeningNeeded'] } }],
      ['outdated-collateral: tdx-rating', { policy: { ...policy, minimumTcbEvaluationDataNumber: 18 } }],
      ['untrusted-root: tdx-certificate', { policy: { ...policy, roots: [stranger.rootDigest] } }],
      ['untrusted-root: tdx-certificate', { quote: strangers.evidence.quote }],
      ['chain: tdx-certificate', { collateral: strangers.collateral }],
      ['signature: tdx-signature', { quote: base64Url(flipAt(48 + 520)(quote)) }],
      ['signature: tdx-signature', { quote: base64Url(flipAt(48 + 120)(quote)) }],
      ['signature: tdx-quoting-enclave', { quote: base64Url(flipAt(770 + 258)(quote)) }],
      [
        'signature: tdx-rating',
        { collateral: { ...collateral, tcbInfo: collateral.tcbInfo.replace('OutOfDate', 'UpToDate') } },
      ],
      [
        'signature: tdx-quoting-enclave',
        { collateral: { ...collateral, qeIdentity: collateral.qeIdentity.replace('"isvsvn":4', '"isvsvn":1') } },
      ],
    ];
    for (const [refusal, change] of refused) expect(await askTdx({ ...question, ...change })).toBe(refusal);
    expect(await askTdx(question)).toBe('accepted');
  });

  test('names what must be fetched for it', () => {
    expect(readTdxCollateralNeed(file.slice(0, quoteLength))).toEqual({
      kind: 'tdx',
      fmspc: 'b0c06f000000',
      ca: 'platform',
    });
  });
});

describe('a genuine quote of version 5 (google/go-tdx-guest, Apache-2.0)', () => {
  const quote = Uint8Array.from(readFileSync(resolve(folder, 'tdx_quote_v5.dat')));

  test('is read to its last byte', () => {
    const { version, report } = parseQuote(quote);
    expect(version).toBe(5);
    expect(toHex(report.teeTcbSvn)).toBe('0b010400000000000000000000000000');
    expect(toHex(report.tdAttributes)).toBe('0000001000000000');
    expect(toHex(report.xfam)).toBe('e702060000000000');
    expect(report.mrServiceTd).toEqual(new Uint8Array(48));
    expect(toHex(report.mrTd)).toMatch(/^7348651a34b2d2d3/);
    expect(() => parseQuote(quote.slice(0, -1))).toThrow(expect.objectContaining({ code: 'malformed' }));
    expect(readTdxCollateralNeed(quote)).toEqual({ kind: 'tdx', fmspc: '90c06f000000', ca: 'platform' });
  });

  test("is signed by a processor that Intel's root vouches for, and asks for nothing odd", async () => {
    const parsed = parseQuote(quote);
    const certificates = parsePckChain(parsed.pckChain);
    const chain = { check: 'tdx-certificate' as const, certificates, rootDigests: [fromHex(intelRootDigest)] };
    await expect(verifyChain({ ...chain, nowMs: Date.UTC(2026, 1, 2) })).resolves.toBeUndefined();
    await expect(verifyQuoteSignatures(parsed, certificates[0])).resolves.toBeUndefined();
    expect(() => checkTrustDomain(parsed.report)).not.toThrow();
    expect(readPckExtensions(certificates[0])).toMatchObject({ pceId: '0000', pceSvn: 13 });
  });

  test.each([
    ['its report', 54 + 520, 'signature'],
    ['its body descriptor', 48, 'malformed'],
    ['its QE report', 840, 'signature'],
  ])('is refused with a changed byte in %s', async (_name, place, code) => {
    const changed = flipAt(place)(quote);
    const verify = async () => {
      const parsed = parseQuote(changed);
      await verifyQuoteSignatures(parsed, parsePckChain(parsed.pckChain)[0]);
    };
    await expect(verify()).rejects.toThrow(expect.objectContaining({ code }));
  });
});

/** Collateral as Phala's dcap-qvl stores it. */
function readCollateral(path: string): TdxCollateral {
  const stored = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const hex = (name: string) => Buffer.from(stored[name]!, 'hex').toString('base64url');
  const chain = (name: string) =>
    [...stored[name]!.matchAll(/BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, text]) =>
      base64Url(Buffer.from(text!, 'base64')),
    );
  return {
    kind: 'tdx',
    tcbInfo: stored['tcb_info']!,
    tcbInfoSignature: hex('tcb_info_signature'),
    tcbInfoIssuerChain: chain('tcb_info_issuer_chain'),
    qeIdentity: stored['qe_identity']!,
    qeIdentitySignature: hex('qe_identity_signature'),
    qeIdentityIssuerChain: chain('qe_identity_issuer_chain'),
    rootCaCrl: hex('root_ca_crl'),
    pckCrl: hex('pck_crl'),
    pckCrlIssuerChain: chain('pck_crl_issuer_chain'),
  };
}
