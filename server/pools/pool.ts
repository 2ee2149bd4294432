import type { Attestation, EnclaveRequest } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { SealedRequestMessage } from '../../crypto/protocol/messages/turn-messages.ts';
import type {
  WorkerStatusAnswer,
  WorkerTurnAccepted,
  WorkerWatch,
} from '../../crypto/protocol/messages/worker-messages.ts';

/** A turn's hub hears this of one enclave's live response. */
export interface StreamListener {
  /** A header, frame or closed record with its length field. The bytes stay valid. */
  record(enclave: Enclave, record: Uint8Array): void;
  /** A new response stands: nothing is watched on it yet. */
  opened(enclave: Enclave): void;
  /** The response ended: `idle` when nothing was awaited on it; `broken`, and the stream tries again by itself. */
  closed(enclave: Enclave, why: 'broken' | 'idle'): void;
  /** The enclave is gone for good, and what it held with it. */
  lost(enclave: Enclave): void;
}

export type WatchedTurn = WorkerWatch['turns'][number];

/** One place where sealed requests are opened, as the relay reaches it. Every call throws `RelayError` and nothing else. */
export interface Enclave {
  /** Names the pool's entry in answers and rows; says nothing of its address. */
  readonly id: string;
  askAttestation(request: EnclaveRequest): Promise<Attestation>;
  askStatus(): Promise<WorkerStatusAnswer>;
  /** Hands a sealed request on; its frames arrive on the stream. The same request again is the same transcript. */
  startTurn(request: SealedRequestMessage): Promise<WorkerTurnAccepted>;
  /** Asks for held and coming frames on the stream. */
  watch(turns: readonly WatchedTurn[]): Promise<void>;
  stopTurn(turnId: string, stopToken: string): Promise<void>;
  /** Opens the live response if there is none; `startTurn` and `watch` do so themselves. */
  connect(): void;
  readonly connected: boolean;
  /** Makes the next turn quicker, where that costs nothing while none comes. */
  prepare(): void;
  /** True if a question to it would be in vain: its live response should stand, and does not. */
  readonly seemsAway: boolean;
}

/** Whose turn it is, so that one account and model keep to one enclave. */
export type Place = { readonly accountId: string; readonly model: string };

/** A kind of place where enclaves run: `local`, `static`, `modal`. One exists for each process. */
export interface Pool {
  /**
   * Enclaves for this account and model, the one to try first in front.
   *
   * @throws {RelayError} `enclave-starting` while one is on its way; `too-many-requests`.
   */
  choose(place: Place): Promise<readonly Enclave[]>;
  /** @returns null when no entry has this name any more. */
  find(enclaveId: string, place: Place): Promise<Enclave | null>;
  /** The models that its enclaves serve now. @throws {RelayError} when none answers. */
  listModels(): Promise<readonly string[]>;
  /** True if a turn could be taken: some enclave answers. */
  isReady(): Promise<boolean>;
  /** Some session ended: accounts may be signed in nowhere any more. */
  accountsLeft?(): void;
  /** One listener for the life of the pool. */
  listen(listener: StreamListener): void;
  close(): Promise<void>;
}
