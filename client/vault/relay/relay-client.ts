import type * as v from 'valibot';
import {
  accountAnswer,
  keysAnswer,
  passwordStartAnswer,
  type PasswordFinish,
  recoveryStartAnswer,
  sessionAnswer,
  signInAnswer,
  type SignInFinish,
  type SignInStart,
  signInStartAnswer,
  type SignUpFinish,
  type SignUpStart,
  signUpStartAnswer,
  type StepUpStart,
  stepUpStartAnswer,
} from '../../../crypto/protocol/messages/account-messages.ts';
import type { EnclaveRequest } from '../../../crypto/protocol/messages/enclave-messages.ts';
import {
  batchAnswer,
  headsAnswer,
  prunedAnswer,
  inlineBodyLength,
  type ItemBatch,
  maximumItemBodyLength,
  syncAnswer,
  type SyncQuery,
} from '../../../crypto/protocol/messages/item-messages.ts';
import type { TurnAttempt, TurnStart, TurnStop } from '../../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { readPatiently } from './http/patient-read.ts';
import type { BodyPart } from './http/bounded-body.ts';
import {
  callRelay,
  callRelayJson,
  callRelayPart,
  type HttpCall,
  openRelayStream,
  type RelayConnection,
} from './http/http-call.ts';
import { RelayCallError } from './http/relay-call-error.ts';
import type { AccessTokens } from './tokens/token-refresh.ts';

const smallLength = 64 * 1024;
/** Two enclaves, each with the quotes of its GPUs and the vendors' certificates and manifests. */
const enclaveChoiceLength = 4 * 1024 * 1024;
const headsPerPage = 500;
const prunedPerPage = 1000;
const turnsPerPage = 200;
const itemsPerPage = 200;
/** Base64url is a third longer; a record's other fields are below half a kilobyte. */
const syncPageLength = itemsPerPage * (Math.ceil((inlineBodyLength * 4) / 3) + 512) + smallLength;
/** Nearly an hour of the larger frames, and three of the others; the rest is asked for again. */
const maximumFramesLength = 32 * 1024 * 1024;

const loadTurnAccepted = async () => (await import('../../../crypto/protocol/messages/turn-messages.ts')).turnAccepted;

/** The relay's routes, each with the schema and the longest length of its answer. */
export class RelayClient {
  readonly #connection: RelayConnection;
  readonly #tokens: Pick<AccessTokens, 'current' | 'renew'>;
  readonly #onSessionEnded: () => void;

  /** @param onSessionEnded - Called when the relay says so, whatever the call was. */
  constructor(
    connection: RelayConnection,
    tokens: Pick<AccessTokens, 'current' | 'renew'>,
    onSessionEnded: () => void,
  ) {
    this.#connection = connection;
    this.#tokens = tokens;
    this.#onSessionEnded = onSessionEnded;
  }

  startSignUp = (body: SignUpStart) => this.#open('/v1/sign-up/start', body, signUpStartAnswer);
  finishSignUp = (body: SignUpFinish) => this.#open('/v1/sign-up/finish', body, sessionAnswer);
  startSignIn = (body: SignInStart) => this.#open('/v1/sign-in/start', body, signInStartAnswer);
  finishSignIn = (body: SignInFinish) => this.#open('/v1/sign-in/finish', body, signInAnswer);
  startUnlock = (body: { readonly format: 1; readonly loginRequest: string }) =>
    this.#authorised({ method: 'POST', path: '/v1/unlock/start', body }, signInStartAnswer);
  startRecovery = (body: { readonly format: 1; readonly nameTag: string }) =>
    this.#open('/v1/recovery/start', body, recoveryStartAnswer);
  finishRecovery = (body: { readonly format: 1; readonly challengeId: string; readonly signature: string }) =>
    this.#open('/v1/recovery/finish', body, signInAnswer);
  startStepUp = (body: StepUpStart) =>
    this.#authorised({ method: 'POST', path: '/v1/step-up/start', body }, stepUpStartAnswer);
  startPassword = (body: { readonly format: 1; readonly registrationRequest: string }) =>
    this.#authorised({ method: 'POST', path: '/v1/password/start', body }, passwordStartAnswer);

  finishPassword = (body: PasswordFinish) =>
    this.#authorised({ method: 'POST', path: '/v1/password/finish', body }, batchAnswer);

  async signOut(): Promise<void> {
    await this.#authorisedBytes(
      { method: 'POST', path: '/v1/sign-out', body: { format: 1 }, timeoutMs: 5_000 },
      smallLength,
    );
  }

  readAccount = () => this.#authorised({ method: 'GET', path: '/v1/account' }, accountAnswer);
  readKeys = () => this.#authorised({ method: 'GET', path: '/v1/keys' }, keysAnswer);

  readItems(query: Omit<SyncQuery, 'limit'>) {
    const after = query.afterId === undefined ? '' : `&afterId=${query.afterId}`;
    const path = `/v1/items?afterCounter=${query.afterCounter}${after}&limit=${itemsPerPage}`;
    return this.#patiently(() =>
      this.#authorised({ method: 'GET', path, timeoutMs: 120_000 }, syncAnswer, syncPageLength),
    );
  }

  readItemBody(id: string): Promise<Bytes> {
    const call = { method: 'GET', path: `/v1/items/${id}/body`, timeoutMs: 120_000 } as const;
    return this.#patiently(() => this.#authorisedBytes(call, maximumItemBodyLength));
  }

  readPruned(place: { readonly counter: number; readonly id: string | null }) {
    const after = place.id === null ? '' : `&afterId=${place.id}`;
    const path = `/v1/pruned-items?afterCounter=${place.counter}${after}&limit=${prunedPerPage}`;
    const longest = prunedPerPage * 80 + smallLength;
    return this.#patiently(() => this.#authorised({ method: 'GET', path }, prunedAnswer, longest));
  }

  readHeads(after: number) {
    const path = `/v1/heads?after=${after}&limit=${headsPerPage}`;
    const longest = headsPerPage * 1600 + smallLength;
    return this.#patiently(() => this.#authorised({ method: 'GET', path }, headsAnswer, longest));
  }

  writeItems = (body: ItemBatch) =>
    this.#authorised({ method: 'POST', path: '/v1/items', body, timeoutMs: 120_000 }, batchAnswer);
  askEnclave = (body: EnclaveRequest, signal?: AbortSignal) =>
    this.#authorisedLater(
      { method: 'POST', path: '/v1/enclaves', body, signal },
      async () => (await import('../../../crypto/protocol/messages/enclave-messages.ts')).enclaveChoice,
      enclaveChoiceLength,
    );
  startTurn = (body: TurnStart) =>
    this.#authorisedLater({ method: 'POST', path: '/v1/turns', body, timeoutMs: 60_000 }, loadTurnAccepted);
  attemptTurn = (turnId: string, body: TurnAttempt) =>
    this.#authorisedLater(
      { method: 'POST', path: `/v1/turns/${turnId}/attempts`, body, timeoutMs: 60_000 },
      loadTurnAccepted,
    );

  async stopTurn(turnId: string, body: TurnStop): Promise<void> {
    await this.#authorisedBytes({ method: 'POST', path: `/v1/turns/${turnId}/stop`, body }, smallLength);
  }

  readTurns(afterMs: number, afterId: string | null) {
    const path = `/v1/turns?afterMs=${afterMs}${afterId === null ? '' : `&afterId=${afterId}`}&limit=${turnsPerPage}`;
    return this.#patiently(() =>
      this.#authorisedLater(
        { method: 'GET', path },
        async () => (await import('../../../crypto/protocol/messages/turn-messages.ts')).turnsAnswer,
        turnsPerPage * 4096 + smallLength,
      ),
    );
  }

  /**
   * @param after - Number of the last frame that is here; -1 from the header on.
   * @returns `isCut` where the relay has more: a reply of hours is read in parts.
   */
  readFrames(turnId: string, after: number, transcript: string | null): Promise<BodyPart> {
    const path = `/v1/turns/${turnId}/frames?after=${after}${transcript === null ? '' : `&transcript=${transcript}`}`;
    const call = { method: 'GET', path, timeoutMs: 120_000 } as const;
    return this.#patiently(() =>
      this.#withToken((token) => callRelayPart(this.#connection, { ...call, token }, maximumFramesLength)),
    );
  }

  /** The one held response; `signal` ends it. */
  async openLive(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#withToken((token) =>
      openRelayStream(this.#connection, { method: 'GET', path: '/v1/live', token, signal }),
    );
    if (response.body === null) throw new RelayCallError('malformed-answer');
    return response.body;
  }

  #open<Schema extends v.GenericSchema>(path: string, body: unknown, answer: Schema): Promise<v.InferOutput<Schema>> {
    return callRelayJson(this.#connection, { method: 'POST', path, body }, answer, smallLength);
  }

  #authorised<Schema extends v.GenericSchema>(
    call: HttpCall,
    answer: Schema,
    maximumLength = smallLength,
  ): Promise<v.InferOutput<Schema>> {
    return this.#withToken((token) => callRelayJson(this.#connection, { ...call, token }, answer, maximumLength));
  }

  /** For messages about enclaves and turns: whoever signs in loads nothing of them yet. */
  async #authorisedLater<Schema extends v.GenericSchema>(
    call: HttpCall,
    load: () => Promise<Schema>,
    maximumLength = smallLength,
  ): Promise<v.InferOutput<Schema>> {
    return this.#authorised(call, await load(), maximumLength);
  }

  #authorisedBytes(call: HttpCall, maximumLength: number): Promise<Bytes> {
    return this.#withToken((token) => callRelay(this.#connection, { ...call, token }, maximumLength));
  }

  #patiently<T>(read: () => Promise<T>): Promise<T> {
    return readPatiently(this.#connection.clock, read);
  }

  async #withToken<T>(run: (token: string) => Promise<T>): Promise<T> {
    try {
      return await this.#renewingOnce(run);
    } catch (error) {
      if (error instanceof RelayCallError && error.code === 'session-ended') this.#onSessionEnded();
      throw error;
    }
  }

  /** A refused token is renewed once; refused again, the session is over. */
  async #renewingOnce<T>(run: (token: string) => Promise<T>): Promise<T> {
    const token = await this.#tokens.current();
    try {
      return await run(token);
    } catch (error) {
      if (!(error instanceof RelayCallError) || error.code !== 'not-signed-in') throw error;
    }
    const renewed = await this.#tokens.renew(token);
    try {
      return await run(renewed);
    } catch (error) {
      const isRefused = error instanceof RelayCallError && error.code === 'not-signed-in';
      throw isRefused ? new RelayCallError('session-ended') : error;
    }
  }
}
