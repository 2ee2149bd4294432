import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { modelField } from '../../../../crypto/protocol/messages/fields.ts';
import { readableName, readModelList } from '../../../../enclave-worker/engines/openai/model-list.ts';
import { isModelId } from '../../../../process/settings/value-kinds.ts';
import { chooseModel, choiceText, problemText } from '../../../../enclave-worker/engines/openai/server-search.ts';

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
    [
      'Cloudflare',
      {
        success: true,
        result: [
          { id: '0a1b2c3d-aaaa-bbbb-cccc-0123456789ab', name: '@cf/baai/bge-m3', task: { name: 'Text Embeddings' } },
          { id: '1a1b2c3d-aaaa-bbbb-cccc-0123456789ab', name: '@cf/meta/llama-3', task: { name: 'Text Generation' } },
        ],
      },
      ['@cf/meta/llama-3'],
    ],
    [
      'Fireworks',
      {
        data: [
          { id: 'a/qwen-base', supports_chat: false },
          { id: 'a/qwen', supports_chat: true },
        ],
      },
      ['a/qwen'],
    ],
    [
      'Groq',
      {
        data: [
          { id: 'old', active: false },
          { id: 'new', active: true },
        ],
      },
      ['new'],
    ],
    ['models by their names', { models: { 'gemma-3': {}, 'bge-m3': {}, version: 2 } }, ['gemma-3']],
    ['models named in another member', { models: [{ model_name: 'm' }] }, ['m']],
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
          'all-mpnet-base-v2',
          'voyage-3',
          'mxbai-large',
          'gpt-image-1',
          'gpt-4o-audio-preview',
          'gemma-3',
        ].map((id) => ({ id })),
      },
      ['gemma-3'],
    ],
  ])('the model list of %s: takes the models that answer questions', (_name, body, chat) => {
    expect(
      readModelList(body)
        ?.filter(({ canChat }) => canChat)
        .map(({ id }) => id),
    ).toEqual(chat);
  });

  test('is no list where it is something else, and holds no id that no request could name', () => {
    expect(readModelList({ hello: 1 })).toBeNull();
    expect(readModelList({ data: { version: {} } })).toBeNull();
    expect(readModelList({ data: null })).toBeNull();
    expect(readModelList({ models: null })).toEqual([]);
    expect(readModelList(null)).toBeNull();
    expect(
      readModelList({ data: [null, 7, {}, { id: 'x'.repeat(513) }, { id: 'a\nb' }, { id: ' ' }, { id: 'ok' }] }),
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
        fc.pre(isModelId(id));
        expect(v.is(modelField, readableName(id))).toBe(true);
      }),
    );
  });
});
