import { createHash } from 'node:crypto';
import { RelayError } from '../../api/route/relay-error.ts';
import { EnclaveClient, type EnclaveAddress } from '../enclave-client.ts';
import type { Enclave, Place, Pool, StreamListener } from '../pool.ts';

/** Rendezvous hashing: without any shared state every replica sends one account and model to one enclave. */
function weigh(enclaveId: string, place: Place): string {
  return createHash('sha256').update(`${enclaveId}\n${place.accountId}\n${place.model}`).digest('hex');
}

/** A fixed list of enclaves: this machine, a compose file, a confidential VM. */
export class StaticPool implements Pool {
  readonly #enclaves: readonly EnclaveClient[];

  readonly #agent: EnclaveAddress['agent'];

  /** @param agent - For connections that all of them have in common. */
  constructor(addresses: readonly EnclaveAddress[], agent?: EnclaveAddress['agent']) {
    this.#agent = agent;
    this.#enclaves = addresses.map((address) => new EnclaveClient({ ...address, ...(agent && { agent }) }));
  }

  async choose(place: Place): Promise<readonly Enclave[]> {
    const weighed = this.#enclaves.map((enclave) => ({ enclave, weight: weigh(enclave.id, place) }));
    weighed.sort((a, b) => (a.weight < b.weight ? 1 : -1));
    return weighed.map((entry) => entry.enclave);
  }

  async find(enclaveId: string): Promise<Enclave | null> {
    return this.#enclaves.find((enclave) => enclave.id === enclaveId) ?? null;
  }

  async listModels(): Promise<readonly string[]> {
    const answers = await Promise.allSettled(this.#enclaves.map((enclave) => enclave.askStatus()));
    const models = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.models : []));
    if (models.length === 0) throw firstReason(answers);
    return [...new Set(models)];
  }

  async isReady(): Promise<boolean> {
    const answers = await Promise.allSettled(this.#enclaves.map((enclave) => enclave.askStatus()));
    // A worker that loads a model answers with rehearsal meanwhile, so only `draining` takes no turn.
    return answers.some((answer) => answer.status === 'fulfilled' && answer.value.status.state !== 'draining');
  }

  listen(listener: StreamListener): void {
    for (const enclave of this.#enclaves) {
      enclave.listen(listener);
      // Ahead of the first turn, so that nobody waits for it.
      enclave.connect();
    }
  }

  async close(): Promise<void> {
    for (const enclave of this.#enclaves) enclave.close();
    this.#agent?.destroy();
  }
}

function firstReason(answers: readonly PromiseSettledResult<unknown>[]): RelayError {
  for (const answer of answers) {
    if (answer.status === 'rejected' && answer.reason instanceof RelayError) return answer.reason;
  }
  return new RelayError('enclave-unreachable');
}
