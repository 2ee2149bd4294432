import type { PlainContent } from '../../../crypto/protocol/contents/request-content.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { generateTurnKey } from '../../../crypto/turn/turn-key.ts';
import { toVaultError, VaultError } from '../failures/vault-error.ts';
import { RelayCallError } from '../relay/http/relay-call-error.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import { backOffMs } from '../surroundings/back-off.ts';
import { wait } from '../surroundings/clock.ts';
import { deliver, type DeliverySurroundings } from './sending/deliver.ts';
import { type ReplyPiece, ReplyPieces } from './reading/reply-pieces.ts';
import { type ReadingSurroundings, ReplyReading } from './reading/reply-reading.ts';
import type { Turn } from './reading/reply-reader.ts';
import type { SealingEnclave, TurnQuestion } from './sending/seal-attempt.ts';
import { stopAtRelay } from './sending/stop-at-relay.ts';
import { newId } from '../surroundings/new-id.ts';

/** A relay that does not take a stop so often is told no more. */
const mostStops = 5;
/** How long a reply that was stopped may take to say so. */
const stopEndsAfterMs = 30_000;

export type AskSurroundings = Omit<ReadingSurroundings, 'relay'> &
  Pick<DeliverySurroundings, 'random' | 'verifyAnother'> & {
    readonly relay: Pick<RelayClient, 'startTurn' | 'attemptTurn' | 'stopTurn' | 'readFrames' | 'readTurns'>;
  };

export type AskOptions = {
  readonly parameters?: PlainContent['parameters'];
  /** The conversation's salt, by which an engine finds again what it computed; drawn anew where there is none. */
  readonly cacheSalt?: string;
  /** Stops the reply at its enclave. */
  readonly signal?: AbortSignal;
};

/**
 * Asks an enclave and gives its reply piece by piece. Nothing is stored: keys live as long as the reading, and the relay drops
 * the frames a day after their end.
 *
 * The signal stops the reply. Leaving the loop does not: it is read to its last frame all the same, so that the relay cannot tell
 * when somebody had read enough.
 *
 * @param enclave - Verified by the caller.
 * @throws {VaultError} while iterating, where no reply can come. A reply that fails at its enclave ends with outcome `error`.
 */
export async function* ask(
  messages: PlainContent['messages'],
  enclave: SealingEnclave,
  surroundings: AskSurroundings,
  options: AskOptions = {},
): AsyncGenerator<ReplyPiece, void, undefined> {
  const question = await newQuestion(messages, options);
  const sealedTo = new Set<string>();
  const reading = new ReplyReading(question, (keyId) => sealedTo.has(keyId), surroundings);
  const signals = [surroundings.lifetime, ...(options.signal === undefined ? [] : [options.signal])];
  const asked: Asked = { question, enclave, reading, sealedTo, signal: AbortSignal.any(signals) };
  bringAndStop(asked, surroundings).catch((error: unknown) => reading.fail(toVaultError(error)));
  const pieces = new ReplyPieces(reading.reader);
  for (;;) {
    const piece = pieces.next(reading.over);
    if (piece === null) await reading.change();
    else yield piece;
    if (piece?.kind === 'closed') return;
  }
}

type Asked = {
  readonly question: TurnQuestion;
  readonly enclave: SealingEnclave;
  readonly reading: ReplyReading;
  readonly sealedTo: Set<string>;
  readonly signal: AbortSignal;
};

/** Goes on beside the iteration, until the reply is over. */
async function bringAndStop(
  { question, enclave, reading, sealedTo, signal }: Asked,
  surroundings: AskSurroundings,
): Promise<void> {
  const delivered = await deliver(question, enclave, {
    ...surroundings,
    signal,
    onSealing: ({ publicKeys }) => {
      for (const publicKey of publicKeys) sealedTo.add(toBase64Url(keyIdOf(publicKey)));
    },
  });
  if (delivered === 'never') return reading.finish('stopped');
  reading.begin();
  await whenAborted(AbortSignal.any([signal, reading.ended]));
  if (!reading.ended.aborted) await stop(question, reading, surroundings);
}

/** Stops the reply wherever it runs, and ends the wait for what it says to that. @throws {RelayCallError}. */
async function stop(
  turn: Turn,
  reading: ReplyReading,
  { relay, clock, random }: Pick<AskSurroundings, 'relay' | 'clock' | 'random'>,
): Promise<void> {
  for (let tries = 1; !reading.ended.aborted; tries++) {
    try {
      await stopAtRelay(relay, turn);
      await wait(clock, stopEndsAfterMs, reading.ended);
      return reading.finish('stopped');
    } catch (error) {
      // The relay has never had it.
      if (error instanceof RelayCallError && error.code === 'not-found') return reading.finish('stopped');
      if (tries === mostStops) throw error;
      await wait(clock, backOffMs(tries, random), reading.ended);
    }
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function newQuestion(
  messages: PlainContent['messages'],
  { cacheSalt, parameters }: AskOptions,
): Promise<TurnQuestion> {
  if (messages.length === 0) throw new VaultError('message-empty');
  await aeadReady();
  return {
    turnId: newId(),
    turnKey: toBase64Url(generateTurnKey().expose()),
    cacheSalt: cacheSalt ?? toBase64Url(randomBytes(32)),
    messages,
    parameters: parameters ?? {},
  };
}
