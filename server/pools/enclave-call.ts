import { type Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { type Agent as TlsAgent, request as requestHttps } from 'node:https';
import * as v from 'valibot';
import { errorAnswer, type ErrorCode } from '../../crypto/protocol/messages/error-codes.ts';
import { GrowingBytes } from '../../crypto/protocol/bytes/growing-bytes.ts';
import { type JsonBudget, jsonBudgetOf, looseJsonBudget } from '../../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../../crypto/protocol/json/strict-json.ts';
import { RelayError } from '../api/route/relay-error.ts';

/** Longest answer of a worker that is not a stream: evidence of later kinds carries certificate chains. */
const maximumAnswerLength = 512 * 1024;

/** How one enclave is reached. */
export type Endpoint = {
  readonly url: URL;
  readonly token: string;
  readonly agent: Agent | TlsAgent;
  /** The code for an enclave that cannot be connected to: the launcher is restarting it, or it is away. */
  readonly unreachable: 'enclave-unreachable' | 'enclave-starting';
  /** For a proxy in front of the enclave, which alone reads them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told of an answer that did not come from the worker but from a proxy before it; null when none came at all. */
  readonly onForeign?: (status: number | null) => void;
  /** Told when the worker itself says that the token is not its own. */
  readonly onTokenRefused?: () => void;
};

type Call<T extends v.GenericSchema> = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly answer: T;
  readonly timeoutMs: number;
  /** True where the worker's build may not know the call: then its `bad-request` is told as it is. */
  readonly isNewToOlder?: boolean;
};

/** Codes of a worker that a client may hear as they are; any other is the relay's affair. */
const passedOn = [
  'unsupported-version',
  'unknown-key',
  'request-replayed',
  'request-expired',
  'request-refused',
  'gone',
  'too-large',
  'enclave-busy',
  'enclave-starting',
  'not-found',
] as const satisfies readonly ErrorCode[];

/** Every code that a call to an enclave may end with. */
export const enclaveErrors = [
  ...passedOn,
  'enclave-unreachable',
  'enclave-token-refused',
] as const satisfies readonly ErrorCode[];

/** Begins a call; whoever asked ends it. */
export function openRequest(
  endpoint: Endpoint,
  method: string,
  path: string,
  headers: Record<string, string | number>,
) {
  const { url, token, agent } = endpoint;
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return request({
    agent,
    method,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? undefined : Number(url.port),
    path: url.pathname.replace(/\/$/, '') + path,
    headers: { ...endpoint.headers, authorization: `Bearer ${token}`, ...headers },
  });
}

/** Collects an answer of bounded length. */
async function readAnswer(response: IncomingMessage): Promise<Uint8Array> {
  const body = new GrowingBytes(maximumAnswerLength);
  for await (const piece of response as AsyncIterable<Buffer>) {
    if (body.length + piece.length > maximumAnswerLength) throw new RelayError('enclave-unreachable');
    body.push(piece);
  }
  return body.take();
}

/** @returns null when a kept connection had been closed at the other end before the request was read. */
function send<T extends v.GenericSchema>(endpoint: Endpoint, call: Call<T>): Promise<v.InferOutput<T> | null> {
  const body = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
  const headers = body === null ? {} : { 'content-type': 'application/json', 'content-length': body.length };
  const request = openRequest(endpoint, call.method, call.path, headers);
  return new Promise((resolve, reject) => {
    // One deadline for everything: a worker that drips an answer does not hold a client's request.
    const deadline = setTimeout(() => request.destroy(), call.timeoutMs);
    const fail = (error: unknown) => {
      clearTimeout(deadline);
      if (error instanceof RelayError) reject(error);
      else if (request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET') resolve(null);
      else {
        endpoint.onForeign?.(null);
        reject(new RelayError(endpoint.unreachable));
      }
    };
    request.on('error', fail);
    request.on('response', (response) => {
      readAnswer(response)
        .then((bytes) => {
          clearTimeout(deadline);
          resolve(parseAnswer(endpoint, response.statusCode ?? 0, bytes, call));
        })
        .catch((error: unknown) => {
          request.destroy();
          fail(error);
        });
    });
    request.end(body ?? undefined);
  });
}

function parseAnswer<T extends v.GenericSchema>(
  endpoint: Endpoint,
  status: number,
  bytes: Uint8Array,
  { answer: schema, isNewToOlder = false }: Call<T>,
): v.InferOutput<T> {
  if (status >= 200 && status < 300) {
    const answer = v.safeParse(schema, readJson(bytes, jsonBudgetOf(schema)));
    if (answer.success) return answer.output;
    throw new RelayError('enclave-unreachable');
  }
  const refusal = v.safeParse(errorAnswer, readJson(bytes, looseJsonBudget));
  if (!refusal.success) endpoint.onForeign?.(status);
  if (refusal.success && refusal.output.error === 'not-signed-in') {
    endpoint.onTokenRefused?.();
    throw new RelayError('enclave-token-refused');
  }
  if (refusal.success && isPassedOn(refusal.output.error)) throw new RelayError(refusal.output.error);
  if (refusal.success && isNewToOlder && refusal.output.error === 'bad-request') throw new RelayError('bad-request');
  throw new RelayError('enclave-unreachable');
}

function isPassedOn(code: ErrorCode): boolean {
  return passedOn.some((known) => known === code);
}

/** A container may be anybody's: what it says is read as carefully as what a browser sends. */
function readJson(bytes: Uint8Array, budget: JsonBudget): unknown {
  try {
    return parseStrictJson(bytes, budget);
  } catch {
    return null;
  }
}

/**
 * Asks an enclave something and parses what it says.
 *
 * Every call of the worker's protocol may be repeated, so one that met a closing keep-alive connection is sent again.
 *
 * @throws {RelayError} a code of the worker that is meant for the client, or the endpoint's `unreachable`.
 */
export async function callEnclave<T extends v.GenericSchema>(
  endpoint: Endpoint,
  call: Call<T>,
): Promise<v.InferOutput<T>> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const answer = await send(endpoint, call);
    if (answer !== null) return answer;
  }
  throw new RelayError(endpoint.unreachable);
}
