import type { Attestation, EnclaveRequest } from '../../../crypto/protocol/messages/enclave-messages.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import { EnclaveClient } from '../enclave-client.ts';
import type { Endpoint } from '../enclave-call.ts';
import type { FrontDoor } from './modal-sessions.ts';

export type ModalEnclaveDependencies = {
  readonly id: string;
  readonly accountId: string;
  readonly door: FrontDoor;
  readonly enclaveToken: string;
  readonly sessionToken: string;
  /** How long the live response is held when no turn runs: while it is, the container may not be scaled down. */
  readonly streamIdleMs: number;
  /** The container takes no more turns: its account needs another session. */
  readonly onDraining: (enclave: ModalEnclave) => Promise<void>;
  /** The session is over, and with it everything that the container held. */
  readonly onLost: (enclave: ModalEnclave) => Promise<void>;
};

/** Answers of the front door after which the session will never answer again. */
const lostStatuses: ReadonlySet<number> = new Set([401, 403, 404, 410]);
/** Answers that a container gives which is going, or only slow: it is asked a few times more. */
const doubtfulStatuses: ReadonlySet<number> = new Set([500, 502, 503, 504]);
const doubtAttempts = 3;
const doubtDelayMs = 400;

/** One container on Modal, as one session leads to it. */
export class ModalEnclave extends EnclaveClient {
  readonly accountId: string;
  readonly #dependencies: ModalEnclaveDependencies;
  #models: readonly string[] | null = null;
  #usedAtMs = performance.now();
  /** The front door's last own answer, null for none at all; undefined when the worker's came. */
  #foreignStatus: number | null | undefined = undefined;
  #doubting: Promise<void> | null = null;
  #isLost = false;

  constructor(dependencies: ModalEnclaveDependencies) {
    const onForeign: Endpoint['onForeign'] = (status) => this.#hearForeign(status);
    super({
      id: dependencies.id,
      url: dependencies.door.url.href,
      token: dependencies.enclaveToken,
      unreachable: 'enclave-unreachable',
      agent: dependencies.door.agent,
      headers: { 'modal-authorization': `Bearer ${dependencies.sessionToken}` },
      idleMs: dependencies.streamIdleMs,
      onForeign,
      around: (call) => this.#watchCall(call),
    });
    this.accountId = dependencies.accountId;
    this.#dependencies = dependencies;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** When it last answered, by `performance.now`; a live response counts as long as it stands. */
  get usedAtMs(): number {
    return this.connected ? performance.now() : this.#usedAtMs;
  }

  override get seemsAway(): boolean {
    return this.#isLost;
  }

  /** The models that its worker serves, asked once. @throws {RelayError}. */
  async models(): Promise<readonly string[]> {
    this.#models ??= (await this.askStatus()).models;
    return this.#models;
  }

  /** @throws {RelayError} `enclave-starting` also when it is about to go: the next call begins another session. */
  override async askAttestation(request: EnclaveRequest): Promise<Attestation> {
    const attestation = await super.askAttestation(request);
    if (attestation.status.state !== 'draining') return attestation;
    await this.#dependencies.onDraining(this);
    throw new RelayError('enclave-starting', 1);
  }

  /** Nothing of it will be heard any more. */
  markLost(): void {
    this.#isLost = true;
    this.close();
  }

  /** A call that fails at the front door ends when it is known whether the session is over. */
  async #watchCall<T>(call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call();
      this.#usedAtMs = performance.now();
      return answer;
    } catch (error) {
      await this.#doubting;
      throw error;
    }
  }

  #hearForeign(status: number | null): void {
    this.#foreignStatus = status;
    // Without any answer it may as well be this machine's own network.
    if (status === null || this.#isLost) return;
    if (!lostStatuses.has(status) && !doubtfulStatuses.has(status)) return;
    // The next call finds out about a failure here.
    this.#doubting ??= this.#decide(status)
      .catch(() => undefined)
      .finally(() => {
        this.#doubting = null;
      });
  }

  async #decide(firstStatus: number): Promise<void> {
    let status: number | null = firstStatus;
    for (let attempt = 1; attempt <= doubtAttempts && !lostStatuses.has(status ?? 0); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, doubtDelayMs * attempt));
      if (this.#isLost) return;
      this.#foreignStatus = undefined;
      await this.probe().catch(() => undefined);
      if (this.#foreignStatus === undefined) return;
      status = this.#foreignStatus;
    }
    if (status !== null) await this.#dependencies.onLost(this);
  }
}
