import type { Http2Bindings, HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import * as v from 'valibot';
import type { BrowserCookie } from './guards/browser-cookie.ts';
import { coarseMs, type Log } from '../../process/event-log.ts';
import { RelayError } from './route/relay-error.ts';
import type { AccountReads } from './guards/account-reads.ts';
import type { BodyMemory } from './bodies/body-memory.ts';
import type { ClientAddress } from '../../process/http/client-address.ts';
import { declaredCodes } from './route/declared-codes.ts';
import { describeError, errorBody, isForTheLog } from './route/error-answer.ts';
import type { HeldAnswers } from './bodies/held-answers.ts';
import { hostOf } from './guards/host-name.ts';
import type { OriginGuard } from './guards/origin-guard.ts';
import type { LargeBodies } from './bodies/large-bodies.ts';
import { parseBody, parseOrRefuse } from './bodies/parse-body.ts';
import { type Caller, RateLimiter } from './guards/rate-limit.ts';
import { willBeRead } from './bodies/unread-bodies.ts';
import type { Access, Answer, RawResponse, Route, RouteContext, Session } from './route/route.ts';

/** Without a socket, as in tests, both are missing. */
export type Bindings = Partial<HttpBindings | Http2Bindings>;
export type RelayContext = Context<{ Bindings: Bindings }>;

/** Finds out who is calling. */
export type SessionCheck = {
  /** @throws {RelayError} `not-signed-in` for a token that is none, `session-ended` for one whose session is over. */
  authenticate(accessToken: string, nowMs: number): Promise<Session>;
};

export type DispatchDependencies = {
  readonly sessions: SessionCheck;
  readonly cookies: { readonly refresh: BrowserCookie; readonly device: BrowserCookie };
  readonly addresses: ClientAddress;
  readonly origins: OriginGuard;
  readonly limiter: RateLimiter;
  readonly bodies: BodyMemory;
  readonly large: LargeBodies;
  readonly reads: AccountReads;
  readonly answers: HeldAnswers;
  readonly log: Log;
};

type AnyContext = RouteContext<unknown, unknown, unknown, Access>;

/**
 * Carries one call through its route: origin, limits, session, body, schema, handler, answer. Whatever is thrown on the way
 * becomes a code.
 */
export async function dispatch(c: RelayContext, route: Route, dependencies: DispatchDependencies): Promise<Response> {
  const startedAtMs = performance.now();
  let response: Response;
  let status: number;
  try {
    response = await run(c, route, dependencies);
    status = response === RESPONSE_ALREADY_SENT ? 200 : response.status;
  } catch (error) {
    response = fail(c, route, dependencies, error);
    status = response.status;
  }
  dependencies.log.info('call', { route: route.name, status, ms: coarseMs(performance.now() - startedAtMs) });
  return response;
}

async function run(c: RelayContext, route: Route, dependencies: DispatchDependencies): Promise<Response> {
  const request = c.req.raw;
  const { limiter } = dependencies;
  const header = (name: string) => request.headers.get(name);
  if (route.method !== 'GET') {
    const caller = { origin: header('origin'), site: header('sec-fetch-site'), host: hostOf(request) };
    dependencies.origins.check(caller, route.access === 'cookie');
  }
  const address = dependencies.addresses.find(incomingOf(c)?.socket.remoteAddress, header);
  const unknown: Caller = { address, accountId: null };
  limiter.take('calls', unknown);
  for (const limit of route.limits) if (!RateLimiter.isPerAccount(limit)) limiter.take(limit, unknown);
  const nowMs = Date.now();
  const session =
    route.access === 'session' ? await authenticate(dependencies.sessions, header('authorization'), nowMs) : null;
  // Until the answer is made: what was parsed of it lives as long.
  const caller: Caller = { address, accountId: session?.accountId ?? null };
  using share = dependencies.bodies.open(caller.accountId);
  if (route.body !== null) willBeRead(outgoingOf(c));
  const context: AnyContext = {
    session,
    path: parseOrRefuse(v.strictObject(route.path), c.req.param()),
    query: parseQuery(route, request.url),
    body: await parseBody(request, incomingOf(c), route, { limiter, large: dependencies.large, share, caller }),
    nowMs,
    address,
    takeLimit: (name) => limiter.take(name, caller),
    countRead: (length) => limiter.charge('reads', caller, Math.ceil(length / 1024)),
    cookie: dependencies.cookies.refresh.read(header('cookie')),
    device: dependencies.cookies.device.read(header('cookie')),
  };
  const isRead = route.limits.includes('reads');
  if (isRead) limiter.requirePaid('reads', caller);
  if (route.handle.kind === 'raw') return await runRaw(c, route.handle, context);
  using _ = isRead ? await dependencies.reads.enter(caller.accountId ?? address) : null;
  const { response, length } = write(c, dependencies, session, await route.handle.run(context));
  if (isRead) context.countRead(length);
  return response;
}

async function authenticate(sessions: SessionCheck, authorization: string | null, nowMs: number): Promise<Session> {
  const [, token] = /^Bearer ([A-Za-z0-9_.-]{1,2048})$/.exec(authorization ?? '') ?? [];
  if (token === undefined) throw new RelayError('not-signed-in');
  return sessions.authenticate(token, nowMs);
}

function parseQuery(route: Route, url: string): unknown {
  const { searchParams } = new URL(url);
  const entries = [...searchParams];
  // A name twice would have two meanings.
  if (new Set(searchParams.keys()).size !== entries.length) throw new RelayError('bad-request');
  if (route.query !== null) return parseOrRefuse(route.query, Object.fromEntries(entries));
  if (entries.length > 0) throw new RelayError('bad-request');
  return null;
}

async function runRaw(
  c: RelayContext,
  handle: Extract<Route['handle'], { kind: 'raw' }>,
  context: AnyContext,
): Promise<Response> {
  const { incoming, outgoing } = c.env as HttpBindings;
  const response: RawResponse = outgoing;
  try {
    await handle.run(response, context, incoming);
  } catch (error) {
    if (!response.headersSent) throw error;
    // A half answer must not look like a whole one.
    response.destroy();
  }
  return RESPONSE_ALREADY_SENT;
}

function write(
  c: RelayContext,
  { answers, cookies }: DispatchDependencies,
  session: Session | null,
  { status, body, refreshToken, device }: Answer,
): { readonly response: Response; readonly length: number } {
  const headers = new Headers();
  const browser = browserOf(c);
  if (refreshToken !== undefined) {
    const { refresh } = cookies;
    headers.append('Set-Cookie', refreshToken === null ? refresh.clear(browser) : refresh.write(refreshToken, browser));
  }
  if (device !== undefined) headers.append('Set-Cookie', cookies.device.write(device, browser));
  const isBytes = body instanceof Uint8Array;
  headers.set('Content-Type', isBytes ? 'application/octet-stream' : 'application/json');
  const content = isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body);
  const outgoing = outgoingOf(c);
  if (outgoing !== undefined) answers.hold(session?.accountId ?? null, content.length, outgoing);
  return { response: new Response(content, { status, headers }), length: content.length };
}

function fail(c: RelayContext, route: Route, dependencies: DispatchDependencies, error: unknown): Response {
  const { code, status, headers } = describeError(error);
  if (isForTheLog(error)) dependencies.log.error('call-failed', { route: route.name, error });
  // `openapi.json` would be wrong: a defect of ours, which the tests' relays do not forgive.
  if (!declaredCodes(route).has(code)) dependencies.log.error('undeclared-code', { route: route.name, code });
  // A cookie whose session is over only causes more calls.
  if (code === 'session-ended' && route.access === 'cookie') {
    headers['Set-Cookie'] = dependencies.cookies.refresh.clear(browserOf(c));
  }
  const isHttp2 = (incomingOf(c)?.httpVersionMajor ?? 1) === 2;
  if (isHttp2) delete headers['Connection'];
  return new Response(errorBody(code), { status, headers });
}

function incomingOf(c: RelayContext): HttpBindings['incoming'] | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming;
}

function outgoingOf(c: RelayContext): HttpBindings['outgoing'] | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.outgoing;
}

function browserOf(c: RelayContext) {
  return { host: hostOf(c.req.raw), userAgent: c.req.raw.headers.get('user-agent') };
}
