import { errorCodes, type ErrorCode } from '../../crypto/messages/error-codes.ts';
import { RelayError } from '../relay-error.ts';
import { isStorageFull } from '../storage/database.ts';

export type ErrorParts = {
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Record<string, string>;
};

/** What a peer learns of an error: a code of the closed list, never a text. */
export function describeError(error: unknown): ErrorParts {
  const { code, retryAfterSeconds } = asRelayError(error);
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  if (retryAfterSeconds !== null) headers['Retry-After'] = String(retryAfterSeconds);
  // The rest of a body that was not read is not waited for.
  if (code === 'too-large') headers['Connection'] = 'close';
  return { code, status: errorCodes[code].status, headers };
}

/** Whether it is a defect of ours, which belongs into the log, and not something that the caller did. */
export function isDefect(error: unknown): boolean {
  return asRelayError(error).code === 'internal-error';
}

export function errorBody(code: ErrorCode): string {
  return JSON.stringify({ error: code });
}

function asRelayError(error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  return new RelayError(isStorageFull(error) ? 'storage-full' : 'internal-error');
}
