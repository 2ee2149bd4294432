import * as v from 'valibot';
import { errorAnswer, errorCodes } from '../../../../crypto/protocol/messages/error-codes.ts';
import type { Bytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { jsonBudgetOrLoose, looseJsonBudget } from '../../../../crypto/protocol/json/json-budget.ts';
import { type BodyPart, parseJson, readBodyPart, readBoundedBody } from './bounded-body.ts';
import type { Clock } from '../../surroundings/clock.ts';
import { type RelayCallCode, RelayCallError } from './relay-call-error.ts';

/** The way to the relay. */
export type RelayConnection = {
  readonly fetch: typeof fetch;
  /** Empty in the browser: the relay is where the page came from. */
  readonly origin: string;
  readonly clock: Clock;
};

export type HttpCall = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
};

const defaultTimeoutMs = 30_000;
/** `enclave-changed` brings the evidence of another enclave. */
const maximumErrorLength = 4 * 1024 * 1024;
const longestRetryAfterMs = 3_600_000;

/**
 * Asks the relay once and reads the whole answer, both within the timeout.
 *
 * @throws {RelayCallError} for everything but a 2xx answer within the limit.
 */
export function callRelay(connection: RelayConnection, call: HttpCall, maximumLength: number): Promise<Bytes> {
  return callAndRead(connection, call, (response) => readBoundedBody(response, maximumLength));
}

/** Works as `callRelay`, for an answer that may be longer than is taken of it at once. @throws {RelayCallError}. */
export function callRelayPart(connection: RelayConnection, call: HttpCall, maximumLength: number): Promise<BodyPart> {
  return callAndRead(connection, call, (response) => readBodyPart(response, maximumLength));
}

async function callAndRead<Result>(
  connection: RelayConnection,
  call: HttpCall,
  read: (response: Response) => Promise<Result>,
): Promise<Result> {
  const timeout = new AbortController();
  const callOff = connection.clock.after(call.timeoutMs ?? defaultTimeoutMs, () => timeout.abort());
  const signal = call.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, call.signal]);
  try {
    const response = await sendCall(connection, call, signal);
    await requireSuccess(response);
    return await read(response);
  } catch (error) {
    throw error instanceof RelayCallError ? error : new RelayCallError('relay-unreachable');
  } finally {
    callOff();
  }
}

/** Works as `callRelay`, for JSON of one schema. @throws {RelayCallError} `malformed-answer` for any other. */
export async function callRelayJson<Schema extends v.GenericSchema>(
  connection: RelayConnection,
  call: HttpCall,
  answer: Schema,
  maximumLength: number,
): Promise<v.InferOutput<Schema>> {
  const parsed = v.safeParse(
    answer,
    parseJson(await callRelay(connection, call, maximumLength), jsonBudgetOrLoose(answer)),
  );
  if (!parsed.success) throw new RelayCallError('malformed-answer');
  return parsed.output;
}

/** The answer as it begins; its body is still to come. @throws {RelayCallError} unless 2xx. */
export function openRelayStream(connection: RelayConnection, call: HttpCall): Promise<Response> {
  return callAndRead(connection, call, async (response) => response);
}

function sendCall(connection: RelayConnection, call: HttpCall, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {};
  if (call.token !== undefined) headers['authorization'] = `Bearer ${call.token}`;
  if (call.body !== undefined) headers['content-type'] = 'application/json';
  const { fetch } = connection;
  return fetch(`${connection.origin}${call.path}`, {
    method: call.method,
    headers,
    body: call.body === undefined ? null : JSON.stringify(call.body),
    signal,
    credentials: 'same-origin',
    // No answer of ours redirects (M40).
    redirect: 'error',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
  });
}

/** @throws {RelayCallError} for an error, and for the page of a network's log-in that comes in place of an answer. */
async function requireSuccess(response: Response): Promise<void> {
  if (!response.ok) throw await readError(response);
  const type = response.headers.get('content-type') ?? '';
  // A relay names one of two types (SPEC.md §11.3).
  if (type !== '' && !/^application\/(json|octet-stream)\b/i.test(type)) throw new RelayCallError('foreign-answer');
}

async function readError(response: Response): Promise<RelayCallError> {
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'));
  let answer: unknown;
  try {
    answer = parseJson(await readBoundedBody(response, maximumErrorLength), looseJsonBudget);
  } catch {
    // A page of some proxy: its words are not read (M34).
    return new RelayCallError(foreignCode(response.status), { retryAfterMs });
  }
  const parsed = v.safeParse(errorAnswer, answer);
  if (parsed.success && errorCodes[parsed.output.error].status === response.status) {
    return new RelayCallError(parsed.output.error, { retryAfterMs, answer });
  }
  const code = mayBeLaterRelays(response.status, answer) ? 'malformed-answer' : foreignCode(response.status);
  return new RelayCallError(code, { retryAfterMs });
}

const laterCode = v.object({ error: v.pipe(v.string(), v.maxLength(64), v.regex(/^[a-z]+(-[a-z]+)*$/)) });

/** In the relay's form, as a later one may say it. Some proxies speak JSON too: these statuses are theirs alone. */
function mayBeLaterRelays(status: number, answer: unknown): boolean {
  const isProxys = [502, 503, 504].includes(status) || status >= 520;
  return !isProxys && v.is(laterCode, answer);
}

/** No way to the relay, for good: a page of a network's log-in, and what asks for another protocol. */
const lastingStatuses: ReadonlySet<number> = new Set([501, 505, 511]);

/** A proxy says by such a status, in an answer of its own, that it does not reach the relay behind it. */
export function isGatewayStatus(status: number): boolean {
  return status === 408 || status === 425 || (status >= 500 && !lastingStatuses.has(status));
}

/** The relay says everything in JSON: this was somebody else. */
function foreignCode(status: number): RelayCallCode {
  if (isGatewayStatus(status)) return 'relay-unreachable';
  if (status === 413) return 'too-large-on-the-way';
  return status === 429 ? 'too-many-on-the-way' : 'foreign-answer';
}

function readRetryAfter(header: string | null): number | null {
  if (header === null || !/^\d{1,6}$/.test(header)) return null;
  return Math.min(Number(header) * 1000, longestRetryAfterMs);
}
