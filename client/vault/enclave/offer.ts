import * as v from 'valibot';
import type { CodedDocument } from '../../../crypto/evidence/document-formats.ts';
import { makeVerificationDocument } from '../../../crypto/evidence/verification-document.ts';
import { type AcceptedVerdict, isSecondEnclave } from '../../../crypto/evidence/second-enclave.ts';
import { type EnclaveVerdict, verifyEnclave } from '../../../crypto/evidence/verify-enclave.ts';
import { enclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import type { EnclaveAnswer } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { type Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Clock } from '../surroundings/clock.ts';
import { newId } from '../surroundings/new-id.ts';

type Refused = Extract<EnclaveVerdict, { refused: true }>;

/** The outcome of judging an offer under one minimum. */
export type Judgement = {
  readonly verdict: EnclaveVerdict;
  /** A second enclave that proves the very same. */
  readonly alternate: { readonly enclaveId: string; readonly verdict: AcceptedVerdict } | null;
  /** The verdict without the person's minimum, where nothing else refuses it. */
  readonly offered: AcceptedVerdict | null;
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
export class Offer {
  readonly answer: EnclaveAnswer;
  readonly receivedAtMs: number;
  readonly wallMs: number;
  readonly #nonce: Bytes;
  readonly #policy: unknown;
  readonly #judgements = new Map<ProtectionLevel, Promise<Judgement>>();

  constructor(answer: EnclaveAnswer, nonce: Bytes, parts: { readonly clock: Clock; readonly policy: unknown }) {
    this.answer = answer;
    this.#nonce = nonce;
    this.#policy = parts.policy;
    this.receivedAtMs = parts.clock.monotonicMs();
    this.wallMs = Math.max(0, Math.floor(parts.clock.wallMs()));
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
    const { answer } = this;
    const question = {
      nonce: this.#nonce,
      model: 'default',
      minimum,
      policy: this.#policy,
      nowMs: this.wallMs,
    };
    const verdict = await verifyEnclave({ ...question, answer });
    const enclaves: { answer: Omit<EnclaveAnswer, 'alternate'>; verdict: EnclaveVerdict }[] = [{ answer, verdict }];
    let alternate: Judgement['alternate'] = null;
    if (!verdict.refused && answer.alternate !== undefined && answer.alternate.enclaveId !== answer.enclaveId) {
      const second = await verifyEnclave({ ...question, answer: answer.alternate });
      if (!second.refused && isSecondEnclave(verdict, second)) {
        alternate = { enclaveId: answer.alternate.enclaveId, verdict: second };
        enclaves.push({ answer: answer.alternate, verdict: second });
      }
    }
    const offered = verdict.refused ? await this.#offered(verdict) : null;
    const isWhole = v.is(enclavePolicy, this.#policy);
    return {
      verdict,
      alternate,
      offered,
      document: isWhole ? makeVerificationDocument(question, enclaves) : null,
      itemId: newId(),
      laterItemId: newItemIds(),
    };
  }

  /** Judges without the person's own minimum, to see if that alone refuses the enclave. */
  async #offered(verdict: Refused): Promise<AcceptedVerdict | null> {
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
