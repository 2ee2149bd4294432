import { createHash } from 'node:crypto';
import { decodeRequestHeader } from '../../crypto/protocol/messages/request-header.ts';
import type { TurnAttempt } from '../../crypto/protocol/messages/turn-messages.ts';
import { type Bytes, equalBytes, uint32 } from '../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../crypto/protocol/bytes/errors.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { asBytes, decodeBytes } from '../api/route/wire-bytes.ts';
import type { Attempt } from './rows/turn-rows.ts';

/**
 * Reads of a sealed request what is in clear.
 *
 * @throws {RelayError} `bad-request` when the header names another turn, `unsupported-version`.
 */
export function readAttempt(accountId: string, turnId: Bytes, message: TurnAttempt): Attempt {
  const header = decodeBytes(message.request.header);
  const body = decodeBytes(message.request.body);
  const { model, turnId: sealedTurnId } = decodeHeader(header);
  if (!equalBytes(sealedTurnId, turnId)) throw new RelayError('bad-request');
  // SHA-256(lengthPrefixed(header, body)) (SPEC.md §7), without joining 16 MiB first.
  const hash = createHash('sha256');
  for (const part of [header, body]) hash.update(uint32(part.length)).update(part);
  return {
    turnId,
    accountId,
    enclaveId: message.enclaveId,
    alternateEnclaveId: message.alternateEnclaveId ?? null,
    model,
    requestHash: asBytes(hash.digest()),
    requestLength: header.length + body.length,
  };
}

function decodeHeader(header: Bytes) {
  try {
    return decodeRequestHeader(header);
  } catch (error) {
    const isNewer =
      error instanceof CryptoError && (error.code === 'unsupported-version' || error.code === 'unsupported-suite');
    throw new RelayError(isNewer ? 'unsupported-version' : 'bad-request');
  }
}
