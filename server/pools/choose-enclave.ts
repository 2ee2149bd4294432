import type {
  EnclaveAnswer,
  EnclaveEvidence,
  EnclaveOffer,
  EnclaveRequest,
} from '../../crypto/protocol/messages/enclave-messages.ts';
import type { Enclave, Place, Pool } from './pool.ts';
import { RelayError } from '../api/route/relay-error.ts';

/** Fills in what the enclave asks to have fetched for the client. Never throws: a client refuses what lacks something. */
export type CollateralSource = {
  complete(evidence: EnclaveEvidence): Promise<Omit<EnclaveEvidence, 'collateralNeeds'>>;
};

export type ChooseParts = { readonly pool: Pool; readonly collateral: CollateralSource };

/** One enclave that was lost between choosing and asking is made up for by another. */
const rounds = 2;
/** A second enclave may take this much longer than the first. */
const alternatePatienceMs = 300;

/**
 * Asks the pool's enclaves for evidence that covers the client's nonce, in the order of this account's preference. It answers
 * with the first that takes turns. Where the pool has another at hand, that goes beside it, so that a request can be sealed to
 * both. One that is draining is named only when there is no other.
 *
 * @param avoided - One that has just refused: the last to be asked.
 * @throws {RelayError} the first enclave's reason when none answers.
 */
export async function chooseEnclave(
  parts: ChooseParts,
  accountId: string,
  request: EnclaveRequest,
  avoided: string | null = null,
): Promise<EnclaveAnswer> {
  const place = { accountId, model: request.model };
  let reason: unknown = null;
  for (let round = 0; round < rounds; round++) {
    const enclaves = [...(await parts.pool.choose(place))];
    // One whose stream is down would be asked in vain for as long as the call may take.
    const rank = (enclave: Enclave) => (enclave.id === avoided ? 2 : enclave.seemsAway ? 1 : 0);
    enclaves.sort((a, b) => rank(a) - rank(b));
    const chosen = await askInTurn(parts, enclaves, request, avoided);
    if ('answer' in chosen) return chosen.answer;
    reason ??= chosen.reason;
    if (!(await isAnyLost(parts.pool, enclaves, place))) break;
  }
  throw reason instanceof RelayError ? reason : new RelayError('enclave-unreachable');
}

async function askInTurn(
  parts: ChooseParts,
  enclaves: readonly Enclave[],
  request: EnclaveRequest,
  avoided: string | null,
): Promise<{ readonly answer: EnclaveAnswer } | { readonly reason: unknown }> {
  const asked = new Map<Enclave, Promise<EnclaveOffer>>();
  const ask = (enclave: Enclave): Promise<EnclaveOffer> => {
    const asking = asked.get(enclave) ?? askOffer(parts, enclave, request);
    asked.set(enclave, asking);
    return asking;
  };
  const second = enclaves.slice(1).find((enclave) => !enclave.seemsAway && enclave.id !== avoided);
  // Side by side with the first, so that it costs the client no time.
  const alternate = second === undefined ? null : ask(second).catch(() => null);
  let draining: EnclaveAnswer | null = null;
  let reason: unknown = null;
  for (const enclave of enclaves) {
    try {
      const offer = await ask(enclave);
      if (offer.status.state === 'draining') {
        draining ??= offer;
        continue;
      }
      enclave.prepare();
      const other = await withinMs(alternate, alternatePatienceMs);
      return { answer: other !== null && isAnother(offer, other) ? { ...offer, alternate: other } : offer };
    } catch (error) {
      reason ??= error;
    }
  }
  return draining === null ? { reason } : { answer: draining };
}

async function askOffer(parts: ChooseParts, enclave: Enclave, request: EnclaveRequest): Promise<EnclaveOffer> {
  return { ...(await parts.collateral.complete(await enclave.askEvidence(request))), enclaveId: enclave.id };
}

/** Two entries may lead to one machine, and what it loses is lost to both. */
function isAnother(offer: EnclaveOffer, other: EnclaveOffer): boolean {
  return (
    other.enclaveId !== offer.enclaveId &&
    other.status.state !== 'draining' &&
    !other.publicKeys.some((key) => offer.publicKeys.includes(key))
  );
}

async function isAnyLost(pool: Pool, enclaves: readonly Enclave[], place: Place): Promise<boolean> {
  for (const { id } of enclaves) if ((await pool.find(id, place)) === null) return true;
  return false;
}

async function withinMs<T>(work: Promise<T | null> | null, longestMs: number): Promise<T | null> {
  if (work === null) return null;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), longestMs)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
