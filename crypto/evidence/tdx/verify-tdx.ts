import type { TdxCollateral, TdxEvidence } from '../../protocol/messages/evidence-messages.ts';
import { equalBytes, fromBase64Url, fromHex, toHex } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { enforced, refuse } from '../policy/evidence-step.ts';
import type { TdxPolicy } from '../policy/policy.ts';
import type { MachineFinding, MachineInput } from '../policy/machine-input.ts';
import { intelRootDigest, parseCollateral, verifyPckChain, verifySigningChain } from './intel-chains.ts';
import { parsePckChain, readPckExtensions } from './pck-certificate.ts';
import { qeIdentitySchema, rateQuotingEnclave, verifyQuoteSignatures } from './qe-identity.ts';
import { parseQuote } from './quote.ts';
import { openSignedDocument } from './signed-document.ts';
import { combineStatuses, ratePlatform, rateTdxModule, tcbInfoSchema } from './tcb-info.ts';
import { checkTrustDomain } from './trust-domain.ts';

type TdxInput = MachineInput<TdxEvidence, TdxCollateral, TdxPolicy>;

/**
 * Verifies an Intel TDX quote to Intel's root (SPEC.md §9.8).
 *
 * @returns MRTD and the four RTMRs.
 * @throws {EvidenceRefused} with the codes of SPEC.md §9.8, and never anything else.
 */
export async function verifyTdx(input: TdxInput): Promise<MachineFinding> {
  try {
    return await verifySteps(input);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return refuse('malformed', 'tdx', 'quote-unreadable');
  }
}

async function verifySteps({
  evidence,
  collateral,
  policy,
  expected,
  nowMs,
  steps,
}: TdxInput): Promise<MachineFinding> {
  const quote = parseQuote(fromBase64Url(evidence.quote));
  const chain = parsePckChain(quote.pckChain);
  const pck = readPckExtensions(chain[0]);
  const { rootCaCrl, pckCrl, pckCrlIssuerChain, ...issuers } = parseCollateral(collateral);
  const { report } = quote;
  steps.push(enforced('tdx-quote', 'quote-read', { version: quote.version }));

  const rootDigests = policy.roots?.map((digest) => fromBase64Url(digest)) ?? [fromHex(intelRootDigest)];
  const dated = { rootDigests, nowMs };
  await verifyPckChain({ ...dated, chain, rootCaCrl, pckCrl, pckCrlIssuerChain, steps });
  await verifyQuoteSignatures(quote, chain[0]);
  steps.push(enforced('tdx-signature', 'quote-signed'));
  if (!equalBytes(report.reportData, expected)) {
    refuse('report-data', 'tdx-report-data', 'signed-for-other-identity');
  }
  steps.push(enforced('tdx-report-data', 'signed-for-this-identity'));
  checkTrustDomain(report);
  steps.push(enforced('tdx-domain', 'domain-closed'));

  const { minimumTcbEvaluationDataNumber } = policy;
  const tcbStep = 'tdx-rating';
  const tcbInfo = await openSignedDocument({
    check: tcbStep,
    text: collateral.tcbInfo,
    signature: collateral.tcbInfoSignature,
    signer: await verifySigningChain({ ...dated, check: tcbStep, chain: issuers.tcbInfoIssuerChain, rootCaCrl }),
    schema: tcbInfoSchema,
    minimumTcbEvaluationDataNumber,
    nowMs,
  });
  if (tcbInfo.fmspc !== pck.fmspc || tcbInfo.pceId !== pck.pceId) {
    refuse('wrong-machine', tcbStep, 'document-of-other-processors');
  }
  steps.push(enforced(tcbStep, 'document-signed', { issueDate: tcbInfo.issueDate, nextUpdate: tcbInfo.nextUpdate }));
  const qeStep = 'tdx-quoting-enclave';
  const qeIdentity = await openSignedDocument({
    check: qeStep,
    text: collateral.qeIdentity,
    signature: collateral.qeIdentitySignature,
    signer: await verifySigningChain({ ...dated, check: qeStep, chain: issuers.qeIdentityIssuerChain, rootCaCrl }),
    schema: qeIdentitySchema,
    minimumTcbEvaluationDataNumber,
    nowMs,
  });
  const qeStatus = rateQuotingEnclave(quote.qeReport, qeIdentity);
  steps.push(enforced(qeStep, 'intels-own', { status: qeStatus }));
  const moduleStatus = rateTdxModule(tcbInfo, report);
  steps.push(enforced('tdx-module', 'intels-own', { status: moduleStatus }));
  const status = combineStatuses(ratePlatform(tcbInfo, pck, report), moduleStatus, qeStatus);
  if (status === 'Revoked') refuse('revoked', 'tdx-firmware', 'revoked-by-intel');
  if (!policy.tcbStatuses.some((accepted) => accepted === status)) {
    refuse('outdated-firmware', 'tdx-firmware', 'rating-not-accepted', { status });
  }
  steps.push(enforced('tdx-firmware', 'rated-by-intel', { status }));
  return { measurement: [report.mrTd, ...report.rtMrs].map((register) => toHex(register)).join(' ') };
}
