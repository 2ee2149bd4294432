import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import fc from 'fast-check';
import { modelField } from '../../../crypto/messages/fields.ts';
import { isUsableId, readableName, readOffer } from '../../../enclave-worker/engines/openai/model-offer.ts';
import {
  chooseModel,
  choiceText,
  probeServer,
  problemText,
} from '../../../enclave-worker/engines/openai/server-search.ts';
import { candidateUrls, UpstreamCaller } from '../../../enclave-worker/engines/upstream-call.ts';
import { findFreePort } from '../../parts/free-port.ts';
import { ask, engineAt, startAnswering } from './answering-server.ts';

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
    [200, '{"data":[]}', { kind: 'up', models: [] }, 'has no model: load one there, or set LLM_MODEL.'],
  ])('with status %i and %s is told apart, in one sentence', async (status, body, state, sentence) => {
    await using server = await startAnswering((_request, _body, response) => response.writeHead(status).end(body));
    const caller = new UpstreamCaller(server.url, undefined);
    const found = await probeServer(caller, signal);
    expect(found).toEqual(state);
    expect(problemText(found, false)).toBe(sentence);
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
    expect(await probeServer(caller, signal)).toEqual({ kind: 'silent' });
    expect(problemText({ kind: 'key-refused', status: 401 }, true)).toBe('does not accept LLM_API_KEY (status 401).');
  });
});

describe('a list of models', () => {
  test.each<readonly [name: string, body: unknown, chat: readonly string[]]>([
    [
      'OpenAI',
      {
        data: [
          { id: 'whisper-1' },
          { id: 'tts-1-hd' },
          { id: 'text-embedding-3-small' },
          { id: 'dall-e-3' },
          { id: 'omni-moderation-latest' },
          { id: 'gpt-4o' },
        ],
      },
      ['gpt-4o'],
    ],
    [
      'vLLM',
      { data: [{ id: '/models/Qwen 3', object: 'model', owned_by: 'vllm', max_model_len: 4096 }] },
      ['/models/Qwen 3'],
    ],
    [
      'LM Studio',
      {
        data: [
          { id: 'text-embedding-nomic-embed-text-v1.5', type: 'embeddings' },
          { id: 'a', type: 'vlm' },
          { id: 'b', type: 'llm' },
        ],
      },
      ['a', 'b'],
    ],
    [
      'Together',
      [
        { id: 'x', type: 'image' },
        { id: 'BAAI/bge-large', type: 'embedding' },
        { id: 'y', type: 'chat' },
      ],
      ['y'],
    ],
    [
      'Mistral',
      {
        data: [
          { id: 'mistral-embed', capabilities: { completion_chat: false } },
          { id: 's', capabilities: { completion_chat: true } },
        ],
      },
      ['s'],
    ],
    [
      'llama.cpp',
      { models: [{ name: 'q', capabilities: ['completion'] }], data: [{ id: 'q', object: 'model' }] },
      ['q'],
    ],
    [
      'Ollama itself',
      { models: [{ name: 'nomic-embed-text:latest' }, { name: 'qwen3:8b', model: 'qwen3:8b' }] },
      ['qwen3:8b'],
    ],
    [
      'OpenRouter',
      {
        data: [
          { id: 'i', architecture: { output_modalities: ['image'] } },
          { id: 't', architecture: { output_modalities: ['text'] } },
        ],
      },
      ['t'],
    ],
    [
      'LiteLLM',
      {
        data: [
          { id: 'e', mode: 'embedding' },
          { id: 'c', mode: 'chat' },
        ],
      },
      ['c'],
    ],
    [
      'Xinference',
      {
        data: [
          { id: 'r', model_type: 'rerank' },
          { id: 'l', model_type: 'LLM' },
        ],
      },
      ['l'],
    ],
    ['a name that says it wrongly', { data: [{ id: 'my-embed-chat', type: 'chat' }] }, ['my-embed-chat']],
    [
      'names by what they are for',
      {
        data: [
          'bge-m3',
          'intfloat/e5-large',
          'jina-reranker-v2',
          'whisper-large',
          'kokoro-tts',
          'stable-diffusion-xl',
          'llama-guard-3',
          'all-MiniLM-L6-v2',
          'gemma-3',
        ].map((id) => ({ id })),
      },
      ['gemma-3'],
    ],
  ])('of %s: takes what answers questions', (_name, body, chat) => {
    expect(
      readOffer(body)
        ?.filter(({ canChat }) => canChat)
        .map(({ id }) => id),
    ).toEqual(chat);
  });

  test('is no list where it is something else, and holds no id that no request could name', () => {
    expect(readOffer({ hello: 1 })).toBeNull();
    expect(readOffer(null)).toBeNull();
    expect(
      readOffer({ data: [null, 7, {}, { id: 'x'.repeat(513) }, { id: 'a\nb' }, { id: ' ' }, { id: 'ok' }] }),
    ).toEqual([{ id: 'ok', canChat: true }]);
  });

  test('is said, with the one that was taken', () => {
    const models = [
      { id: 'bge-m3', canChat: false },
      { id: '/models/Qwen 3.gguf', canChat: true },
    ];
    const state = { kind: 'up', models } as const;
    const chosen = chooseModel(state, undefined)!;
    expect(chosen).toEqual({ model: 'Qwen-3', serverModel: '/models/Qwen 3.gguf' });
    expect(choiceText(chosen, state, 'h:1')).toBe(
      'Model: Qwen-3, by the server h:1 (LLM_BASE_URL), there “/models/Qwen 3.gguf”. It offers bge-m3, /models/Qwen 3.gguf.',
    );
    expect(choiceText(chooseModel(state, 'mine')!, state, 'h:1')).toContain('LLM_MODEL is not one of them');
    const none = { kind: 'up', models: [{ id: 'bge-m3', canChat: false }] } as const;
    expect(chooseModel(none, undefined)).toBeNull();
    expect(chooseModel(none, 'bge-m3')).toEqual({ model: 'bge-m3', serverModel: 'bge-m3' });
    expect(problemText(none, false)).toContain('(bge-m3): set LLM_MODEL');
  });
});

describe('the name of a model', () => {
  test.each([
    ['Qwen/Qwen3.5-9B', 'Qwen/Qwen3.5-9B'],
    ['qwen3:8b', 'qwen3:8b'],
    ['/models/Llama 3 8B.gguf', 'Llama-3-8B'],
    ['C:\\Models\\My Model.gguf', 'My-Model'],
    ['/srv/weights/', 'weights'],
    ['/root/.cache/huggingface/hub/models--Qwen--Qwen3-8B/snapshots/0a1b2c', 'Qwen/Qwen3-8B'],
    ['Größe Modell', 'Grosse-Modell'.replace('ss', '-')],
    ['模型', 'model-'],
    ['_-_', 'model-'],
  ])('%s is shown as %s', (id, name) => {
    expect(readableName(id).startsWith(name)).toBe(true);
  });

  test('fits a header, whatever the id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 600 }), (id) => {
        fc.pre(isUsableId(id));
        expect(v.is(modelField, readableName(id))).toBe(true);
      }),
    );
  });
});
