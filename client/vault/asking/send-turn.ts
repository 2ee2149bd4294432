import * as v from 'valibot';
import { enclaveChangedAnswer, type TurnAttempt } from '../../../crypto/protocol/messages/turn-messages.ts';
import { backOffMs } from '../surroundings/back-off.ts';
import { wait } from '../surroundings/clock.ts';
import { RelayCallError } from '../relay/relay-call-error.ts';
import type { Conversations } from '../threads/conversations.ts';
import type { EnclaveSession } from '../enclave/enclave-session.ts';
import { keepLaterVerification } from '../enclave/later-verification.ts';
import { isAtLeast } from '../../../crypto/protocol/protection-level.ts';
import type { Minimums } from '../enclave/minimums.ts';
import type { TurnOperation } from '../changes/operation.ts';
import type { QueuedOperation } from '../changes/outbox.ts';
import { placeTurn, turnWrites } from '../changes/plan-turn.ts';
import type { VaultFailure } from '../failures/failure-codes.ts';
import { sealAttempt } from './seal-attempt.ts';
import { stopAtRelay } from './stop-at-relay.ts';
import { companyOf } from './turn-company.ts';
import type { TurnRecipients } from './turn-recipients.ts';
import { toVaultError, toVaultFailure, VaultError } from '../failures/vault-error.ts';
import { underVaultLock } from '../surroundings/vault-lock.ts';
import { ConflictError, type VaultWriter, type WriterParts } from '../changes/vault-writer.ts';
import { drawNonce, isSameAsShown, type VerifiedEnclave } from '../enclave/verified-enclave.ts';
import { sealBatch } from '../changes/write-batch.ts';

/** Other enclaves that a question is sealed to by itself before the person is asked. */
const maximumChanges = 3;
/** What the enclave or the relay refuses for now, before the person is told. */
const maximumRefusals = 5;
/** A cold start may take this many tries: a quarter of an hour. */
const maximumStarts = 40;

export type SendParts = WriterParts & {
  readonly writer: VaultWriter;
  readonly session: EnclaveSession;
  readonly minimums: Minimums;
  readonly conversations: Conversations;
  readonly recipients: TurnRecipients;
  /** How far it is; null when it is no longer on its way. */
  readonly onProgress: (turnId: string, progress: 'sealing' | 'connecting' | null) => void;
  readonly onAccepted: (turnId: string, isCertain: boolean) => void;
};

/** What one try came to. `again` at once; `later` after a pause; `done` when the relay has it. */
type Step =
  | { readonly kind: 'done'; readonly isCertain: boolean }
  | { readonly kind: 'again' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'later'; readonly why: 'unreachable' | 'refused' | 'starting'; readonly error: VaultError }
  | { readonly kind: 'failed'; readonly failure: VaultFailure };

type Tally = { changes: number; unreachable: number; refused: number; starting: number };

/** One question on its way from the outbox to the enclave. Ends when it is there, was taken back, or needs the person. */
export async function sendTurn(parts: SendParts, turnId: string, signal: AbortSignal): Promise<void> {
  const tally: Tally = { changes: 0, unreachable: 0, refused: 0, starting: 0 };
  while (!signal.aborted && !parts.signal.aborted) {
    await parts.outbox.load();
    const queued = parts.outbox.turn(turnId);
    if (queued === null || queued.operation.stage.name !== 'going') return;
    const step = limitTries(await tryOnce(parts, queued), tally);
    if (step.kind === 'done') return;
    if (step.kind === 'failed') {
      // Refused where it is another by now: then what it is now goes on, or was taken back.
      await parts.outbox.rewrite(queued, { ...queued.operation, stage: { name: 'failed', failure: step.failure } });
    }
    if (step.kind === 'later') {
      parts.onProgress(turnId, 'connecting');
      // Never before the relay wants it, and later each time.
      const delayMs = Math.max(step.error.retryAfterMs ?? 0, backOffMs(tally[step.why], parts.random));
      await wait(parts.clock, delayMs, AbortSignal.any([signal, parts.signal]));
    }
  }
}

/** Nothing is tried for ever, except to reach a relay that does not answer: the message is kept as long as it takes. */
function limitTries(step: Step, tally: Tally): Step {
  if (step.kind === 'changed') {
    tally.changes += 1;
    return tally.changes > maximumChanges ? { kind: 'failed', failure: { code: 'enclave-changed' } } : step;
  }
  if (step.kind !== 'later') return step;
  tally[step.why] += 1;
  const isTooOften =
    (step.why === 'refused' && tally.refused > maximumRefusals) ||
    (step.why === 'starting' && tally.starting > maximumStarts);
  return isTooOften ? { kind: 'failed', failure: toVaultFailure(step.error) } : step;
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
    if (!isSameAsShown(enclave, operation.shown)) return { kind: 'failed', failure: { code: 'enclave-changed' } };
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
  try {
    const begun = await underVaultLock(
      parts.locks,
      async (): Promise<Step | { kind: 'stored'; attempt: TurnAttempt }> => {
        await parts.writer.prepare();
        if (!(await stillStands(parts, queued, enclave))) return { kind: 'again' };
        const attempt = await sealAttempt(parts, operation, enclave, nonce.text);
        if (!parts.store.contents.rows.has(operation.messageId)) {
          return accept(parts, queued, await start(parts, operation, enclave, attempt));
        }
        await keepLaterVerification(parts, operation, enclave);
        return { kind: 'stored', attempt };
      },
    );
    return begun.kind === 'stored' ? await attemptAgain(parts, queued, begun.attempt) : begun;
  } catch (error) {
    const offered = enclaveOffered(error);
    if (offered === null) throw error;
    await parts.session.adopt(offered, nonce.bytes, parts.minimums.effective(operation.conversationId));
    return { kind: 'changed' };
  }
}

/** What the relay has leaves the outbox. */
async function accept(parts: SendParts, queued: QueuedOperation<TurnOperation>, step: Step): Promise<Step> {
  if (step.kind === 'done') {
    parts.onAccepted(queued.operation.turnId, step.isCertain);
    await parts.outbox.remove([queued]);
  }
  return step;
}

/** Items and request in one call, as the successor of the newest head; under the vault's lock. */
async function start(
  parts: SendParts,
  operation: TurnOperation,
  enclave: VerifiedEnclave,
  attempt: TurnAttempt,
): Promise<Step> {
  const { store, client, writer } = parts;
  const place = placeTurn(store.contents, operation);
  if (place === 'deleted') return { kind: 'again' };
  const writes = turnWrites(place, operation, companyOf(parts, operation, enclave));
  const batch = sealBatch(
    store,
    { writes: writes.map((write) => ({ ...write, version: 1 })), finishTurns: [], prune: [] },
    operation.turnId,
  );
  let changed: RelayCallError | null = null;
  try {
    await writer.send(batch, async (message) => {
      try {
        await client.startTurn({ ...attempt, turnId: operation.turnId, batch: message });
      } catch (error) {
        // The one refusal that says by its form that the items are stored.
        if (enclaveOffered(error) === null) throw error;
        changed = error as RelayCallError;
      }
    });
  } catch (error) {
    if (error instanceof ConflictError) return { kind: 'again' };
    throw error;
  }
  if (changed !== null) throw changed as RelayCallError;
  return { kind: 'done', isCertain: true };
}

/**
 * The items are stored; only the request is sent again, sealed anew. Whoever stops or deletes the question meanwhile may
 * reach the relay before it does: then it is stopped once more after it, whatever the relay said to it.
 */
async function attemptAgain(
  parts: SendParts,
  queued: QueuedOperation<TurnOperation>,
  attempt: TurnAttempt,
): Promise<Step> {
  const { client, outbox, signal } = parts;
  const { turnId } = queued.operation;
  const [sent] = await Promise.allSettled([sendAgain(parts, turnId, attempt)]);
  if (signal.aborted) return { kind: 'again' };
  await outbox.load();
  if (outbox.turn(turnId)?.operation.stage.name !== 'going') {
    // Its items say that it is over; a relay that does not hear of this one spends an answer that nobody reads.
    await stopAtRelay(client, queued.operation).catch(() => undefined);
    return { kind: 'again' };
  }
  if (sent.status === 'rejected') throw sent.reason;
  return accept(parts, queued, sent.value);
}

async function sendAgain({ client }: SendParts, turnId: string, attempt: TurnAttempt): Promise<Step> {
  try {
    const { state } = await client.attemptTurn(turnId, attempt);
    return { kind: 'done', isCertain: state === 'running' };
  } catch (error) {
    // An earlier sealing of it has arrived after all, or even its answer.
    const isThere =
      error instanceof RelayCallError && (error.code === 'request-replayed' || error.code === 'turn-conflict');
    if (isThere) return { kind: 'done', isCertain: false };
    throw error;
  }
}

/** What an error of any part of it means for the question. */
function judge(parts: SendParts, error: unknown): Step {
  const code = error instanceof RelayCallError ? error.code : null;
  if (code === 'unknown-key' || code === 'request-expired') {
    parts.session.forget();
    return { kind: 'changed' };
  }
  const failure = toVaultError(error);
  // The relay has said nothing of the enclave: another look at its evidence would only be one call more.
  if (failure.code === 'too-many-attempts') {
    const tooMany = new VaultError('relay:too-many-requests', failure.retryAfterMs);
    return { kind: 'later', why: 'refused', error: tooMany };
  }
  switch (failure.code) {
    case 'relay-unreachable':
    case 'session-ended':
      return { kind: 'later', why: 'unreachable', error: failure };
    case 'part-missing':
      return { kind: 'later', why: 'refused', error: failure };
    case 'enclave-starting':
      return { kind: 'later', why: 'starting', error: failure };
    case 'enclave-unreachable':
    case 'relay:enclave-busy':
    case 'relay:not-ready':
    case 'relay:internal-error':
    case 'relay:storage-full':
    case 'relay:storage-failing':
      parts.session.forget();
      return { kind: 'later', why: 'refused', error: failure };
    default:
      return { kind: 'failed', failure: toVaultFailure(failure) };
  }
}

function enclaveOffered(error: unknown) {
  if (!(error instanceof RelayCallError) || error.code !== 'enclave-changed') return null;
  const parsed = v.safeParse(enclaveChangedAnswer, error.answer);
  return parsed.success ? parsed.output.enclave : null;
}
