import { describe, expect, test } from 'vitest';
import { readSettings } from '../../enclave-worker/settings.ts';
import { StartError } from '../../process/start-error.ts';

const token = { ENCLAVE_TOKEN: 'thirty-two-letters-or-more-of-them' };

function complaintOf(environment: NodeJS.ProcessEnv): string {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('readSettings', () => {
  test('needs the token alone', () => {
    expect(readSettings({ ...token, PATH: '/bin', SOMETHING: 'else' })).toMatchObject({
      host: '127.0.0.1',
      port: 8788,
      logLevel: 'info',
      engines: { engine: 'auto', server: null, modelFile: null },
    });
  });

  test('takes a model server with and without key and model', () => {
    const LLM_BASE_URL = 'http://127.0.0.1:8000/v1';
    expect(readSettings({ ...token, LLM_BASE_URL }).engines.server).toEqual({
      baseUrl: LLM_BASE_URL,
      apiKey: undefined,
      model: undefined,
      weights: null,
    });
    expect(
      readSettings({ ...token, LLM_BASE_URL, LLM_API_KEY: 'k', LLM_MODEL: 'Qwen/Qwen3.5-9B' }).engines.server,
    ).toEqual({
      baseUrl: LLM_BASE_URL,
      apiKey: 'k',
      model: 'Qwen/Qwen3.5-9B',
      weights: null,
    });
    // A file or a secret holds it so.
    expect(readSettings({ ...token, LLM_BASE_URL, LLM_API_KEY: ' k\r\n' }).engines.server?.apiKey).toBe('k');
  });

  test.each([
    [{}, 'ENCLAVE_TOKEN is not set'],
    [{ ENCLAVE_TOKEN: 'twenty-letters-or-so' }, 'ENCLAVE_TOKEN needs at least 32 characters'],
    [{ ...token, WORKER_PORT: '70000' }, 'WORKER_PORT must be a whole number from 0 to 65535.'],
    [{ ...token, WORKER_PORT: 'http' }, 'WORKER_PORT must be a whole number from 0 to 65535.'],
    [{ ...token, WORKER_HOST: '' }, 'WORKER_HOST is empty'],
    [{ ...token, ENGINE: 'Auto' }, 'ENGINE must be one of auto'],
    [{ ...token, LLM_BASE_URL: 'localhost:8000' }, 'LLM_BASE_URL must be an address'],
    [{ ...token, LLM_BASE_URL: 'nonsense' }, 'LLM_BASE_URL must be an address'],
    [{ ...token, LLM_BASE_URL: 'http://' }, 'LLM_BASE_URL must be an address'],
    [{ ...token, LLM_BASE_URL: 'file:///etc/passwd' }, 'LLM_BASE_URL must be an address'],
    [{ ...token, LLM_BASE_URL: 'http://h/v1', LLM_MODEL: 'two\nlines' }, "LLM_MODEL must be a model's id"],
    [{ ...token, LLM_API_KEY: '\n' }, 'LLM_API_KEY is empty'],
    [{ ...token, LLM_API_KEY: 'one\ntwo' }, 'LLM_API_KEY holds blanks'],
    [{ ...token, LLM_API_KEY: '“k”' }, 'LLM_API_KEY holds blanks'],
    [{ ...token, ENGINE: 'openai' }, 'ENGINE=openai needs LLM_BASE_URL'],
    [{ ...token, MODEL_FILE: '/nowhere/model.gguf' }, 'MODEL_FILE names no file'],
    [{ ...token, LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be'],
    [{ ...token, ENCLAVE_TOKN: 'x' }, 'There is no setting ENCLAVE_TOKN; did you mean ENCLAVE_TOKEN?'],
    [{ ...token, LLM_URL: 'x' }, 'There is no setting LLM_URL; did you mean LLM_'],
    [{ ...token, LLM_API_KEYS: 'x' }, 'There is no setting LLM_API_KEYS; did you mean LLM_API_KEY?'],
  ])('%j is refused in one sentence', (environment, sentence) => {
    const complaint = complaintOf(environment);
    expect(complaint).toContain(sentence);
    expect(complaint).toMatch(/^[^\n]+[.?]$/);
    expect(complaintOf(token)).toBe('accepted');
  });

  test("a relay's settings in the same environment are no mistake", () => {
    const environment = { ...token, ENCLAVE_POOL: 'static', ENCLAVE_URLS: 'http://w:1' };
    expect(complaintOf(environment)).toBe('accepted');
  });
});
