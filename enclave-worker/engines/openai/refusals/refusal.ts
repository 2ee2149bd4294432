import type { ReplyCause } from '../../../../crypto/protocol/contents/reply-note.ts';
import { EngineError, type EngineFailureCode } from '../../engine/engine.ts';
import {
  broken,
  filtered,
  isSpent,
  keyRefused,
  loading,
  modelUnknown,
  overloaded,
  placeRefused,
  tooLarge,
  tooLong,
} from './complaint-words.ts';
import { countOf, listOf, memberOf, textOf } from '../wire/json-members.ts';

/** Why a model server gave no reply, in our own words. */
export type Refusal = {
  readonly reason: EngineFailureCode | ReplyCause;
  readonly status: number;
  /** The server's own code where it is one of a fixed list, for the operator. */
  readonly code: string | null;
  /** It may pass by itself within seconds. */
  readonly isPassing: boolean;
};

/** A refusal on its way through the engine; outside of it only its reason is known. */
export class UpstreamRefusal extends EngineError {
  readonly refusal: Refusal;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs: number | null;

  constructor(refusal: Refusal, retryAfterMs: number | null = null) {
    super(refusal.reason);
    this.refusal = refusal;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A gateway says this of a server that may be back in a moment. Behind 524 a question was waited for in vain already. */
const passing: ReadonlySet<number> = new Set([409, 425, 502, 503, 504, 520, 521, 522, 523, 530]);
/** Faults of a server by a status that blames the question. */
const serverFaults: ReadonlySet<number> = new Set([408, 409, 424, 425, 499]);

/** Codes that servers use and that hold nothing of a conversation; all others stay unsaid. */
const knownCodes: ReadonlySet<string> = new Set([
  'api_error',
  'authentication_error',
  'bad_gateway',
  'billing_hard_limit_reached',
  'content_filter',
  'content_policy_violation',
  'context_length_exceeded',
  'engine_overloaded',
  'exceed_context_size_error',
  'insufficient_quota',
  'internal_server_error',
  'invalid_api_key',
  'invalid_request_error',
  'model_not_found',
  'model_not_loaded',
  'not_found_error',
  'overloaded_error',
  'permission_error',
  'rate_limit_exceeded',
  'rate_limit_error',
  'request_too_large',
  'server_error',
  'service_unavailable',
  'unavailable_error',
  'unsupported_parameter',
  'validation',
]);

/**
 * Tells refusals apart by status and body. The body can repeat the prompt: it is looked at here and goes nowhere else.
 *
 * @param answer - JSON where it was some, else a string of its beginning.
 */
export function readRefusal(status: number, answer: unknown): Refusal {
  // Gemini puts the whole into a list.
  const body = Array.isArray(answer) ? (answer as readonly unknown[])[0] : answer;
  const error = memberOf(body, 'error') ?? body;
  const said = complaintOf(body, error);
  const reason = reasonOf(status, said, typeof body === 'string');
  const code = [textOf(error, 'code'), textOf(error, 'type'), textOf(body, 'error_type')].find((name) =>
    knownCodes.has(name),
  );
  const isPassing =
    reason === 'model-loading' || reason === 'model-overloaded' || (reason === 'server-failed' && passing.has(status));
  return { reason, status, code: code ?? null, isPassing };
}

/** The status that an error inside of a stream names, or 0. */
export function statusOf(error: unknown): number {
  const status = countOf(error, 'code') ?? countOf(error, 'status') ?? countOf(error, 'status_code') ?? 0;
  const text = Number(textOf(error, 'code'));
  const found = status === 0 && Number.isInteger(text) ? text : status;
  return found >= 400 && found < 600 ? found : 0;
}

/** How long a server asks to be left alone, or null: seconds, a date, or a time with its unit. */
export function readRetryAfter(header: string | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  const seconds = /^(\d{1,6}(?:\.\d{1,3})?)(?:$|\s*,)/.exec(text)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const [whole = '', hours = 0, minutes = 0, rest = 0, unit = 's'] =
    /^(?:(\d{1,3})h)?(?:(\d{1,4})m(?!s))?(?:(\d{1,6}(?:\.\d{1,9})?)(ms|s))?$/.exec(text) ?? [];
  if (whole !== '') {
    return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(rest) * (unit === 'ms' ? 1 : 1000);
  }
  // A parser of dates takes a bare number for a year.
  const at = /[a-z]{3}|\d-\d\d-\d/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

function reasonOf(status: number, said: string, isNoJson: boolean): Refusal['reason'] {
  const isPage = isNoJson && /^\s*</.test(said);
  if (status === 401) return 'key-refused';
  if (status === 403) return forbiddenReason(said);
  if (status === 402) return 'quota-spent';
  if (status === 429 || status === 529) return isSpent(said) ? 'quota-spent' : 'model-overloaded';
  if (status === 498) return 'model-overloaded';
  if (status === 404) return modelUnknown.test(said) ? 'model-unknown' : 'not-a-model-server';
  if (status === 405 || (status >= 300 && status < 400)) return 'not-a-model-server';
  if (status === 413) return !isPage && tooLong.test(said) ? 'context-too-long' : 'request-too-large';
  if (status >= 500) return serverReason(status, said, isPage);
  if (isPage && !serverFaults.has(status)) return 'not-a-model-server';
  if (tooLong.test(said)) return 'context-too-long';
  if (serverFaults.has(status)) return 'server-failed';
  if (tooLarge.test(said)) return 'request-too-large';
  if (filtered.test(said)) return 'content-refused';
  if (isSpent(said)) return 'quota-spent';
  if (keyRefused.test(said)) return 'key-refused';
  // A fault that passes by itself goes first: a model that is not there yet is not unknown.
  if (loading.test(said)) return 'model-loading';
  if (modelUnknown.test(said)) return 'model-unknown';
  if (overloaded.test(said)) return 'model-overloaded';
  // Inside of a stream nobody says whose fault it is.
  return status === 0 || broken.test(said) ? 'server-failed' : 'model-refused';
}

function forbiddenReason(said: string): Refusal['reason'] {
  if (filtered.test(said)) return 'content-refused';
  if (isSpent(said)) return 'quota-spent';
  if (modelUnknown.test(said)) return 'model-unknown';
  return placeRefused.test(said) ? 'model-refused' : 'key-refused';
}

function serverReason(status: number, said: string, isPage: boolean): Refusal['reason'] {
  if (isPage) return 'server-failed';
  if (loading.test(said)) return 'model-loading';
  if (tooLong.test(said)) return 'context-too-long';
  return status === 503 || overloaded.test(said) ? 'model-overloaded' : 'server-failed';
}

const complaintNames: readonly string[] = [
  'code',
  'type',
  'error_type',
  'reason',
  'message',
  'msg',
  'detail',
  'error_msg',
  'errorMessage',
];

/** The members in which servers complain, and not those that repeat what they were asked. */
function complaintOf(body: unknown, error: unknown): string {
  if (typeof body === 'string') return body.slice(0, 2_000);
  const sources = error === body ? [body] : [error, body];
  return sources
    .flatMap((source) => (typeof source === 'string' ? [source] : complaintsIn(source)))
    .map((part) => part.slice(0, 600))
    .join(' ');
}

function complaintsIn(source: unknown): string[] {
  const lists = ['detail', 'errors'].flatMap((name) => listOf(source, name).slice(0, 4));
  const detail = memberOf(source, 'detail');
  return [
    ...complaintNames.map((name) => textOf(source, name)),
    ...['message', 'msg', 'type'].map((name) => textOf(detail, name)),
    textOf(memberOf(source, 'base_resp'), 'status_msg'),
    ...lists.flatMap((entry) => [textOf(entry, 'message'), textOf(entry, 'msg')]),
  ];
}
