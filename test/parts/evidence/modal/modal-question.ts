import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../../crypto/evidence/key-statement.ts';
import type { EnclavePolicy, ModalPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import type { PlainStatement } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import { evidenceList, type ModalEvidence } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { testNowMs } from '../vendors/certificate-maker.ts';
import { makeModalAttestation, type ModalFaults, ModalMachine, modalPolicy } from './modal-machine.ts';

/** The registrar of the conformance tests, and one that is not the policy's. */
export const machine = new ModalMachine();
export const neighbour = new ModalMachine();
const nonce = new Uint8Array(randomBytes(32));
const identity = generateIdentityKeyPair();

export type Question = {
  readonly policy?: Partial<EnclavePolicy>;
  readonly section?: Partial<ModalPolicy>;
  readonly keyStatement?: Partial<PlainStatement>;
  readonly nowMs?: number;
};
export type Variant = readonly [name: string, refusal: string, faults: ModalFaults, question?: Question];

/** A code, `schema` where the message would not even be parsed, or `accepted`. */
export async function askModal(faults: ModalFaults, question: Question = {}): Promise<string> {
  const answer = await makeModalAttestation({
    nonce,
    identity,
    evidence: (identityPublicKey) => [machine.makeEvidence({ identityPublicKey, ...faults })],
    ...(question.keyStatement === undefined ? {} : { statement: question.keyStatement }),
  });
  if (!v.is(evidenceList, answer.evidence)) return 'schema';
  const policy = modalPolicy({ ...machine.policy, ...question.section }, question.policy);
  const nowMs = question.nowMs ?? testNowMs;
  const verdict = await verifyEnclave({
    attestation: answer,
    nonce,
    model: 'default',
    minimum: 'stated',
    policy,
    nowMs,
  });
  if (!verdict.refused) return 'accepted';
  // The first failure ends it.
  expect(verdict.steps.filter(({ result }) => result === 'failed')).toEqual([verdict.steps.at(-1)]);
  return verdict.code;
}

/** One test for each; the twin without the fault is accepted beside it. */
export function refuses(variants: readonly Variant[], twin: ModalFaults = {}): void {
  for (const [name, refusal, faults, question] of variants) {
    test(`refuses ${name}`, async () => {
      expect(await askModal(faults, question)).toBe(refusal);
      expect(await askModal(twin)).toBe('accepted');
    });
  }
}

/** One bit of a byte string in base64url. */
export function flip(text: string, place: number): string {
  const changed = Buffer.from(text, 'base64url');
  changed[place % changed.length]! ^= 1 << (place % 8);
  return changed.toString('base64url');
}

/** The finished piece with one of its texts changed. */
export function change(
  field: 'statement' | 'signature' | 'identityPublicKey' | 'checkpoint',
  edit: (text: string) => string,
): NonNullable<ModalFaults['afterwards']> {
  return (evidence: ModalEvidence) => ({ [field]: edit(evidence[field]) });
}
