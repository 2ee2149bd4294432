import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getLlama, LlamaChatSession, type Llama, type LlamaModel } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTemporaryFolder, type TemporaryFolder } from '../../machine/temporary-folder.ts';
import { writeTinyGguf } from './tiny-gguf.ts';

let folder: TemporaryFolder;
let llama: Llama;
let model: LlamaModel;

beforeAll(async () => {
  folder = await makeTemporaryFolder('gguf');
  await writeTinyGguf(join(folder.path, 'model.gguf'));
  // More threads than cores wait for each other in busy loops: 300 ms a token instead of 1.
  llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1 });
  model = await llama.loadModel({ modelPath: join(folder.path, 'model.gguf') });
});
afterAll(async () => {
  await llama?.dispose();
  await folder?.remove();
});

async function answer(onTextChunk?: (text: string) => void): Promise<string> {
  const context = await model.createContext({ contextSize: 512 });
  const session = new LlamaChatSession({ contextSequence: context.getSequence() });
  const text = await session.prompt('Hello', {
    maxTokens: 40,
    temperature: 0,
    ...(onTextChunk === undefined ? {} : { onTextChunk }),
  });
  await context.dispose();
  return text;
}

describe('writeTinyGguf', () => {
  test('is one token a byte', () => {
    expect(model.tokenize('aé')).toHaveLength(3);
    expect(model.detokenize(model.tokenize('In a low voice, é'))).toBe('In a low voice, é');
  });

  test('streams printable text up to the limit of tokens, the same each time', async () => {
    const chunks: string[] = [];
    const text = await answer((chunk) => chunks.push(chunk));
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.join('').trimEnd()).toBe(text.trimEnd());
    expect(text).toMatch(/^[ -~]{20,40}$/);
    expect(await answer()).toBe(text);
  });

  test('the same seed writes the same bytes, another seed others', async () => {
    const path = join(folder.path, 'again.gguf');
    const first = await writeTinyGguf(path, 7);
    const bytes = await readFile(path);
    expect(first.length).toBe(bytes.length);
    expect(await writeTinyGguf(path, 7)).toEqual(first);
    expect((await writeTinyGguf(path, 8)).sha256).not.toBe(first.sha256);
  });
});
