import * as v from 'valibot';
import type { EnclaveChoice } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import {
  enclaveChangedAnswer,
  type TurnAttempt,
  type TurnStart,
} from '../../../../crypto/protocol/messages/turn-messages.ts';
import { withOlderRelay } from '../../relay/http/older-relay.ts';
import { RelayCallError } from '../../relay/http/relay-call-error.ts';
import type { RelayClient } from '../../relay/relay-client.ts';

/** The relay's response to a sealed request. */
export type Posted =
  /** The relay has it; `isCertain` when its reply runs now, and was not over before this call. */
  | { readonly kind: 'taken'; readonly isCertain: boolean }
  /** Its enclave is not there: the same question may be sealed to this one, once it is verified over the call's nonce. */
  | { readonly kind: 'another-enclave'; readonly choice: EnclaveChoice };

/**
 * Begins a turn. The same bytes may be posted again after a lost answer: the enclave answers them once.
 *
 * @throws {RelayCallError} for every other refusal.
 */
export function postStart(relay: Pick<RelayClient, 'startTurn'>, start: TurnStart): Promise<Posted> {
  return post(start, (body) => relay.startTurn(body));
}

/** Posts one more sealed request of a turn that the relay has. @throws {RelayCallError} `not-found` and others. */
export async function postAgain(
  relay: Pick<RelayClient, 'attemptTurn'>,
  turnId: string,
  attempt: TurnAttempt,
): Promise<Posted> {
  try {
    return await post(attempt, (body) => relay.attemptTurn(turnId, body));
  } catch (error) {
    // An earlier sealing of it has arrived after all, or even its reply.
    const isThere =
      error instanceof RelayCallError && (error.code === 'request-replayed' || error.code === 'turn-conflict');
    if (isThere) return { kind: 'taken', isCertain: false };
    throw error;
  }
}

async function post<Body extends TurnAttempt>(
  body: Body,
  call: (body: Body) => Promise<{ readonly state: string }>,
): Promise<Posted> {
  try {
    const { state } = await withOlderRelay(body, call);
    return { kind: 'taken', isCertain: state === 'running' };
  } catch (error) {
    const choice = enclaveChosenInstead(error);
    if (choice === null) throw error;
    return { kind: 'another-enclave', choice };
  }
}

/** The one refusal that says by its form that the turn is stored. */
function enclaveChosenInstead(error: unknown): EnclaveChoice | null {
  if (!(error instanceof RelayCallError) || error.code !== 'enclave-changed') return null;
  const parsed = v.safeParse(enclaveChangedAnswer, error.answer);
  return parsed.success ? parsed.output.enclave : null;
}
