import { describe, expect, test } from 'vitest';
import { probeServer, problemText } from '../../../../enclave-worker/engines/openai/server-search.ts';
import { candidateUrls, UpstreamCaller } from '../../../../enclave-worker/engines/openai/wire/upstream-call.ts';
import { findFreePort } from '../../../parts/network/free-port.ts';
import { ask, engineAt, startAnswering } from '../../../parts/worker/upstream/answering-server.ts';

const signal = new AbortController().signal;
const list = (...ids: string[]) => JSON.stringify({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });
const answer = 'data: {"choices":[{"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\n';

describe('the address of a model server', () => {
  test.each([
    ['http://h:8000/v1', ['http://h:8000/v1']],
    ['http://h:8000/v1/', ['http://h:8000/v1']],
    ['http://h:8000', ['http://h:8000/v1', 'http://h:8000']],
    ['http://h:8000/', ['http://h:8000/v1', 'http://h:8000']],
    ['http://h/v1/chat/completions', ['http://h/v1']],
    ['https://h/api/v1/models', ['https://h/api/v1']],
    [
      'https://h/openai/deployments/x?api-version=2',
      ['https://h/openai/deployments/x/v1?api-version=2', 'https://h/openai/deployments/x?api-version=2'],
    ],
    ['https://h/v1beta/openai', ['https://h/v1beta/openai/v1', 'https://h/v1beta/openai']],
    ['unix:/run/model.sock', ['http://localhost/v1']],
  ])('%s may mean %j', (given, candidates) => {
    expect(candidateUrls(given)).toEqual(candidates);
  });

  test.each(['', '/', '/v1', '/v1/'])('ends in "%s" and leads to the same place', async (end) => {
    await using server = await startAnswering((request, _body, response) => {
      if (request.url === '/v1/models') response.end(list('m'));
      else if (request.url === '/v1/chat/completions') response.end(answer);
      else response.writeHead(404).end('{"detail":"Not Found"}');
    });
    const caller = new UpstreamCaller(server.url.replace('/v1', end), undefined);
    expect(await probeServer(caller, signal)).toEqual({ kind: 'up', models: [{ id: 'm', canChat: true }] });
    expect((await ask(engineAt(server.url, { caller }))).text).toBe('ok');
    caller.close();
  });

  test('may lead to a server that has its interface at the root, or no list of models', async () => {
    await using root = await startAnswering((request, _body, response) => {
      if (request.url === '/api/models') response.end(list('m'));
      else if (request.url === '/api/chat/completions') response.end(answer);
      else response.end('<!doctype html><title>A page for every path</title>');
    });
    const caller = new UpstreamCaller(root.url.replace('/v1', '/api'), undefined);
    expect(await probeServer(caller, signal)).toMatchObject({ kind: 'up' });
    expect((await ask(engineAt(root.url, { caller }))).text).toBe('ok');
    caller.close();

    await using listless = await startAnswering((request, _body, response) => {
      if (request.url === '/v1/chat/completions') response.writeHead(422).end('{"detail":"messages missing"}');
      else response.writeHead(404).end('{}');
    });
    const other = new UpstreamCaller(listless.url.replace('/v1', ''), undefined);
    expect(await probeServer(other, signal)).toEqual({ kind: 'up', models: null });
    other.close();
  });

  test.each([
    [401, '{}', { kind: 'key-refused', status: 401 }, 'asks for a key (status 401): set LLM_API_KEY.'],
    [
      404,
      '{}',
      { kind: 'no-interface', status: 404 },
      'has no OpenAI interface there (status 404): LLM_BASE_URL mostly ends in /v1.',
    ],
    [
      200,
      '<html>',
      { kind: 'no-interface', status: 200 },
      'has no OpenAI interface there (status 200): LLM_BASE_URL mostly ends in /v1.',
    ],
    [503, '{"error":{"message":"Loading model"}}', { kind: 'loading' }, 'is loading its model; trying again.'],
    [502, '<html>', { kind: 'failing', status: 502 }, 'has a fault (status 502); trying again.'],
    [
      308,
      '',
      { kind: 'no-interface', status: 308 },
      'leads elsewhere (status 308): set LLM_BASE_URL to where it leads.',
    ],
    [
      200,
      '{"object":"list","data":null}',
      { kind: 'up', models: [] },
      'has no model: load one there, or set LLM_MODEL.',
    ],
    [200, '{"data":[]}', { kind: 'up', models: [] }, 'has no model: load one there, or set LLM_MODEL.'],
  ])('with status %i and %s is told apart, in one sentence', async (status, body, state, sentence) => {
    await using server = await startAnswering((_request, _body, response) => response.writeHead(status).end(body));
    const caller = new UpstreamCaller(server.url, undefined);
    const found = await probeServer(caller, signal);
    expect(found).toEqual(state);
    expect(problemText(found, false)).toBe(sentence);
    caller.close();
  });

  test.each<readonly [name: string, list: readonly [number, string], empty: readonly [number, string], state: object]>([
    [
      'a key that may ask and not list',
      [403, '{"error":{"message":"Missing scopes: api.model.read"}}'],
      [400, '{"error":{"message":"you must provide a model parameter"}}'],
      { kind: 'up', models: null },
    ],
    [
      'a key that may do nothing',
      [403, '{"error":{"message":"Forbidden"}}'],
      [403, '{"error":{"message":"Forbidden"}}'],
      { kind: 'key-refused', status: 403 },
    ],
    ['a wrong key', [401, '{}'], [422, '{}'], { kind: 'key-refused', status: 401 }],
    ['a list that is broken', [500, '{}'], [400, '{}'], { kind: 'up', models: null }],
    ['a small server that falls over an empty question', [404, ''], [500, '<html>'], { kind: 'up', models: null }],
    ['a server that falls over everything', [500, ''], [500, ''], { kind: 'failing', status: 500 }],
  ])('leads to %s', async (_name, list, empty, state) => {
    await using server = await startAnswering((request, _body, response) => {
      const [status, body] = request.method === 'GET' ? list : empty;
      response.writeHead(status).end(body);
    });
    const caller = new UpstreamCaller(server.url, 'k');
    expect(await probeServer(caller, signal)).toEqual(state);
    caller.close();
  });

  test('leads below a gateway that forbids what it does not know', async () => {
    await using server = await startAnswering((request, _body, response) => {
      if (request.url === '/prod/models') response.end(list('m'));
      else response.writeHead(403).end('{"message":"Missing Authentication Token"}');
    });
    const caller = new UpstreamCaller(server.url.replace('/v1', '/prod'), undefined);
    expect(await probeServer(caller, signal)).toMatchObject({ kind: 'up' });
    caller.close();
  });

  test.each([
    ['me:it%20is@', undefined, `Basic ${Buffer.from('me:it is').toString('base64')}`],
    ['me:100%@', undefined, `Basic ${Buffer.from('me:100%').toString('base64')}`],
    ['me:it@', 'k', 'Bearer k'],
    ['', 'k', 'Bearer k'],
    ['', undefined, undefined],
  ])('may hold a name and a password as in "%s", beside the key %s', async (given, key, header) => {
    const seen: (readonly [string | undefined, string | undefined])[] = [];
    await using server = await startAnswering(({ headers }, _body, response) => {
      seen.push([headers.authorization, headers['user-agent']]);
      response.end(list('m'));
    });
    const caller = new UpstreamCaller(server.url.replace('//', `//${given}`), key);
    expect(await probeServer(caller, signal)).toMatchObject({ kind: 'up' });
    expect(seen).toEqual([[header, 'sotto']]);
    caller.close();
  });

  test('may list more models than an error body is long', async () => {
    const many = Array.from({ length: 900 }, (_, index) => ({ id: `m${index}`, description: 'x'.repeat(1_000) }));
    await using server = await startAnswering((_request, _body, response) =>
      response.end(JSON.stringify({ data: many })),
    );
    const caller = new UpstreamCaller(server.url, undefined);
    const state = await probeServer(caller, signal, 20_000);
    expect(state.kind === 'up' && state.models?.length).toBe(900);
    caller.close();
  });

  test('where nothing listens is silence', async () => {
    const caller = new UpstreamCaller(`http://127.0.0.1:${await findFreePort()}`, undefined);
    expect(await probeServer(caller, signal)).toEqual({ kind: 'silent', why: 'connection-refused' });
    expect(problemText({ kind: 'key-refused', status: 401 }, true)).toBe('does not accept LLM_API_KEY (status 401).');
  });
});
