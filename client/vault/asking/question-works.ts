import { isAtLeast } from '../../../crypto/protocol/protection-level.ts';
import type { EnclaveChoice } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { TurnAttempt } from '../../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { TurnOperation } from '../changes/operations/turn-operation.ts';
import type { QueuedOperation } from '../changes/outbox/outbox.ts';
import { placeTurn, turnWrites } from '../changes/operations/plan-turn.ts';
import type { ShownContents } from '../changes/outbox/shown-contents.ts';
import { ConflictError, type VaultWriter, type WriterDependencies } from '../changes/writing/vault-writer.ts';
import { sealBatch } from '../changes/writing/write-batch.ts';
import type { EnclaveSession } from '../enclave/enclave-session.ts';
import { keepLaterVerification } from '../enclave/later-verification.ts';
import type { Minimums } from '../enclave/minimums.ts';
import { drawNonce, isSameAsShown, type VerifiedEnclave } from '../enclave/verified-enclave.ts';
import { postAgain, type Posted, postStart } from '../exchange/sending/post-attempt.ts';
import { sealAttempt } from '../exchange/sending/seal-attempt.ts';
import { enclaveChanged, Patience, readSetback, type Setback } from '../exchange/sending/setback.ts';
import { stopAtRelay } from '../exchange/sending/stop-at-relay.ts';
import { toVaultFailure } from '../failures/vault-error.ts';
import { wait } from '../surroundings/clock.ts';
import type { Conversations } from '../threads/conversations.ts';
import type { SetBack } from './journey-table.ts';
import { contentOf } from './question-content.ts';
import type { Journey, Works } from './run-journey.ts';
import { companyOf } from './turn-company.ts';
import type { TurnRecipients } from './turn-recipients.ts';

/** The open vault, as far as a question on its way needs it. */
export type AskingVault = WriterDependencies & {
  readonly writer: VaultWriter;
  readonly enclaves: EnclaveSession;
  readonly minimums: Minimums;
  readonly conversations: Conversations;
  readonly shown: ShownContents;
  readonly recipients: TurnRecipients;
  readonly onAccepted: (turnId: string, isCertain: boolean) => void;
};

type Queued = QueuedOperation<TurnOperation>;
/** A question, sealed once. */
type Sealed = { readonly attempt: TurnAttempt; readonly nonce: Bytes };

/** Does the work of each state of one question's journey, and holds the results that later states need. */
export class QuestionWorks implements Pick<Journey, 'works' | 'effects' | 'setBack'> {
  readonly #vault: AskingVault;
  readonly #turnId: string;
  #patience = new Patience();
  #pause = new AbortController();
  #hasJustRead = false;
  #queued: Queued | null = null;
  #enclave: VerifiedEnclave | null = null;
  #sealed: Sealed | null = null;
  #chosenInstead: EnclaveChoice | null = null;
  #isCertain = false;
  #setBack: Setback = enclaveChanged();

  constructor(vault: AskingVault, turnId: string) {
    this.#vault = vault;
    this.#turnId = turnId;
  }

  readonly works: Works = {
    looking: () => this.#look(),
    reading: async () => {
      await this.#vault.writer.prepare();
      this.#hasJustRead = true;
      return 'read';
    },
    'giving-back': () => this.#giveBack(),
    admitting: () => this.#admit(),
    noting: async () => {
      const { operation } = this.#question;
      await this.#vault.outbox.rewrite(this.#question, { ...operation, shown: this.#to.shown });
      return 'noted';
    },
    sealing: () => this.#seal(),
    storing: () => this.#store(),
    posting: () => this.#post(),
    adopting: () => this.#adopt(),
    'backing-off': () => this.#backOff(),
    failing: () => this.#fail(),
    stopping: async () => {
      // Its items say that it is over; a relay that does not hear of this one spends a reply that nobody reads.
      await stopAtRelay(this.#vault.client, this.#question.operation).catch(() => undefined);
      return 'stopped';
    },
  };

  readonly effects: Journey['effects'] = {
    'tell-accepted': () => this.#vault.onAccepted(this.#turnId, this.#isCertain),
    'leave-outbox': () => this.#vault.outbox.remove([this.#question]),
    'forget-enclave': () => this.#vault.enclaves.forget(),
  };

  readonly setBack = (error: unknown): SetBack => {
    const setback = this.#patience.weigh(readSetback(error));
    this.#setBack = setback;
    if (setback.kind === 'stale' || !setback.doubts) return setback.kind;
    return setback.kind === 'later' ? 'doubtful' : 'given-up';
  };

  /** Something changed for the better, or the person has spoken: no pause is waited out, and no try before counts. */
  hurry(): void {
    this.#patience = new Patience();
    this.#pause.abort();
  }

  get #question(): Queued {
    return required(this.#queued);
  }

  /** Whom it is for. */
  get #to(): VerifiedEnclave {
    return required(this.#enclave);
  }

  get #minimum() {
    return this.#vault.minimums.effective(this.#question.operation.conversationId);
  }

  async #look(): Promise<Outcome<'looking'>> {
    const { outbox, store } = this.#vault;
    await outbox.load();
    const queued = outbox.turn(this.#turnId);
    if (queued?.operation.stage.name !== 'going') return 'withdrawn';
    this.#queued = queued;
    const isKnown = this.#hasJustRead || (store.mark.cursor !== null && store.isConsistent());
    // One fresh read is enough: an item that still does not open was written that way.
    this.#hasJustRead = false;
    if (!isKnown) return 'unread';
    return placeTurn(store.contents, queued.operation) === 'deleted' ? 'deleted' : 'stands';
  }

  /**
   * Only under the lock it is certain that the conversation is gone, and not just being read again. Words that were stored
   * went with it, as whoever deleted it wanted: only those that never were come back.
   */
  async #giveBack(): Promise<Outcome<'giving-back'>> {
    const { store, outbox, writer, signal } = this.#vault;
    const queued = this.#question;
    await writer.prepare();
    if (signal.aborted || placeTurn(store.contents, queued.operation) !== 'deleted') return 'stands';
    if (!store.contents.rows.has(queued.operation.messageId)) {
      return (await outbox.giveBack(queued)) ? 'given-back' : 'stands';
    }
    await outbox.remove([queued]);
    return 'given-back';
  }

  async #admit(): Promise<Outcome<'admitting'>> {
    const { shown } = this.#question.operation;
    const enclave = await this.#vault.enclaves.current(this.#minimum);
    this.#enclave = enclave;
    if (shown === null) return 'unshown';
    if (isSameAsShown(enclave, shown)) return 'as-shown';
    this.#setBack = enclaveChanged();
    return 'other';
  }

  async #seal(): Promise<Outcome<'sealing'>> {
    const { recipients, store, writer } = this.#vault;
    const { operation } = this.#question;
    const enclave = this.#to;
    await writer.prepare();
    if (!(await this.#stillStands(enclave))) return 'overtaken';
    const nonce = drawNonce();
    // Before the request leaves: its reply may be here before its items are.
    recipients.note(operation.turnId, enclave.publicKeys);
    this.#sealed = {
      attempt: await sealAttempt(contentOf(this.#vault, operation), enclave, nonce.text),
      nonce: nonce.bytes,
    };
    if (!store.contents.rows.has(operation.messageId)) return 'sealed-first';
    await keepLaterVerification(this.#vault, operation, enclave);
    return 'sealed-again';
  }

  /**
   * Checks that the question is unchanged and the enclave still good enough. It runs after the last wait on the network and
   * before anything is sealed: a relay that takes its time must gain nothing by it.
   */
  async #stillStands(enclave: VerifiedEnclave): Promise<boolean> {
    const { store, outbox, signal } = this.#vault;
    const { operation, revision } = this.#question;
    await outbox.load();
    if (signal.aborted || outbox.turn(operation.turnId)?.revision !== revision) return false;
    if (placeTurn(store.contents, operation) === 'deleted') return false;
    return isAtLeast(enclave.level, this.#minimum);
  }

  /** Stores the turn as the successor of the newest head. */
  async #store(): Promise<Outcome<'storing'>> {
    const { store, client, writer } = this.#vault;
    const { operation } = this.#question;
    const { attempt } = required(this.#sealed);
    const place = placeTurn(store.contents, operation);
    if (place === 'deleted') return 'overtaken';
    const writes = turnWrites(place, operation, companyOf(this.#vault, operation, this.#to));
    const plan = { writes: writes.map((write) => ({ ...write, version: 1 })), finishTurns: [], prune: [] };
    const batch = sealBatch(store, plan, operation.turnId);
    const posted: Posted[] = [];
    try {
      await writer.send(batch, async (message) => {
        posted.push(await postStart(client, { ...attempt, turnId: operation.turnId, batch: message }));
      });
    } catch (error) {
      if (error instanceof ConflictError) return 'overtaken';
      throw error;
    }
    return this.#take(required(posted[0] ?? null));
  }

  /** A person may stop or delete the question meanwhile, and the relay may hear of that before this request arrives. */
  async #post(): Promise<Outcome<'posting'>> {
    const { client, outbox, signal } = this.#vault;
    const { attempt } = required(this.#sealed);
    const [sent] = await Promise.allSettled([postAgain(client, this.#turnId, attempt)]);
    if (signal.aborted) return 'shut';
    await outbox.load();
    if (outbox.turn(this.#turnId)?.operation.stage.name !== 'going') return 'withdrawn';
    if (sent.status === 'rejected') throw sent.reason;
    return this.#take(sent.value);
  }

  #take(posted: Posted): 'taken' | 'another-enclave' {
    if (posted.kind === 'taken') this.#isCertain = posted.isCertain;
    else this.#chosenInstead = posted.choice;
    return posted.kind;
  }

  async #adopt(): Promise<Outcome<'adopting'>> {
    const { nonce } = required(this.#sealed);
    await this.#vault.enclaves.adopt(required(this.#chosenInstead), nonce, this.#minimum);
    if (!this.#patience.sealAgain()) throw enclaveChanged().error;
    return 'adopted';
  }

  async #backOff(): Promise<Outcome<'backing-off'>> {
    const { clock, random, signal } = this.#vault;
    const pauseMs = this.#setBack.kind === 'later' ? this.#patience.pauseMs(this.#setBack, random) : 0;
    await wait(clock, pauseMs, AbortSignal.any([this.#pause.signal, signal]));
    this.#pause = new AbortController();
    return 'waited';
  }

  async #fail(): Promise<Outcome<'failing'>> {
    const { operation } = this.#question;
    const failure = toVaultFailure(this.#setBack.kind === 'stale' ? enclaveChanged().error : this.#setBack.error);
    // Refused where it is another by now: then what it is now goes on, or was taken back.
    const isWritten = await this.#vault.outbox.rewrite(this.#question, {
      ...operation,
      stage: { name: 'failed', failure },
    });
    return isWritten ? 'written' : 'overtaken';
  }
}

type Outcome<Where extends keyof Works> = Awaited<ReturnType<Works[Where]>>;

/** A state comes only after the one that left what it needs. */
function required<Value>(value: Value | null): Value {
  if (value === null) throw new Error('A state of a question came before the one that it follows.');
  return value;
}
