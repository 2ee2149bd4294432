import type {
  EnclaveChoice,
  Attestation,
  PooledAttestation,
  EnclaveRequest,
} from '../../crypto/protocol/messages/enclave-messages.ts';
import type { Enclave, Place, Pool } from './pool.ts';
import { RelayError } from '../api/route/relay-error.ts';

/** Fills in what the enclave asks to have fetched for the client. Never throws: a client refuses what lacks something. */
export type CollateralSource = {
  complete(evidence: Attestation): Promise<Omit<Attestation, 'collateralNeeds'>>;
};

export type ChooseDependencies = { readonly pool: Pool; readonly collateral: CollateralSource };

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
  dependencies: ChooseDependencies,
  accountId: string,
  request: EnclaveRequest,
  avoided: string | null = null,
): Promise<EnclaveChoice> {
  const place = { accountId, model: request.model };
  let reason: unknown = null;
  for (let round = 0; round < rounds; round++) {
    const enclaves = [...(await dependencies.pool.choose(place))];
    // One whose stream is down would be asked in vain for as long as the call may take.
    const rank = (enclave: Enclave) => (enclave.id === avoided ? 2 : enclave.seemsAway ? 1 : 0);
    enclaves.sort((a, b) => rank(a) - rank(b));
    const chosen = await askInTurn(dependencies, enclaves, request, avoided);
    if ('answer' in chosen) return chosen.answer;
    reason ??= chosen.reason;
    if (!(await isAnyLost(dependencies.pool, enclaves, place))) break;
  }
  throw reason instanceof RelayError ? reason : new RelayError('enclave-unreachable');
}

async function askInTurn(
  dependencies: ChooseDependencies,
  enclaves: readonly Enclave[],
  request: EnclaveRequest,
  avoided: string | null,
): Promise<{ readonly answer: EnclaveChoice } | { readonly reason: unknown }> {
  const asked = new Map<Enclave, Promise<PooledAttestation>>();
  const ask = (enclave: Enclave): Promise<PooledAttestation> => {
    const asking = asked.get(enclave) ?? askPooled(dependencies, enclave, request);
    asked.set(enclave, asking);
    return asking;
  };
  const second = enclaves.slice(1).find((enclave) => !enclave.seemsAway && enclave.id !== avoided);
  // Side by side with the first, so that it costs the client no time.
  const alternate = second === undefined ? null : ask(second).catch(() => null);
  let draining: EnclaveChoice | null = null;
  let reason: unknown = null;
  for (const enclave of enclaves) {
    try {
      const attestation = await ask(enclave);
      if (attestation.status.state === 'draining') {
        draining ??= attestation;
        continue;
      }
      enclave.prepare();
      const other = await withinMs(alternate, alternatePatienceMs);
      return {
        answer: other !== null && isAnother(attestation, other) ? { ...attestation, alternate: other } : attestation,
      };
    } catch (error) {
      reason ??= error;
    }
  }
  return draining === null ? { reason } : { answer: draining };
}

async function askPooled(
  dependencies: ChooseDependencies,
  enclave: Enclave,
  request: EnclaveRequest,
): Promise<PooledAttestation> {
  return { ...(await dependencies.collateral.complete(await enclave.askAttestation(request))), enclaveId: enclave.id };
}

/** Two entries may lead to one machine, and what it loses is lost to both. */
function isAnother(attestation: PooledAttestation, other: PooledAttestation): boolean {
  return (
    other.enclaveId !== attestation.enclaveId &&
    other.status.state !== 'draining' &&
    !other.publicKeys.some((key) => attestation.publicKeys.includes(key))
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
