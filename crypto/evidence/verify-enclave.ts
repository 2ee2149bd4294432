import * as v from 'valibot';
import type { Attestation, KeyStatement } from '../protocol/messages/enclave-messages.ts';
import type { MachineKind } from '../protocol/messages/evidence-messages.ts';
import { type Bytes, equalBytes, fromBase64Url } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { keyIdOf } from '../primitives/key-id.ts';
import { digestEvidence } from './evidence-digest.ts';
import {
  enforced,
  EvidenceRefused,
  failed,
  notOffered,
  type RefusalCode,
  refuse,
  type VerificationStep,
} from './policy/evidence-step.ts';
import { isSignedBy, verifyKeyStatement } from './key-statement.ts';
import { higherLevel, isAtLeast, type ProtectionLevel } from '../protocol/protection-level.ts';
import { type EnclavePolicy, enclavePolicy, type Release } from './policy/policy.ts';
import { verifyMachine } from './verify-machine.ts';

export type EnclaveVerdict =
  | {
      readonly refused: true;
      readonly code: RefusalCode;
      readonly steps: readonly VerificationStep[];
    }
  | {
      readonly refused: false;
      readonly kind: MachineKind;
      readonly level: ProtectionLevel;
      /** The measurement by the hardware, in the vendor's own hex; null where none did. */
      readonly measurement: string | null;
      /** The release that the measurement belongs to. */
      readonly release: Release | null;
      readonly statement: KeyStatement;
      readonly identityPublicKey: Bytes;
      /** In the statement's order, the one to use first. */
      readonly publicKeys: readonly { readonly keyId: Bytes; readonly publicKey: Bytes; readonly notAfterMs: number }[];
      /** Goes into every request that is sealed on the ground of this verdict. */
      readonly evidenceDigest: Bytes;
      readonly steps: readonly VerificationStep[];
    };

export type EnclaveQuestion = {
  /** Parsed by its schema. */
  readonly attestation: Omit<Attestation, 'status'>;
  /** The client drew it for this call (32). */
  readonly nonce: Uint8Array;
  /** The model that was asked for, or `default`. */
  readonly model: string;
  /** The person's own; the policy's stands if it is higher. */
  readonly minimum: ProtectionLevel;
  /** Compiled into the client; checked here too, since a missing field must refuse. */
  readonly policy: unknown;
  /** The client's clock: for the dates of certificates and collateral. */
  readonly nowMs: number;
};

const unreadable = new EvidenceRefused('malformed', failed('evidence', 'form-unknown'));

/**
 * Checks an enclave's evidence against the client's own policy, step by step (SPEC.md §9.4). The first step that fails
 * ends it: there is no "verified, with warnings". The verifier of a kind is loaded when that kind is met.
 */
export async function verifyEnclave(question: EnclaveQuestion): Promise<EnclaveVerdict> {
  const steps: VerificationStep[] = [];
  try {
    return await verifySteps(question, steps);
  } catch (error) {
    // Whatever a reader of a format could not make sense of ends here as well: only a defect or a missing file goes on.
    const refusal = error instanceof CryptoError ? unreadable : error;
    if (!(refusal instanceof EvidenceRefused)) throw error;
    return { refused: true, code: refusal.code, steps: [...steps, refusal.step] };
  }
}

async function verifySteps(question: EnclaveQuestion, steps: VerificationStep[]): Promise<EnclaveVerdict> {
  const { attestation, nonce } = question;
  const parsed = v.safeParse(enclavePolicy, question.policy);
  if (!parsed.success) refuse('policy-incomplete', 'policy', 'policy-incomplete');
  const policy = parsed.output;
  steps.push(enforced('policy', 'compiled-in'));

  const kind = attestation.evidence[0]?.kind;
  if (kind === undefined || kind === 'nvidia-gpu' || !policy.allowedKinds.includes(kind)) {
    refuse('kind-not-allowed', 'evidence-kind', 'kind-not-accepted');
  }
  steps.push(enforced('evidence-kind', 'of-kind', { kind }));

  const { statement, identityPublicKey } = readStatement(attestation);
  steps.push(enforced('signature', 'statement-signed'));
  const fresh = attempt(() => verifyKeyStatement({ identityPublicKey, ...statement, nonce }));
  if (fresh === null) refuse('nonce', 'freshness', 'other-question');
  steps.push(enforced('freshness', 'this-question'));

  const publicKeys = pairKeys(fresh, attestation.publicKeys);
  if (publicKeys === null) refuse('keys', 'keys', 'other-keys');
  steps.push(enforced('keys', 'keys-of-statement'));

  if (!isModelAllowed(fresh, question.model, policy)) {
    refuse('model', 'model', 'other-model');
  }
  steps.push(enforced('model', 'runs-model', { model: fresh.model }));
  steps.push(weightsStep(fresh, policy));

  const machine = await verifyMachine({ ...question, policy, statement: fresh, steps });
  const minimum = higherLevel(question.minimum, policy.minimum);
  if (!isAtLeast(machine.level, minimum)) {
    refuse('below-minimum', 'minimum', 'below-minimum');
  }
  steps.push(minimum === 'any' ? notOffered('minimum', 'no-minimum') : enforced('minimum', 'minimum-met'));
  return {
    refused: false,
    ...machine,
    kind,
    statement: fresh,
    identityPublicKey,
    publicKeys,
    evidenceDigest: digestEvidence(attestation),
    steps,
  };
}

/** The identity key is the one that the first piece of evidence names; that piece is verified against it later. */
function readStatement(attestation: EnclaveQuestion['attestation']) {
  const [first] = attestation.evidence;
  const identityPublicKey =
    first === undefined || first.kind === 'nvidia-gpu' ? null : attempt(() => fromBase64Url(first.identityPublicKey));
  const statement = attempt(() => fromBase64Url(attestation.statement));
  const signature = attempt(() => fromBase64Url(attestation.signature));
  if (identityPublicKey === null || statement === null || signature === null) {
    refuse('malformed', 'signature', 'statement-unreadable');
  }
  if (!isSignedBy({ identityPublicKey, statement, signature })) {
    refuse('signature', 'signature', 'statement-not-signed');
  }
  return { identityPublicKey, statement: { statement, signature } };
}

function pairKeys(statement: KeyStatement, encodedKeys: readonly string[]) {
  if (encodedKeys.length !== statement.keys.length) return null;
  const pairs = [];
  for (const [index, { keyId, notAfterMs }] of statement.keys.entries()) {
    const publicKey = attempt(() => fromBase64Url(encodedKeys[index] ?? ''));
    const expectedId = attempt(() => fromBase64Url(keyId));
    if (publicKey === null || expectedId === null || notAfterMs <= statement.issuedAtMs) return null;
    const actualId = attempt(() => keyIdOf(publicKey));
    if (actualId === null || !equalBytes(actualId, expectedId)) return null;
    pairs.push({ keyId: actualId, publicKey, notAfterMs });
  }
  return pairs;
}

function isModelAllowed(statement: KeyStatement, asked: string, policy: EnclavePolicy): boolean {
  if (asked !== 'default' && asked !== statement.model) return false;
  if (policy.models === null) return true;
  const { weightsDigest } = statement;
  return policy.models.some(
    ({ model, weightsDigests }) =>
      model === statement.model &&
      (weightsDigests === null || (weightsDigest !== null && weightsDigests.includes(weightsDigest))),
  );
}

function weightsStep({ model, weightsDigest }: KeyStatement, policy: EnclavePolicy): VerificationStep {
  const name = 'weights';
  if (weightsDigest === null) return notOffered(name, 'weights-not-shown');
  const isCompared = policy.models?.some((entry) => entry.model === model && entry.weightsDigests !== null) === true;
  return isCompared
    ? enforced(name, 'weights-accepted', { weightsDigest })
    : notOffered(name, 'weights-not-compared', { weightsDigest });
}

function attempt<Result>(compute: () => Result): Result | null {
  try {
    return compute();
  } catch {
    return null;
  }
}
