import type { TdxCollateral, TdxEvidence } from '../../protocol/messages/evidence-messages.ts';
import { equalBytes, fromBase64Url, fromHex, toHex } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { enforced, refuse } from '../evidence-step.ts';
import type { TdxPolicy } from '../policy.ts';
import type { MachineFinding, MachineInput } from '../verify-machine.ts';
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
    return refuse('malformed', 'Intel TDX', 'The quote or what came with it is not of the form that Intel writes.');
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
  steps.push(enforced('Intel TDX quote', `Version ${quote.version}, read to its last byte.`));

  const rootDigests = policy.roots?.map((digest) => fromBase64Url(digest)) ?? [fromHex(intelRootDigest)];
  const dated = { rootDigests, nowMs };
  await verifyPckChain({ ...dated, chain, rootCaCrl, pckCrl, pckCrlIssuerChain, steps });
  await verifyQuoteSignatures(quote, chain[0]);
  steps.push(enforced('Quote signature', 'The processor vouches for the quoting enclave, and that signed the quote.'));
  if (!equalBytes(report.reportData, expected)) {
    refuse('report-data', 'Report data', 'The hardware signed for another identity or another time.');
  }
  steps.push(enforced('Report data', 'The hardware signed for this very identity.'));
  checkTrustDomain(report);
  steps.push(enforced('Trust domain', 'No debugging, no migration, no second owner.'));

  const { minimumTcbEvaluationDataNumber } = policy;
  const tcbStep = "Intel's rating of the firmware";
  const tcbInfo = await openSignedDocument({
    stepName: tcbStep,
    text: collateral.tcbInfo,
    signature: collateral.tcbInfoSignature,
    signer: await verifySigningChain({ ...dated, stepName: tcbStep, chain: issuers.tcbInfoIssuerChain, rootCaCrl }),
    schema: tcbInfoSchema,
    minimumTcbEvaluationDataNumber,
    nowMs,
  });
  if (tcbInfo.fmspc !== pck.fmspc || tcbInfo.pceId !== pck.pceId) {
    refuse('wrong-machine', tcbStep, 'It is about another family of processors.');
  }
  steps.push(enforced(tcbStep, `Signed by Intel, of ${tcbInfo.issueDate}, good until ${tcbInfo.nextUpdate}.`));
  const qeStep = 'Quoting enclave';
  const qeIdentity = await openSignedDocument({
    stepName: qeStep,
    text: collateral.qeIdentity,
    signature: collateral.qeIdentitySignature,
    signer: await verifySigningChain({ ...dated, stepName: qeStep, chain: issuers.qeIdentityIssuerChain, rootCaCrl }),
    schema: qeIdentitySchema,
    minimumTcbEvaluationDataNumber,
    nowMs,
  });
  const qeStatus = rateQuotingEnclave(quote.qeReport, qeIdentity);
  steps.push(enforced(qeStep, `Intel's own, rated ${qeStatus}.`));
  const moduleStatus = rateTdxModule(tcbInfo, report);
  steps.push(enforced('TDX module', `Intel's own, rated ${moduleStatus}.`));
  const status = combineStatuses(ratePlatform(tcbInfo, pck, report), moduleStatus, qeStatus);
  if (status === 'Revoked') refuse('revoked', 'Firmware', 'Intel has revoked this version of the firmware.');
  if (!policy.tcbStatuses.some((accepted) => accepted === status)) {
    refuse('outdated-firmware', 'Firmware', `Intel rates it ${status}, which this client does not accept.`);
  }
  steps.push(enforced('Firmware', `Intel rates it ${status}.`));
  return { measurement: [report.mrTd, ...report.rtMrs].map((register) => toHex(register)).join(' ') };
}
