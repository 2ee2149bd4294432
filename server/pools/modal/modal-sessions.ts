import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, request as requestHttp } from 'node:http';
import { type Agent as TlsAgent, request as requestHttps } from 'node:https';
import * as v from 'valibot';

/** Modal's proxy before the containers of one Server, and what opens it. */
export type FrontDoor = {
  readonly url: URL;
  /** `wk-….ws-…`: may start and end sessions and nothing else. */
  readonly proxyToken: string;
  readonly agent: Agent | TlsAgent;
  /** Modal ends a session that had no request under way for as long. */
  readonly idleSeconds: number;
  readonly retries: Retries;
};

export type Retries = {
  readonly attempts: number;
  /** Doubled from attempt to attempt. */
  readonly firstDelayMs: number;
  readonly attemptMs: number;
  readonly totalMs: number;
};

/**
 * Starts a session as Modal's SDK does (1.6.4: five attempts within 1515 s, a queue of up to five minutes on each). Each
 * attempt has a limit beside it, since a connection may die without a word.
 */
export const startRetries: Retries = { attempts: 5, firstDelayMs: 500, attemptMs: 315_000, totalMs: 1_515_000 };
const terminateRetries: Retries = { attempts: 3, firstDelayMs: 500, attemptMs: 20_000, totalMs: 60_000 };

/** A session was not given. With a status below 500 asking again in this way is in vain. */
export class SessionRefused extends Error {
  override readonly name = 'SessionRefused';
  /** Null when no answer came. */
  readonly status: number | null;

  constructor(status: number | null) {
    super('No session was given.');
    this.status = status;
  }

  get isWorthAnother(): boolean {
    return this.status === null || this.status >= 500;
  }
}

const maximumAnswerLength = 64 * 1024;
/** The token goes out in a header, as it came. */
const startAnswer = v.object({
  session_id: v.pipe(v.string(), v.maxLength(512)),
  token: v.pipe(v.string(), v.regex(/^[!-~]{1,4096}$/)),
});

/** One start, however often it is asked for: the same key gives the same session. */
export type StartOrder = { readonly key: string; readonly startedAtMs: number; readonly signal: AbortSignal };

/**
 * Starts a session, which boots a container where none has room. May take many minutes.
 *
 * @returns the token that leads to the container; a secret.
 * @throws {SessionRefused}
 */
export async function startSession(door: FrontDoor, order: StartOrder): Promise<string> {
  const headers = {
    authorization: `Bearer ${door.proxyToken}`,
    'x-modal-server-session-idle-timeout': String(door.idleSeconds),
    'x-idempotency-key': order.key,
    'x-modal-timestamp': String(order.startedAtMs / 1000),
  };
  const body = await repeat(door.retries, order.signal, (attemptMs) =>
    post(door, '/_modal/sessions/start', headers, { attemptMs, signal: order.signal }),
  );
  const parsed = v.safeParse(startAnswer, readJson(body));
  if (!parsed.success) throw new SessionRefused(200);
  return parsed.output.token;
}

/**
 * Ends a session; one that is gone already is ended too.
 *
 * @throws {SessionRefused}
 */
export async function terminateSession(door: FrontDoor, token: string, signal: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${door.proxyToken}`, 'x-modal-server-session-token': token };
  try {
    await repeat(terminateRetries, signal, (attemptMs) =>
      post(door, '/_modal/sessions/terminate', headers, { attemptMs, signal }),
    );
  } catch (error) {
    if (!(error instanceof SessionRefused) || error.status !== 404) throw error;
  }
}

async function repeat<T>(
  retries: Retries,
  signal: AbortSignal,
  attempt: (longestMs: number) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + retries.totalMs;
  for (let number = 1; ; number++) {
    try {
      return await attempt(Math.max(2_000, Math.min(retries.attemptMs, deadline - performance.now())));
    } catch (error) {
      const delayMs = retries.firstDelayMs * 2 ** (number - 1);
      const isWorthAnother = error instanceof SessionRefused && error.isWorthAnother;
      const hasTime = performance.now() + delayMs + 2_000 < deadline;
      if (!isWorthAnother || !hasTime || number >= retries.attempts || signal.aborted) throw error;
      // Cut short, it is refused by the signal on the next attempt.
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** @throws {SessionRefused} for every answer that is not a success. */
function post(
  door: FrontDoor,
  path: string,
  headers: Readonly<Record<string, string>>,
  limits: { readonly attemptMs: number; readonly signal: AbortSignal },
): Promise<string> {
  const { agent, url } = door;
  const signal = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.attemptMs)]);
  return new Promise((resolve, reject) => {
    // Whatever went wrong is told by its status alone: an error's text may quote a header.
    const fail = () => reject(new SessionRefused(null));
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send({
      agent,
      method: 'POST',
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? undefined : Number(url.port),
      path: url.pathname.replace(/\/$/, '') + path,
      headers: { ...headers, 'content-length': 0 },
      signal,
    });
    request.on('error', fail);
    request.on('response', (response) => {
      let length = 0;
      const pieces: Buffer[] = [];
      response.on('error', fail);
      response.on('data', (piece: Buffer) => {
        length += piece.length;
        if (length > maximumAnswerLength) request.destroy();
        else pieces.push(piece);
      });
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(Buffer.concat(pieces).toString('utf8'));
        else reject(new SessionRefused(status));
      });
      response.on('close', fail);
    });
    request.end();
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
