import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeTranscriptHeader,
  requestHashOf,
  transcriptHeaderOf,
} from '../../../../crypto/protocol/messages/transcript-header.ts';
import {
  decodeLiveRecord,
  LiveRecordSplitter,
  recordKind,
  recordTranscriptId,
} from '../../../../crypto/protocol/messages/live-record.ts';
import type { EnclaveChoice } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import { type Bytes, equalBytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { generateTurnKey } from '../../../../crypto/turn/turn-key.ts';
import { RelayError } from '../../../../server/api/route/relay-error.ts';
import { chooseEnclave } from '../../../../server/pools/choose-enclave.ts';
import { attemptTurn, type StartedTurn, startTurn } from '../../../../server/turns/start-turn.ts';
import type { TurnService } from '../../../../server/turns/turn-service.ts';
import { Gate } from '../../machine/gate.ts';
import { sealQuestion, toAttempt, type VerifiedEnclave, verifyAnswer } from './node-device.ts';
import { ReplyReader } from './sealed-turn.ts';
import { stateOf, storedBytes } from '../../relay/in-process/turn-process.ts';
import { newId, type VaultDevice, write } from '../without-keys/vault-device.ts';

/** The turns of a relay, as a test has them. */
type RelayPart = { readonly service: TurnService };

/** One sealing of a question, and whom it was sealed to. */
export type Sealing = {
  readonly requestHash: Bytes;
  readonly enclaveIds: readonly string[];
  readonly keyIds: readonly string[];
};

export type Conversation = {
  readonly turnId: string;
  readonly sealings: readonly Sealing[];
  /** Sealings whose answer opened to its end, out of the database. */
  readonly answers: readonly { readonly sealing: Sealing; readonly text: string; readonly openedBy: string }[];
};

/** A client that was told to come again waits so long, on a clock for tests. */
const againMs = 150;
const lookEveryMs = 1_000;
const patienceMs = 90_000;
/** A network brings so many to a relay at one moment; answers go on beside them. */
const calls = new Gate(32);

/** Someone who asks one question over a relay and does what the client does until it is answered. */
export class AskingPerson {
  readonly #relay: RelayPart;
  readonly #device: VaultDevice;
  readonly #turnId = randomBytes(16);
  readonly #turnKey = generateTurnKey();
  readonly #sealings: Sealing[] = [];

  constructor(relay: RelayPart, device: VaultDevice) {
    this.#relay = relay;
    this.#device = device;
  }

  get turnId(): string {
    return toBase64Url(this.#turnId);
  }

  /** The enclaves that the newest sealing is for. */
  get enclaveIds(): readonly string[] {
    return this.#sealings.at(-1)?.enclaveIds ?? [];
  }

  async verifyEnclave(): Promise<VerifiedEnclave> {
    const nonce = randomBytes(32);
    const request = { format: 1, nonce: toBase64Url(nonce), model: 'default' } as const;
    return verifyAnswer(
      await this.#again(() => chooseEnclave(this.#relay.service, this.#device.accountId, request)),
      nonce,
    );
  }

  /** @param enclave - As it was when the conversation was opened. */
  async ask(question: string, enclave: VerifiedEnclave): Promise<Conversation> {
    const batch = this.#device.batch({ items: [write(newId())] });
    const start = { ...(await this.#seal(question, enclave)), turnId: this.turnId, batch };
    const { service } = this.#relay;
    const { accountId } = this.#device;
    let started = await this.#again(() => startTurn(service, accountId, start));
    const deadline = Date.now() + patienceMs;
    for (;;) {
      await this.#settle(question, started);
      const state = await stateOf(service.database, this.turnId);
      if (state === 'ended') return this.#readStored();
      if (Date.now() > deadline) throw new Error(`The turn stayed ${state ?? 'unknown'}.`);
      if (state === 'lost') started = await this.#attempt(question, await this.verifyEnclave());
      else {
        started = { kind: 'accepted', state: 'running' };
        await sleep(lookEveryMs);
      }
    }
  }

  /** Follows `enclave-changed` as often as it comes. */
  async #settle(question: string, started: StartedTurn): Promise<void> {
    let answer = started;
    while (answer.kind === 'changed') answer = await this.#attempt(question, await this.#verifyChosen(answer.enclave));
  }

  #lastNonce: Bytes = randomBytes(32);

  /** The enclave that an answer offers covers the nonce of the call that it answers. */
  #verifyChosen(enclave: EnclaveChoice): Promise<VerifiedEnclave> {
    return verifyAnswer(enclave, this.#lastNonce);
  }

  async #attempt(question: string, enclave: VerifiedEnclave): Promise<StartedTurn> {
    const attempt = await this.#seal(question, enclave);
    const { service } = this.#relay;
    return this.#again(() => attemptTurn(service, this.#device.accountId, this.#turnId, attempt)).catch(
      (error: unknown) => {
        // The one before has come to its end after all.
        if (error instanceof RelayError && error.code === 'turn-conflict') return { kind: 'accepted', state: 'ended' };
        throw error;
      },
    );
  }

  async #seal(question: string, enclave: VerifiedEnclave) {
    const turn = await sealQuestion(question, enclave, { turnId: this.#turnId, turnKey: this.#turnKey });
    const attempt = toAttempt(enclave, turn);
    this.#lastNonce = randomBytes(32);
    this.#sealings.push({
      requestHash: turn.requestHash,
      enclaveIds: [
        attempt.enclaveId,
        ...(attempt.alternateEnclaveId === undefined ? [] : [attempt.alternateEnclaveId]),
      ],
      keyIds: attempt.request.recipients.map(({ keyId }) => keyId),
    });
    return { ...attempt, nonce: toBase64Url(this.#lastNonce) };
  }

  /** Comes again as long as the relay says so. */
  async #again<T>(call: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        return await calls.pass(call);
      } catch (error) {
        const isTemporary =
          error instanceof RelayError &&
          ['enclave-starting', 'enclave-unreachable', 'enclave-busy'].includes(error.code);
        if (!isTemporary || Date.now() > deadline) throw error;
        await sleep(againMs);
      }
    }
  }

  /** Reads as a device that was away does. */
  async #readStored(): Promise<Conversation> {
    await this.#relay.service.journal.flush();
    const bytes = await storedBytes(this.#relay.service.database, this.turnId);
    const records = [...new LiveRecordSplitter().push(bytes)];
    const answers: { sealing: Sealing; text: string; openedBy: string }[] = [];
    for (const header of records.filter((record) => recordKind(record) === 'header')) {
      const { body, transcriptId } = decodeLiveRecord(header);
      const sealing = this.#sealings.find(({ requestHash }) => equalBytes(requestHash, requestHashOf(body)));
      if (sealing === undefined) throw new Error('A transcript answers what nobody asked.');
      const { requestHash } = sealing;
      const reader = new ReplyReader({ turnId: this.#turnId, turnKey: this.#turnKey, requestHash });
      for (const record of records) {
        if (equalBytes(recordTranscriptId(record), transcriptId)) reader.take(decodeLiveRecord(record));
      }
      const openedBy = toBase64Url(decodeTranscriptHeader(transcriptHeaderOf(body)).keyId);
      if (reader.isFinal) answers.push({ sealing, text: reader.text, openedBy });
    }
    return { turnId: this.turnId, sealings: this.#sealings, answers };
  }
}
