import type { KeyStatement } from '../../protocol/messages/enclave-messages.ts';
import type { ModalEvidence, RegistrarStatement } from '../../protocol/messages/evidence-messages.ts';
import { fromBase64Url } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { enforced, refuse, type VerificationStep } from '../evidence-step.ts';
import type { ModalPolicy } from '../policy.ts';
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
  steps.push(enforced('Registrar', 'The registrar that this client knows signed a statement.'));

  if (statement.identityPublicKey !== evidence.identityPublicKey) {
    refuse('identity-mismatch', 'Identity', 'The statement is about another enclave.');
  }
  steps.push(enforced('Identity', 'The statement is about this very enclave.'));

  checkDates(input, statement);
  checkDeployment(policy, statement);
  steps.push(enforced('Deployment', 'The Modal workspace, environment, app and function that this client knows.'));

  checkLog({ ...input, signed });
}

/** Nothing of a statement is looked at before its signature has been. */
function readStatement(policy: ModalPolicy, evidence: ModalEvidence) {
  const name = 'Registrar';
  const signed: SignedStatement = orMalformed(name, 'The statement is not readable.', () => ({
    statement: fromBase64Url(evidence.statement),
    signature: fromBase64Url(evidence.signature),
  }));
  const registrarPublicKey = fromBase64Url(policy.registrarPublicKey);
  if (!isSignedByRegistrar({ registrarPublicKey, ...signed })) {
    refuse('signature', name, 'Not signed by the registrar that this client knows.');
  }
  const statement = orMalformed(name, 'The registrar signed something that is no statement.', () =>
    parseRegistrarStatement(signed.statement),
  );
  return { signed, statement };
}

/** By the client's clock, and by the enclave's, which the key statement has just shown for this nonce. */
function checkDates({ statement: keys, maximumAgeMs, nowMs, steps }: Input, statement: RegistrarStatement): void {
  const name = 'Age of the statement';
  const { issuedAtMs, notAfterMs } = statement;
  if (notAfterMs <= issuedAtMs || notAfterMs - issuedAtMs > maximumAgeMs) {
    refuse('too-old', name, 'It claims to hold for longer than this client accepts.');
  }
  for (const clockMs of [keys.issuedAtMs, nowMs]) {
    if (clockMs < issuedAtMs - clockSkewMs) refuse('not-yet-valid', name, 'It was made in the future.');
    if (clockMs > notAfterMs + clockSkewMs) refuse('too-old', name, 'It is over.');
  }
  steps.push(enforced(name, `Made for ${Math.ceil((notAfterMs - issuedAtMs) / 60_000)} minutes, which are not over.`));
}

function checkDeployment(policy: ModalPolicy, statement: RegistrarStatement): void {
  for (const field of ['workspaceId', 'environmentId', 'appId', 'functionId'] as const) {
    if (statement[field] !== policy[field]) {
      refuse(
        'wrong-deployment',
        'Deployment',
        'A container on Modal, but not of the deployment that this client knows.',
      );
    }
  }
}

function checkLog({ evidence, policy, steps, signed }: Input & { readonly signed: SignedStatement }): void {
  const name = 'Public log';
  const checkpoint: SignedCheckpoint = orMalformed(name, 'The checkpoint is not readable.', () =>
    parseCheckpoint(evidence.checkpoint),
  );
  if (checkpoint.origin !== policy.logOrigin || !isSignedByLog(checkpoint, fromBase64Url(policy.logPublicKey))) {
    refuse('log', name, 'Not a checkpoint of the log that this client knows.');
  }
  const proof = orMalformed(name, 'The proof is not readable.', () =>
    evidence.inclusionProof.map((sibling) => fromBase64Url(sibling)),
  );
  const leafHash = hashLogLeaf(encodeLogEntry(signed));
  const { size, rootHash } = checkpoint;
  if (!verifyInclusion({ leafHash, leafIndex: evidence.leafIndex, size, rootHash, proof })) {
    refuse('log', name, 'The statement is not in the log.');
  }
  steps.push(enforced(name, `Entry ${evidence.leafIndex} of ${size}, where everyone can see it.`));
}

function orMalformed<Result>(name: string, detail: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof CryptoError) return refuse('malformed', name, detail);
    throw error;
  }
}
