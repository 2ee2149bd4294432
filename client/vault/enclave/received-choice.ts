import * as v from 'valibot';
import type { CodedDocument } from '../../../crypto/evidence/document-formats.ts';
import { makeVerificationDocument, type Verified } from '../../../crypto/evidence/verification-document.ts';
import { type AcceptedVerdict, isSecondEnclave } from '../../../crypto/evidence/second-enclave.ts';
import { type EnclaveVerdict, verifyEnclave } from '../../../crypto/evidence/verify-enclave.ts';
import { enclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import type { EnclaveChoice } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { type Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Clock } from '../surroundings/clock.ts';
import { newId } from '../surroundings/new-id.ts';

type Refused = Extract<EnclaveVerdict, { refused: true }>;

/** The outcome of judging a choice under one minimum. */
export type Judgement = {
  readonly verdict: EnclaveVerdict;
  /** A second enclave that proves the very same. */
  readonly alternate: { readonly enclaveId: string; readonly verdict: AcceptedVerdict } | null;
  /** The verdict without the person's minimum, where nothing else refuses it. */
  readonly withoutMinimum: AcceptedVerdict | null;
  /** null only where this client's own policy is not whole. */
  readonly document: CodedDocument | null;
  /** The item that the document goes into, with the first turn that rests on it. */
  readonly itemId: string;
  /** The item that it goes into once more, for a turn whose stored message names another one; the same each time. */
  readonly laterItemId: (turnId: string) => string;
};

/**
 * One answer of the relay to one question of ours, judged under as many minimums as there are conversations to use it for.
 * It was received at one moment, and every judgement of it is by that moment's clock.
 */
export class ReceivedChoice {
  readonly choice: EnclaveChoice;
  readonly receivedAtMs: number;
  readonly wallMs: number;
  readonly #nonce: Bytes;
  readonly #policy: unknown;
  readonly #judgements = new Map<ProtectionLevel, Promise<Judgement>>();

  constructor(choice: EnclaveChoice, nonce: Bytes, dependencies: { readonly clock: Clock; readonly policy: unknown }) {
    this.choice = choice;
    this.#nonce = nonce;
    this.#policy = dependencies.policy;
    this.receivedAtMs = dependencies.clock.monotonicMs();
    this.wallMs = Math.max(0, Math.floor(dependencies.clock.wallMs()));
  }

  /** @param minimum - The person's own, for the conversation in question. */
  judge(minimum: ProtectionLevel): Promise<Judgement> {
    const known = this.#judgements.get(minimum);
    if (known !== undefined) return known;
    const judged = this.#judge(minimum);
    this.#judgements.set(minimum, judged);
    // A verifier that could not be loaded may be loaded next time.
    judged.catch(() => this.#judgements.delete(minimum));
    return judged;
  }

  async #judge(minimum: ProtectionLevel): Promise<Judgement> {
    const { choice } = this;
    const question = {
      nonce: this.#nonce,
      model: 'default',
      minimum,
      policy: this.#policy,
      nowMs: this.wallMs,
    };
    const verdict = await verifyEnclave({ ...question, attestation: choice });
    const enclaves: Verified[] = [{ attestation: choice, verdict }];
    let alternate: Judgement['alternate'] = null;
    if (!verdict.refused && choice.alternate !== undefined && choice.alternate.enclaveId !== choice.enclaveId) {
      const second = await verifyEnclave({ ...question, attestation: choice.alternate });
      if (!second.refused && isSecondEnclave(verdict, second)) {
        alternate = { enclaveId: choice.alternate.enclaveId, verdict: second };
        enclaves.push({ attestation: choice.alternate, verdict: second });
      }
    }
    const withoutMinimum = verdict.refused ? await this.#judgeWithoutMinimum(verdict) : null;
    const isWhole = v.is(enclavePolicy, this.#policy);
    return {
      verdict,
      alternate,
      withoutMinimum,
      document: isWhole ? makeVerificationDocument(question, enclaves) : null,
      itemId: newId(),
      laterItemId: newItemIds(),
    };
  }

  /** Judges without the person's own minimum, to see if that alone refuses the enclave. */
  async #judgeWithoutMinimum(verdict: Refused): Promise<AcceptedVerdict | null> {
    if (verdict.code !== 'below-minimum') return null;
    const { verdict: without } = await this.judge('any');
    return without.refused ? null : without;
  }
}

/** @returns a new id for each name, and the same one when it is asked for again. */
function newItemIds(): (name: string) => string {
  const ids = new Map<string, string>();
  return (name) => {
    const id = ids.get(name) ?? newId();
    ids.set(name, id);
    return id;
  };
}
