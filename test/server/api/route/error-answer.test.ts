import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { expect, onTestFinished, test } from 'vitest';
import { errorCodes, type ErrorCode } from '../../../../crypto/protocol/messages/error-codes.ts';
import { accountRoutes } from '../../../../server/accounts/account-routes.ts';
import { browserCookies } from '../../../../server/accounts/sessions/browser-cookies.ts';
import { AccountReads } from '../../../../server/api/guards/account-reads.ts';
import { createApp } from '../../../../server/api/app.ts';
import { BodyMemory } from '../../../../server/api/bodies/body-memory.ts';
import { ClientAddress } from '../../../../process/http/client-address.ts';
import { describeError } from '../../../../server/api/route/error-answer.ts';
import { HeldAnswers } from '../../../../server/api/bodies/held-answers.ts';
import { HostNames } from '../../../../server/api/guards/host-name.ts';
import { LargeBodies } from '../../../../server/api/bodies/large-bodies.ts';
import { listen } from '../../../../server/connections/listener.ts';
import { OriginGuard } from '../../../../server/api/guards/origin-guard.ts';
import { RateLimiter } from '../../../../server/api/guards/rate-limit.ts';
import { withServiceRoutes } from '../../../../server/api/route/service-routes.ts';
import { StaticFiles } from '../../../../server/api/pages/static-files.ts';
import { RelayError } from '../../../../server/api/route/relay-error.ts';
import type { Route } from '../../../../server/api/route/route.ts';
import { enclaveRoutes } from '../../../../server/pools/enclave-routes.ts';
import { turnRoutes } from '../../../../server/turns/turn-routes.ts';
import { vaultRoutes } from '../../../../server/vault/vault-routes.ts';
import { quietLog } from '../../../parts/relay/in-process/quiet-log.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];
const comesBackLater = (status: number) => [429, 503, 507].includes(status);
const wholeSeconds = /^[1-9]\d*$/;

test.each(codes)('describeError: %s says when to come back if it is 429, 503 or 507, and else does not', (code) => {
  const { headers, status } = describeError(new RelayError(code));
  expect(wholeSeconds.test(headers['Retry-After'] ?? '')).toBe(comesBackLater(status));
});

test('describeError: whoever refuses may know the time better', () => {
  expect(describeError(new RelayError('too-many-requests', 77)).headers['Retry-After']).toBe('77');
});

test('healthz: a relay that cannot take turns says when to ask again', async () => {
  const { status, headers } = await (await openTestRelay('sqlite')).call('GET', '/healthz');
  expect([status, headers.get('retry-after')]).toEqual([503, '5']);
});

/** The relay's routes. Nothing is behind them. */
function allRoutes(): readonly Route[] {
  const nothing = {} as never;
  const others = [
    ...accountRoutes(nothing),
    ...vaultRoutes(nothing),
    ...turnRoutes(nothing),
    ...enclaveRoutes(nothing),
  ];
  return withServiceRoutes(others, { version: '0', build: null, signUp: 'open' });
}

/** A listener whose routes all end with one error, whatever they are asked. */
async function listenWith(routes: readonly Route[], thrown: () => unknown, log = quietLog()): Promise<string> {
  const failing = routes.map((route): Route => ({
    ...route,
    access: 'public',
    path: Object.fromEntries(Object.keys(route.path).map((name) => [name, v.string()])),
    query: null,
    body: null,
    maximumBodyLength: 0,
    limits: [],
    handle: {
      kind: route.handle.kind,
      run: () => {
        throw thrown();
      },
    } as Route['handle'],
  }));
  const app = createApp({
    sessions: {} as never,
    cookies: browserCookies('0'.repeat(64), false),
    addresses: new ClientAddress(null),
    origins: new OriginGuard(null),
    limiter: new RateLimiter({ scale: 1e6 }),
    bodies: new BodyMemory(),
    answers: new HeldAnswers(),
    large: new LargeBodies(log),
    reads: new AccountReads(),
    log,
    routes: failing,
    files: new StaticFiles('/nowhere'),
    health: { look: async () => ({ isReady: false, marks: [] }) },
    hosts: new HostNames({ publicUrl: null, further: [], isHttps: false, certificate: null }),
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  onTestFinished(() => listening.close(0));
  return `http://127.0.0.1:${listening.port}`;
}

test('every route: a 429, 503 or 507 says on the wire when to come back; no other answer does', async () => {
  const routes = allRoutes();
  expect(routes.length).toBeGreaterThan(25);
  let thrown: unknown;
  const url = await listenWith(routes, () => thrown);
  const refusing = codes.filter((code) => comesBackLater(errorCodes[code].status));
  for (const code of [...refusing, 'bad-request', 'internal-error', 'enclave-unreachable'] as const) {
    thrown = new RelayError(code);
    for (const route of routes) {
      const answer = await fetch(url + route.url.replace(/\{\w+\}/g, 'x'), {
        method: route.method,
        headers: { origin: url },
      });
      const { error } = (await answer.json()) as { error: string };
      const seconds = answer.headers.get('retry-after') ?? '';
      expect([route.name, error, wholeSeconds.test(seconds)]).toEqual([
        route.name,
        code,
        comesBackLater(answer.status),
      ]);
    }
  }
  // These are no routes.
  for (const path of ['/', '/healthz', '/readyz']) {
    const { headers, status } = await fetch(url + path);
    expect([path, status, wholeSeconds.test(headers.get('retry-after') ?? '')]).toEqual([path, 503, true]);
  }
});

test('openapi.json: each 429, 503 and 507 of a route names Retry-After, and no other answer does', async () => {
  type Answers = Record<string, { readonly headers?: Readonly<Record<string, unknown>> }>;
  const { json } = await (await openTestRelay('sqlite')).call('GET', '/v1/openapi.json');
  const { paths } = json as { paths: Record<string, Record<string, { responses: Answers }>> };
  const answers = Object.values(paths).flatMap((path) =>
    Object.values(path).flatMap(({ responses }) => Object.entries(responses)),
  );
  expect(answers.filter(([status]) => status === '429').length).toBe(allRoutes().length);
  for (const [status, { headers }] of answers) {
    expect([status, headers?.['Retry-After'] !== undefined]).toEqual([status, comesBackLater(Number(status))]);
  }
});

test('dispatch: a route that answers a code which it does not declare is logged as our defect', async () => {
  const log = quietLog();
  let thrown: unknown;
  const routes = allRoutes().filter(({ name }) => name === 'startTurn');
  const url = await listenWith(routes, () => thrown, log);
  const answerOf = async (code: ErrorCode) => {
    log.codes.length = 0;
    thrown = new RelayError(code);
    const answer = await fetch(`${url}/v1/turns`, { method: 'POST', headers: { origin: url } });
    return [((await answer.json()) as { error: string }).error, log.codes.includes('undeclared-code')];
  };
  expect(await answerOf('turn-conflict')).toEqual(['turn-conflict', false]);
  expect(await answerOf('name-taken')).toEqual(['name-taken', true]);
});

test('every route: a refusal that says more than a code has a status of the list of codes', () => {
  const statuses = new Set<number>(Object.values(errorCodes).map(({ status }) => status));
  const further = allRoutes().flatMap(({ answers }) =>
    Object.keys(answers).filter((status) => !status.startsWith('2')),
  );
  expect(further.length).toBeGreaterThan(0);
  for (const status of further) expect(statuses).toContain(Number(status));
});

test('SPEC.md §11.3 has each code once, with its status and advice', () => {
  const spec = readFileSync(resolve('crypto/SPEC.md'), 'utf8');
  const [, section = ''] = spec.split('### §11.3');
  const [table = ''] = section.split('\nEvery answer with 429');
  const rows = [...table.matchAll(/`([a-z-]+)` \| (\d{3}) \| (\w+)/g)].map(([, code, status, advice]) => [
    code,
    { status: Number(status), advice },
  ]);
  expect(rows).toHaveLength(Object.keys(errorCodes).length);
  expect(Object.fromEntries(rows)).toEqual(errorCodes);
});
