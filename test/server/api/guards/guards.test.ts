import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { errorCodes } from '../../../../crypto/protocol/messages/error-codes.ts';
import { StaticFiles } from '../../../../server/api/pages/static-files.ts';
import { createLog } from '../../../../process/event-log.ts';
import { nameTagOf, quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { PassThrough } from 'node:stream';

const recovery = { format: 1, nameTag: nameTagOf('alice') };

test('body: only JSON of one meaning, of the schema, and of the right type', async () => {
  const relay = await openTestRelay('sqlite');
  const send = async (body: unknown, headers: Record<string, string> = {}) =>
    (await relay.call('POST', '/v1/recovery/start', { body, headers })).json;
  expect(await send(recovery)).toMatchObject({ format: 1 });
  expect(await send(recovery, { 'content-type': 'application/json; charset=utf-8' })).toMatchObject({ format: 1 });
  const badRequest = { error: 'bad-request' };
  for (const body of [
    '',
    'null',
    '[]',
    '{"format":1',
    { ...recovery, format: 2 },
    { ...recovery, more: 1 },
    { format: 1 },
    { ...recovery, nameTag: `${recovery.nameTag}A` },
    { ...recovery, nameTag: recovery.nameTag.replace(/.$/, '=') },
    `{"format":1,"format":1,"nameTag":"${recovery.nameTag}"}`,
    `{"format":1,"__proto__":{},"nameTag":"${recovery.nameTag}"}`,
  ]) {
    expect(await send(body)).toEqual(badRequest);
  }
  const wrongType = { error: 'wrong-media-type' };
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json-ish', '']) {
    expect(await send(recovery, { 'content-type': type })).toEqual(wrongType);
  }
  expect(await send(recovery, { 'content-encoding': 'gzip' })).toEqual(wrongType);
});

test('body: a text beyond the limit is refused, announced or not', async () => {
  const relay = await openTestRelay('sqlite');
  const body = `${' '.repeat(65_536 - JSON.stringify(recovery).length)}${JSON.stringify(recovery)}`;
  const send = (text: string, headers = {}) => relay.call('POST', '/v1/recovery/start', { body: text, headers });
  expect((await send(body)).status).toBe(200);
  expect((await send(` ${body}`)).json).toEqual({ error: 'too-large' });
  expect((await send(body, { 'content-length': '999999999' })).json).toEqual({ error: 'too-large' });
  expect((await send(body, { 'content-length': 'x' })).json).toEqual({ error: 'too-large' });
});

test('query and path: unknown, doubled and malformed parameters are refused', async () => {
  const relay = await openTestRelay('sqlite');
  const { accessToken: token } = (await quickSignUp(relay, 'alice')).session;
  const get = async (path: string) => (await relay.call('GET', path, { token })).status;
  expect(await get('/v1/heads?after=0&limit=10')).toBe(200);
  for (const query of [
    '',
    '?after=0&limit=10&more=1',
    '?after=0&limit=10&limit=10',
    '?after=-1&limit=10',
    '?after=0&limit=1e3',
    '?after=0&limit=1001',
    '?after=%20&limit=1',
  ]) {
    expect([query, await get(`/v1/heads${query}`)]).toEqual([query, 400]);
  }
  expect(await get('/v1/account?x=1')).toBe(400);
  expect(await get('/v1/items/nonsense/body')).toBe(400);
  expect(await get(`/v1/items/${'A'.repeat(22)}/body`)).toBe(404);
});

test('routes: unknown paths and methods have their codes, and every session route refuses a stranger', async () => {
  const relay = await openTestRelay('sqlite');
  expect((await relay.call('GET', '/v1/nothing')).json).toEqual({ error: 'not-found' });
  expect((await relay.call('GET', '/v1')).json).toEqual({ error: 'not-found' });
  const wrong = await relay.call('PUT', '/v1/sessions');
  expect([wrong.status, wrong.headers.get('allow'), wrong.json]).toEqual([405, 'GET', { error: 'method-not-allowed' }]);
  expect((await relay.call('POST', '/')).status).toBe(405);

  const description = (await relay.call('GET', '/v1/openapi.json')).json as {
    paths: Record<string, Record<string, { security: object[] }>>;
  };
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  );
  const isClosed = ({ security }: { security: object[] }) => security.some((scheme) => 'session' in scheme);
  for (const { path, method } of operations.filter(isClosed)) {
    const body = method === 'GET' ? undefined : {};
    const answer = await relay.call(method, path.replace(/\{\w+\}/g, 'A'.repeat(22)), { body });
    expect([path, answer.json]).toEqual([path, { error: 'not-signed-in' }]);
  }
  const open = operations.filter((operation) => !isClosed(operation)).map(({ path }) => path);
  expect(open.toSorted()).toEqual([
    '/v1/openapi.json',
    '/v1/recovery/finish',
    '/v1/recovery/start',
    '/v1/session/refresh',
    '/v1/sign-in/finish',
    '/v1/sign-in/start',
    '/v1/sign-up/finish',
    '/v1/sign-up/start',
    '/v1/version',
  ]);
});

test('origin: a call that says it comes from elsewhere is refused on every writing route (M40)', async () => {
  const relay = await openTestRelay('sqlite', { environment: { PUBLIC_URL: 'https://chat.example' } });
  const send = async (headers: Record<string, string>) =>
    (await relay.call('POST', '/v1/recovery/start', { body: recovery, headers })).json;
  expect(await send({ origin: 'https://chat.example' })).toMatchObject({ format: 1 });
  expect(await send({ 'sec-fetch-site': '' })).toMatchObject({ format: 1 });
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:8787' },
    { origin: 'null' },
  ]) {
    expect(await send(headers as unknown as Record<string, string>)).toEqual({ error: 'wrong-origin' });
  }
});

test('openapi: names every route with its schemas, limits and codes', async () => {
  const relay = await openTestRelay('sqlite');
  const description = (await relay.call('GET', '/v1/openapi.json')).json as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
  };
  expect(description.openapi).toBe('3.1.0');
  expect(Object.keys(description.paths)).toEqual(
    expect.arrayContaining([
      '/v1/items',
      '/v1/turns/{turnId}/frames',
      '/v1/live',
      '/v1/enclaves',
      '/v1/sessions/{sessionId}',
    ]),
  );
  const operations = Object.values(description.paths).flatMap((path) => Object.values(path));
  expect(new Set(operations.map((operation) => operation.operationId)).size).toBe(operations.length);
  for (const { responses, operationId } of operations) {
    expect([operationId, Object.keys(responses).some((status) => status.startsWith('2'))]).toEqual([operationId, true]);
    for (const [status, response] of Object.entries(responses)) {
      if (status.startsWith('2') || response.content['application/json']?.schema.$ref === undefined) continue;
      for (const code of response.description.split(', ')) {
        expect(errorCodes[code as keyof typeof errorCodes].status).toBe(Number(status));
      }
    }
  }
  const signIn = description.paths['/v1/sign-in/start']!['post']!;
  expect(signIn.requestBody!.content['application/json'].schema).toMatchObject({
    type: 'object',
    required: ['format', 'nameTag', 'loginRequest'],
    additionalProperties: false,
    properties: { nameTag: { type: 'string', minLength: 43, maxLength: 43 } },
  });
  const heads = description.paths['/v1/heads']!['get']!;
  expect(heads.parameters.map((parameter) => [parameter.name, parameter.in, parameter.required])).toEqual([
    ['after', 'query', true],
    ['limit', 'query', false],
  ]);
});

type Operation = {
  operationId: string;
  parameters: { name: string; in: string; required: boolean }[];
  requestBody?: { content: { 'application/json': { schema: object } } };
  responses: Record<string, { description: string; content: { 'application/json'?: { schema: { $ref?: string } } } }>;
};

async function makeDist(): Promise<string> {
  const folder = await makeTemporaryFolder('dist');
  onTestFinished(() => folder.remove());
  const dist = join(folder.path, 'dist');
  await mkdir(join(dist, 'assets'), { recursive: true });
  const script = 'export const answer = 42;\n'.repeat(20);
  await writeFile(join(folder.path, 'secret.txt'), 'outside');
  await writeFile(join(dist, 'index.html'), '<!doctype html><title>Sotto</title>');
  await writeFile(join(dist, 'build.json'), '{"format":1,"version":"0.1.0","build":"abc123"}');
  await writeFile(join(dist, 'manifest.json'), '{}');
  await writeFile(join(dist, '.hidden.txt'), 'hidden');
  await writeFile(join(dist, 'assets/main-1234.js'), script);
  await writeFile(join(dist, 'assets/main-1234.js.br'), brotliCompressSync(script));
  await writeFile(join(dist, 'assets/main-1234.js.gz'), gzipSync(script));
  return dist;
}

test('static files: pages, hashed files and compressed ones, and nothing else', async () => {
  const files = new StaticFiles(await makeDist());
  const get = (path: string, headers: Record<string, string> = {}) =>
    files.answer(path, new Request('http://localhost/', { headers }));
  expect([files.isBuilt, files.build]).toEqual([true, 'abc123']);
  const page = get('/index.html');
  expect(await page?.text()).toContain('<title>Sotto</title>');
  expect(page?.headers.get('cache-control')).toBe('no-cache');
  expect(page?.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const plain = get('/assets/main-1234.js');
  expect(plain?.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(plain?.headers.get('content-encoding')).toBeNull();
  expect(get('/assets/main-1234.js', { 'accept-encoding': 'gzip, deflate, br' })?.headers.get('content-encoding')).toBe(
    'br',
  );
  expect(get('/assets/main-1234.js', { 'accept-encoding': 'gzip, br;q=0' })?.headers.get('content-encoding')).toBe(
    'gzip',
  );
  const etag = plain?.headers.get('etag') ?? '';
  expect(get('/assets/main-1234.js', { 'if-none-match': etag })?.status).toBe(304);
  for (const path of [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '//secret.txt',
    '/.hidden.txt',
    '/build.json',
    '/manifest.json',
    '/assets/main-1234.js.br',
    '/assets/none.js',
    '/index.html\0.js',
  ]) {
    expect([path, get(path)]).toEqual([path, null]);
  }
  expect(new StaticFiles('/nowhere').isBuilt).toBe(false);
});

test('log: a line for each call, with the route’s name and nothing of the caller', async () => {
  const output = new PassThrough();
  const relay = await openTestRelay('sqlite', { log: createLog('debug', output) });
  const alice = await quickSignUp(relay, 'alice-the-user', 'a password of hers');
  await relay.call('GET', '/v1/account', { token: alice.session.accessToken });
  await relay.call('DELETE', `/v1/sessions/${alice.session.sessionId}`, { token: alice.session.accessToken });
  await relay.call('GET', '/v1/heads?after=-5&limit=1', { token: 'nonsense' });
  const text = String(output.read());
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map((line) => line['route'])).toEqual([
    'startSignUp',
    'finishSignUp',
    'readAccount',
    'endSession',
    'listHeads',
  ]);
  for (const line of lines) expect(Object.keys(line)).toEqual(['time', 'level', 'event', 'route', 'status', 'ms']);
  for (const { ms } of lines) expect(Math.log2(ms as number) % 1).toBe(0);
  for (const word of [
    'alice',
    alice.session.sessionId,
    alice.session.accessToken,
    '/v1',
    'nonsense',
    nameTagOf('alice-the-user'),
  ]) {
    expect(text).not.toContain(word);
  }
});
