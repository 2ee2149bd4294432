import type { EnclaveChoice } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { TurnAttempt } from '../../../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { drawNonce } from '../../enclave/verified-enclave.ts';
import { toVaultError, VaultError } from '../../failures/vault-error.ts';
import { RelayCallError } from '../../relay/http/relay-call-error.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import { type Clock, wait } from '../../surroundings/clock.ts';
import { postAgain, type Posted, postStart } from './post-attempt.ts';
import { sealAttempt, type SealingEnclave, type TurnQuestion } from './seal-attempt.ts';
import { enclaveChanged, Patience, readSetback } from './setback.ts';

/** The choice that the relay made instead, and the nonce that its evidence has to cover. */
export type ChosenInstead = { readonly choice: EnclaveChoice; readonly nonce: Bytes };

export type DeliverySurroundings = {
  readonly relay: Pick<RelayClient, 'startTurn' | 'attemptTurn'>;
  readonly clock: Clock;
  /** 0 to 1, for jitter only. */
  readonly random: () => number;
  /**
   * Says where else the question may go, and nothing is sealed to what this did not verify.
   *
   * @param chosenInstead - null where the relay named none: one is to be asked for.
   * @throws {VaultError} `evidence-refused` and such, `enclave-changed` where the person is to be asked.
   */
  readonly verifyAnother: (chosenInstead: ChosenInstead | null) => Promise<SealingEnclave>;
  /** The question is sealed to this one now. */
  readonly onSealing: (enclave: SealingEnclave) => void;
  /** Taken back. */
  readonly signal: AbortSignal;
};

/** `never`: taken back before anything left; `perhaps`: taken back, and the relay may have it. */
export type Delivered = 'taken' | 'never' | 'perhaps';

/** A sealed request of the question, and the call that it goes by. */
type Sealed = { readonly attempt: TurnAttempt; readonly nonce: Bytes };

/**
 * Brings one question to an enclave, with no item beside it. After a lost answer the same bytes are sent again; another sealing
 * follows only where an enclave is gone or a request too old.
 *
 * @throws {VaultError} once nothing but the person can help.
 */
export async function deliver(
  question: TurnQuestion,
  first: SealingEnclave,
  surroundings: DeliverySurroundings,
): Promise<Delivered> {
  const { clock, random, signal, verifyAnother, onSealing } = surroundings;
  const patience = new Patience();
  let enclave: SealingEnclave | null = first;
  let chosenInstead: ChosenInstead | null = null;
  let sealed: Sealed | null = null;
  let hasLeft = false;
  let isStored = false;
  while (!signal.aborted) {
    try {
      if (sealed === null) {
        const instead: ChosenInstead | null = chosenInstead;
        chosenInstead = null;
        enclave ??= await verifyAnother(instead);
        if (signal.aborted) break;
        const nonce = drawNonce();
        onSealing(enclave);
        sealed = { attempt: await sealAttempt(question, enclave, nonce.text), nonce: nonce.bytes };
      }
      hasLeft = true;
      const posted: Posted | 'not-stored' = await post(surroundings, question.turnId, sealed, isStored);
      if (posted === 'not-stored') {
        isStored = false;
        continue;
      }
      if (posted.kind === 'taken') return 'taken';
      isStored = true;
      if (!patience.sealAgain()) throw enclaveChanged().error;
      chosenInstead = { choice: posted.choice, nonce: sealed.nonce };
      [enclave, sealed] = [null, null];
    } catch (error) {
      if (toVaultError(error).code === 'session-ended') throw new VaultError('session-ended');
      const setback = patience.weigh(readSetback(error));
      if (setback.kind === 'final') throw setback.error;
      if (setback.kind === 'stale') isStored = true;
      // Bytes that may be there already are sent again as they are.
      if (setback.kind === 'stale' || setback.doubts) [enclave, sealed] = [null, null];
      if (setback.kind === 'later') await wait(clock, patience.pauseMs(setback, random), signal);
    }
  }
  return hasLeft ? 'perhaps' : 'never';
}

/** @param isStored - True if the relay has an earlier request of the turn. */
async function post(
  { relay }: DeliverySurroundings,
  turnId: string,
  { attempt }: Sealed,
  isStored: boolean,
): Promise<Posted | 'not-stored'> {
  if (!isStored) return postStart(relay, { ...attempt, turnId, batch: null });
  try {
    return await postAgain(relay, turnId, attempt);
  } catch (error) {
    if (error instanceof RelayCallError && error.code === 'not-found') return 'not-stored';
    throw error;
  }
}
