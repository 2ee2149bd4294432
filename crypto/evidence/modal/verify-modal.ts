import type { KeyStatement } from '../../protocol/messages/enclave-messages.ts';
import type { ModalEvidence, RegistrarStatement } from '../../protocol/messages/evidence-messages.ts';
import { fromBase64Url } from '../../protocol/bytes/bytes.ts';
import { enforced, refuse, type VerificationStep } from '../policy/evidence-step.ts';
import type { ModalPolicy } from '../policy/policy.ts';
import { readOrRefuse } from '../policy/read-or-refuse.ts';
import { isSignedByLog, parseCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { hashLogLeaf, verifyInclusion } from './inclusion-proof.ts';
import {
  encodeLogEntry,
  isSignedByRegistrar,
  parseRegistrarStatement,
  type SignedStatement,
} from './registrar-statement.ts';

/** How far the clocks of registrar, enclave and client may lie apart (SPEC.md §9.6). */
const clockSkewMs = 300_000;

type Input = {
  readonly evidence: ModalEvidence;
  readonly policy: ModalPolicy;
  /** Verified before: signed by the evidence's identity key, for the client's nonce. */
  readonly statement: KeyStatement;
  readonly maximumAgeMs: number;
  readonly nowMs: number;
  readonly steps: VerificationStep[];
};

/**
 * Checks what the registrar states of an enclave on Modal, and that it stated it in public (SPEC.md §9.6).
 *
 * It shows what the registrar's operator says, and no more: no hardware vouches for it.
 *
 * @throws {EvidenceRefused}
 */
export function verifyModal(input: Input): void {
  const { policy, evidence, steps } = input;
  const { signed, statement } = readStatement(policy, evidence);
  steps.push(enforced('registrar', 'registrar-signed'));

  if (statement.identityPublicKey !== evidence.identityPublicKey) {
    refuse('identity-mismatch', 'identity', 'other-enclave');
  }
  steps.push(enforced('identity', 'this-enclave'));

  checkDates(input, statement);
  checkDeployment(policy, statement);
  steps.push(enforced('deployment', 'known-deployment'));

  checkLog({ ...input, signed });
}

/** Nothing of a statement is looked at before its signature has been. */
function readStatement(policy: ModalPolicy, evidence: ModalEvidence) {
  const name = 'registrar';
  const signed: SignedStatement = readOrRefuse(name, 'registrar-statement-unreadable', () => ({
    statement: fromBase64Url(evidence.statement),
    signature: fromBase64Url(evidence.signature),
  }));
  const registrarPublicKey = fromBase64Url(policy.registrarPublicKey);
  if (!isSignedByRegistrar({ registrarPublicKey, ...signed })) {
    refuse('signature', name, 'registrar-not-signed');
  }
  const statement = readOrRefuse(name, 'registrar-signed-other', () => parseRegistrarStatement(signed.statement));
  return { signed, statement };
}

/** By the client's clock, and by the enclave's, which the key statement has just shown for this nonce. */
function checkDates({ statement: keys, maximumAgeMs, nowMs, steps }: Input, statement: RegistrarStatement): void {
  const name = 'statement-age';
  const { issuedAtMs, notAfterMs } = statement;
  if (notAfterMs <= issuedAtMs || notAfterMs - issuedAtMs > maximumAgeMs) {
    refuse('too-old', name, 'statement-too-long');
  }
  for (const clockMs of [keys.issuedAtMs, nowMs]) {
    if (clockMs < issuedAtMs - clockSkewMs) refuse('not-yet-valid', name, 'statement-of-future');
    if (clockMs > notAfterMs + clockSkewMs) refuse('too-old', name, 'statement-over');
  }
  steps.push(enforced(name, 'statement-holds', { minutes: Math.ceil((notAfterMs - issuedAtMs) / 60_000) }));
}

function checkDeployment(policy: ModalPolicy, statement: RegistrarStatement): void {
  for (const field of ['workspaceId', 'environmentId', 'appId', 'functionId'] as const) {
    if (statement[field] !== policy[field]) {
      refuse('wrong-deployment', 'deployment', 'other-deployment');
    }
  }
}

function checkLog({ evidence, policy, steps, signed }: Input & { readonly signed: SignedStatement }): void {
  const name = 'public-log';
  const checkpoint: SignedCheckpoint = readOrRefuse(name, 'checkpoint-unreadable', () =>
    parseCheckpoint(evidence.checkpoint),
  );
  if (checkpoint.origin !== policy.logOrigin || !isSignedByLog(checkpoint, fromBase64Url(policy.logPublicKey))) {
    refuse('log', name, 'other-log');
  }
  const proof = readOrRefuse(name, 'proof-unreadable', () =>
    evidence.inclusionProof.map((sibling) => fromBase64Url(sibling)),
  );
  const leafHash = hashLogLeaf(encodeLogEntry(signed));
  const { size, rootHash } = checkpoint;
  if (!verifyInclusion({ leafHash, leafIndex: evidence.leafIndex, size, rootHash, proof })) {
    refuse('log', name, 'not-in-log');
  }
  steps.push(enforced(name, 'in-log', { leafIndex: evidence.leafIndex, size }));
}
