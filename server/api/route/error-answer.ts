import {
  asksToWait,
  errorCodes,
  type ErrorCode,
  type WaitCode,
} from '../../../crypto/protocol/messages/error-codes.ts';
import { RelayError } from './relay-error.ts';
import { StorageFull } from '../../storage/trouble/storage-space.ts';
import { troubleOf, waitSecondsOf } from '../../storage/trouble/storage-trouble.ts';

export type ErrorDependencies = {
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Record<string, string>;
};

/** Seconds for the codes that ask to come back, where whoever refuses knows no better. */
const usualWaits: Readonly<Record<WaitCode, number>> = {
  'too-many-requests': 1,
  'quota-exceeded': 30,
  'storage-full': 60,
  'storage-failing': 5,
  'enclave-starting': 2,
  'enclave-busy': 2,
  'not-ready': 5,
};

/** A peer learns this of an error: a code of the closed list, never a text. */
export function describeError(error: unknown): ErrorDependencies {
  const { code, retryAfterSeconds } = asRelayError(error);
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  const waitSeconds = retryAfterSeconds ?? (asksToWait(code) ? usualWaits[code] : undefined);
  if (waitSeconds !== undefined) headers['Retry-After'] = String(waitSeconds);
  // The rest of a body that was not read is not waited for.
  if (code === 'too-large') headers['Connection'] = 'close';
  return { code, status: errorCodes[code].status, headers };
}

/** True for our own defect or trouble of the database, which belong in the log; false for an act of the caller. */
export function isForTheLog(error: unknown): boolean {
  const isRefusal = error instanceof RelayError ? error.code !== 'internal-error' : error instanceof StorageFull;
  return !isRefusal;
}

export function errorBody(code: ErrorCode): string {
  return JSON.stringify({ error: code });
}

/** The answer that says a code. */
export function refusalOf(code: ErrorCode, more: Readonly<Record<string, string>> = {}): Response {
  const { status, headers } = describeError(new RelayError(code));
  return new Response(errorBody(code), { status, headers: { ...headers, ...more } });
}

function asRelayError(error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  if (error instanceof StorageFull) return new RelayError(error.code, error.retryAfterSeconds);
  const trouble = troubleOf(error);
  if (trouble === null) return new RelayError('internal-error');
  return new RelayError(trouble === 'full' ? 'storage-full' : 'storage-failing', waitSecondsOf(trouble));
}
