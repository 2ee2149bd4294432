import * as v from 'valibot';
import { errorAnswer } from '../../crypto/messages/error-codes.ts';
import type { Bytes } from '../../crypto/primitives/bytes.ts';
import { parseJson, readBoundedBody } from './bounded-body.ts';
import type { Clock } from './clock.ts';
import { RelayCallError } from './relay-call-error.ts';

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
export async function callRelay(connection: RelayConnection, call: HttpCall, maximumLength: number): Promise<Bytes> {
  const timeout = new AbortController();
  const callOff = connection.clock.after(call.timeoutMs ?? defaultTimeoutMs, () => timeout.abort());
  const signal = call.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, call.signal]);
  try {
    const response = await sendCall(connection, call, signal);
    if (!response.ok) throw await readError(response);
    return await readBoundedBody(response, maximumLength);
  } catch (error) {
    throw error instanceof RelayCallError ? error : new RelayCallError('relay-unreachable');
  } finally {
    callOff();
  }
}

/** As `callRelay`, for JSON of one schema. @throws {RelayCallError} `malformed-answer` for any other. */
export async function callRelayJson<Schema extends v.GenericSchema>(
  connection: RelayConnection,
  call: HttpCall,
  answer: Schema,
  maximumLength: number,
): Promise<v.InferOutput<Schema>> {
  const parsed = v.safeParse(answer, parseJson(await callRelay(connection, call, maximumLength)));
  if (!parsed.success) throw new RelayCallError('malformed-answer');
  return parsed.output;
}

/** The answer as it begins; its body is still to come. @throws {RelayCallError} unless 2xx. */
export async function openRelayStream(connection: RelayConnection, call: HttpCall): Promise<Response> {
  const timeout = new AbortController();
  const callOff = connection.clock.after(call.timeoutMs ?? defaultTimeoutMs, () => timeout.abort());
  const signal = call.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, call.signal]);
  try {
    const response = await sendCall(connection, call, signal);
    if (!response.ok) throw await readError(response);
    return response;
  } catch (error) {
    throw error instanceof RelayCallError ? error : new RelayCallError('relay-unreachable');
  } finally {
    callOff();
  }
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

async function readError(response: Response): Promise<RelayCallError> {
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'));
  let answer: unknown = null;
  try {
    answer = parseJson(await readBoundedBody(response, maximumErrorLength));
  } catch {
    // A page of some proxy: its words are not read (M34).
  }
  const parsed = v.safeParse(errorAnswer, answer);
  if (parsed.success) return new RelayCallError(parsed.output.error, { retryAfterMs, answer });
  const isGateway = response.status === 502 || response.status === 503 || response.status === 504;
  return new RelayCallError(isGateway ? 'relay-unreachable' : 'malformed-answer', { retryAfterMs });
}

function readRetryAfter(header: string | null): number | null {
  if (header === null || !/^\d{1,6}$/.test(header)) return null;
  return Math.min(Number(header) * 1000, longestRetryAfterMs);
}
