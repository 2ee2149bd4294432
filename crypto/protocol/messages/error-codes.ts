import * as v from 'valibot';
import type { Advice } from '../bytes/errors.ts';

/**
 * Every code that the relay or the worker may answer, with its HTTP status and what a client can do.
 * The texts that people read belong to the client: a peer's words are never shown.
 */
export const errorCodes = {
  'bad-request': { status: 400, advice: 'fix' },
  'unsupported-version': { status: 400, advice: 'stop' },
  'not-signed-in': { status: 401, advice: 'fix' },
  'sign-in-failed': { status: 401, advice: 'fix' },
  'session-ended': { status: 401, advice: 'stop' },
  'wrong-origin': { status: 403, advice: 'stop' },
  'https-required': { status: 403, advice: 'stop' },
  'wrong-host': { status: 421, advice: 'stop' },
  /** The fresh proof that an act needs is wrong, late, used, or another act's. */
  'proof-failed': { status: 403, advice: 'fix' },
  'sign-up-closed': { status: 403, advice: 'stop' },
  'not-found': { status: 404, advice: 'stop' },
  'method-not-allowed': { status: 405, advice: 'stop' },
  'name-taken': { status: 409, advice: 'fix' },
  'head-conflict': { status: 409, advice: 'retry' },
  'item-conflict': { status: 409, advice: 'retry' },
  'turn-conflict': { status: 409, advice: 'stop' },
  'enclave-changed': { status: 409, advice: 'retry' },
  'unknown-key': { status: 409, advice: 'retry' },
  'request-replayed': { status: 409, advice: 'stop' },
  'request-expired': { status: 409, advice: 'retry' },
  gone: { status: 410, advice: 'stop' },
  'too-large': { status: 413, advice: 'fix' },
  'wrong-media-type': { status: 415, advice: 'fix' },
  'request-refused': { status: 422, advice: 'stop' },
  'too-many-requests': { status: 429, advice: 'retry' },
  'quota-exceeded': { status: 507, advice: 'fix' },
  'storage-full': { status: 507, advice: 'retry' },
  'storage-failing': { status: 503, advice: 'retry' },
  'internal-error': { status: 500, advice: 'retry' },
  'enclave-unreachable': { status: 502, advice: 'retry' },
  'enclave-token-refused': { status: 502, advice: 'stop' },
  'enclave-starting': { status: 503, advice: 'retry' },
  'enclave-busy': { status: 503, advice: 'retry' },
  'not-ready': { status: 503, advice: 'retry' },
} as const satisfies Record<string, { status: number; advice: Advice }>;

export type ErrorCode = keyof typeof errorCodes;

/** The codes with one of these statuses. */
export type CodeOfStatus<Status extends number> = {
  [Code in ErrorCode]: (typeof errorCodes)[Code]['status'] extends Status ? Code : never;
}[ErrorCode];

const waitStatuses = [429, 503, 507] as const;

/** The codes whose answer names in `Retry-After` when to come back. */
export type WaitCode = CodeOfStatus<(typeof waitStatuses)[number]>;

export function asksToWait(code: ErrorCode): code is WaitCode {
  return waitStatuses.some((status) => status === errorCodes[code].status);
}

const codes = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]];

/** The body of every answer that is not a success; `Retry-After` goes with those that ask to wait. */
export const errorAnswer = v.object({ error: v.picklist(codes) });
export type ErrorAnswer = v.InferOutput<typeof errorAnswer>;
