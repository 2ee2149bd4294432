import type { TurnAttempt } from '../../../crypto/protocol/messages/turn-messages.ts';
import { wait } from '../surroundings/clock.ts';
import type { ShownContents } from '../changes/shown-contents.ts';
import type { Conversations } from '../threads/conversations.ts';
import type { EnclaveSession } from '../enclave/enclave-session.ts';
import { keepLaterVerification } from '../enclave/later-verification.ts';
import { isAtLeast } from '../../../crypto/protocol/protection-level.ts';
import type { Minimums } from '../enclave/minimums.ts';
import type { TurnOperation } from '../changes/turn-operation.ts';
import type { QueuedOperation } from '../changes/outbox.ts';
import { placeTurn, turnWrites } from '../changes/plan-turn.ts';
import { postAgain, type Posted, postStart } from '../exchange/post-attempt.ts';
import { requestHistory } from '../exchange/request-history.ts';
import { enclaveChanged, Patience, readSetback, type Setback } from '../exchange/setback.ts';
import { sealAttempt, type TurnQuestion } from '../exchange/seal-attempt.ts';
import { stopAtRelay } from '../exchange/stop-at-relay.ts';
import { companyOf } from './turn-company.ts';
import type { TurnRecipients } from './turn-recipients.ts';
import { toVaultFailure, VaultError } from '../failures/vault-error.ts';
import { underVaultLock } from '../surroundings/vault-lock.ts';
import { ConflictError, type VaultWriter, type WriterParts } from '../changes/vault-writer.ts';
import { drawNonce, isSameAsShown, type VerifiedEnclave } from '../enclave/verified-enclave.ts';
import { sealBatch } from '../changes/write-batch.ts';

export type SendParts = WriterParts & {
  readonly writer: VaultWriter;
  readonly session: EnclaveSession;
  readonly minimums: Minimums;
  readonly conversations: Conversations;
  readonly shown: ShownContents;
  readonly recipients: TurnRecipients;
  /** How far it is; null when it is no longer on its way. */
  readonly onProgress: (turnId: string, progress: 'sealing' | 'connecting' | null) => void;
  readonly onAccepted: (turnId: string, isCertain: boolean) => void;
};

/** What one try came to. `again` at once; `done` when the relay has it. */
type Step = { readonly kind: 'done' } | { readonly kind: 'again' } | Setback;

/** One question on its way from the outbox to the enclave. Ends when it is there, was taken back, or needs the person. */
export async function sendTurn(parts: SendParts, turnId: string, signal: AbortSignal): Promise<void> {
  const patience = new Patience();
  while (!signal.aborted && !parts.signal.aborted) {
    await parts.outbox.load();
    const queued = parts.outbox.turn(turnId);
    if (queued === null || queued.operation.stage.name !== 'going') return;
    const tried = await tryOnce(parts, queued);
    const step = tried.kind === 'done' || tried.kind === 'again' ? tried : patience.weigh(tried);
    if (step.kind === 'done') return;
    if (step.kind === 'final') {
      const failure = toVaultFailure(step.error);
      // Refused where it is another by now: then what it is now goes on, or was taken back.
      await parts.outbox.rewrite(queued, { ...queued.operation, stage: { name: 'failed', failure } });
    }
    if (step.kind === 'later') {
      parts.onProgress(turnId, 'connecting');
      await wait(parts.clock, patience.pauseMs(step, parts.random), AbortSignal.any([signal, parts.signal]));
    }
  }
}

async function tryOnce(parts: SendParts, queued: QueuedOperation<TurnOperation>): Promise<Step> {
  const { operation } = queued;
  parts.onProgress(operation.turnId, parts.session.view.kind === 'verified' ? 'sealing' : 'connecting');
  try {
    await knowVault(parts);
    if (placeTurn(parts.store.contents, operation) === 'deleted') return await giveBack(parts, queued);
    const enclave = await parts.session.current(parts.minimums.effective(operation.conversationId));
    if (operation.shown === null) {
      // Sent while the shield still said "connecting": what it shows now is what holds.
      await parts.outbox.rewrite(queued, { ...operation, shown: enclave.shown });
      return { kind: 'again' };
    }
    if (!isSameAsShown(enclave, operation.shown)) return enclaveChanged();
    parts.onProgress(operation.turnId, 'sealing');
    return await sealAndSend(parts, queued, enclave);
  } catch (error) {
    return judge(parts, error);
  }
}

/**
 * A cache that is broken, or not whole yet, says nothing of what the person asks of an enclave: the relay brings what it
 * should be first, however long that takes. What cannot be read after that was written so.
 */
async function knowVault({ store, locks, writer }: SendParts): Promise<void> {
  if (store.mark.cursor !== null && store.isConsistent()) return;
  await underVaultLock(locks, () => writer.prepare());
}

/**
 * Only under the lock it is certain that the conversation is gone, and not just being read again. Words that were stored
 * went with it, as whoever deleted it wanted: only those that never were come back.
 */
async function giveBack(parts: SendParts, queued: QueuedOperation<TurnOperation>): Promise<Step> {
  const { store, outbox, locks, writer, signal } = parts;
  return underVaultLock(locks, async () => {
    await writer.prepare();
    const isDeleted = !signal.aborted && placeTurn(store.contents, queued.operation) === 'deleted';
    const isStored = store.contents.rows.has(queued.operation.messageId);
    if (isDeleted) await (isStored ? outbox.remove([queued]) : outbox.giveBack(queued));
    return { kind: 'again' };
  });
}

/**
 * Whether the question stands as it was read, and the enclave is good enough for it still. Asked after the last wait on
 * the network and before anything is sealed: a relay that takes its time must gain nothing by it.
 */
async function stillStands(
  { store, outbox, minimums, signal }: SendParts,
  { operation, revision }: QueuedOperation<TurnOperation>,
  enclave: VerifiedEnclave,
): Promise<boolean> {
  await outbox.load();
  if (signal.aborted || outbox.turn(operation.turnId)?.revision !== revision) return false;
  if (placeTurn(store.contents, operation) === 'deleted') return false;
  return isAtLeast(enclave.level, minimums.effective(operation.conversationId));
}

/**
 * Judged and sealed under the lock, so that whoever stops or deletes it comes before or after. Its items go under it too;
 * a request whose items are stored does not: a relay that takes its time must not hold up everything else.
 */
async function sealAndSend(
  parts: SendParts,
  queued: QueuedOperation<TurnOperation>,
  enclave: VerifiedEnclave,
): Promise<Step> {
  const { operation } = queued;
  const nonce = drawNonce();
  const begun = await underVaultLock(parts.locks, async (): Promise<Posted | 'again' | { attempt: TurnAttempt }> => {
    await parts.writer.prepare();
    if (!(await stillStands(parts, queued, enclave))) return 'again';
    const attempt = await sealAttempt(questionOf(parts, operation, enclave), enclave, nonce.text);
    if (!parts.store.contents.rows.has(operation.messageId)) {
      return accept(parts, queued, await start(parts, operation, enclave, attempt));
    }
    await keepLaterVerification(parts, operation, enclave);
    return { attempt };
  });
  const posted = begun !== 'again' && 'attempt' in begun ? await attemptAgain(parts, queued, begun.attempt) : begun;
  if (posted === 'again') return { kind: 'again' };
  if (posted.kind === 'taken') return { kind: 'done' };
  await parts.session.adopt(posted.enclave, nonce.bytes, parts.minimums.effective(operation.conversationId));
  return { kind: 'stale' };
}

/** What the relay has leaves the outbox. */
async function accept<Result extends Posted | 'again'>(
  parts: SendParts,
  queued: QueuedOperation<TurnOperation>,
  posted: Result,
): Promise<Result> {
  if (posted !== 'again' && posted.kind === 'taken') {
    parts.onAccepted(queued.operation.turnId, posted.isCertain);
    await parts.outbox.remove([queued]);
  }
  return posted;
}

/** Items and request in one call, as the successor of the newest head; under the vault's lock. */
async function start(
  parts: SendParts,
  operation: TurnOperation,
  enclave: VerifiedEnclave,
  attempt: TurnAttempt,
): Promise<Posted | 'again'> {
  const { store, client, writer } = parts;
  const place = placeTurn(store.contents, operation);
  if (place === 'deleted') return 'again';
  const writes = turnWrites(place, operation, companyOf(parts, operation, enclave));
  const plan = { writes: writes.map((write) => ({ ...write, version: 1 })), finishTurns: [], prune: [] };
  const batch = sealBatch(store, plan, operation.turnId);
  let posted: Posted | 'again' = 'again';
  try {
    await writer.send(batch, async (message) => {
      posted = await postStart(client, { ...attempt, turnId: operation.turnId, batch: message });
    });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
  return posted;
}

/**
 * The items are stored; only the request is sent again, sealed anew. Whoever stops or deletes the question meanwhile may
 * reach the relay before it does: then it is stopped once more after it, whatever the relay said to it.
 */
async function attemptAgain(
  parts: SendParts,
  queued: QueuedOperation<TurnOperation>,
  attempt: TurnAttempt,
): Promise<Posted | 'again'> {
  const { client, outbox, signal } = parts;
  const { turnId } = queued.operation;
  const [sent] = await Promise.allSettled([postAgain(client, turnId, attempt)]);
  if (signal.aborted) return 'again';
  await outbox.load();
  if (outbox.turn(turnId)?.operation.stage.name !== 'going') {
    // Its items say that it is over; a relay that does not hear of this one spends a reply that nobody reads.
    await stopAtRelay(client, queued.operation).catch(() => undefined);
    return 'again';
  }
  if (sent.status === 'rejected') throw sent.reason;
  return accept(parts, queued, sent.value);
}

/** What an error of any part of it means for the question. */
function judge(parts: SendParts, error: unknown): Step {
  const setback = readSetback(error);
  if (setback.kind === 'stale' || (setback.kind === 'later' && setback.doubts)) parts.session.forget();
  return setback;
}

/** The words that are to be sealed, with what leads to them. */
function questionOf(
  { store, conversations, recipients }: SendParts,
  operation: TurnOperation,
  enclave: VerifiedEnclave,
): TurnQuestion {
  const { messages, leftOut } = requestHistory(conversations.exchangesBefore(operation.parentId), operation.text);
  conversations.seen.noteLeftOut(operation.turnId, leftOut);
  recipients.note(operation.turnId, enclave.publicKeys);
  const stored = store.contents.conversations.get(operation.conversationId)?.cacheSalt;
  const cacheSalt = stored ?? operation.newConversation?.cacheSalt;
  if (cacheSalt === undefined) throw new VaultError('vault-tampered');
  return { ...operation, cacheSalt, messages, parameters: {} };
}
