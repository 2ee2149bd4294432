import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSettings } from '../../../enclave-worker/settings.ts';
import { StartError } from '../../../process/start-error.ts';
import { settingNames } from '../../../process/settings/settings-table.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let weights: string;
let manifest: string;
beforeAll(async () => {
  folder = await makeTemporaryFolder('evidence-settings');
  weights = join(folder.path, 'weights');
  mkdirSync(weights);
  manifest = join(weights, '.sotto-weights.json');
  writeFileSync(manifest, '{}');
});
afterAll(() => folder.remove());

const token = { ENCLAVE_TOKEN: 'thirty-two-letters-or-more-of-them' };
const digest = 'A'.repeat(43);

function complaintOf(environment: NodeJS.ProcessEnv): string {
  try {
    readSettings({ ...token, ...environment });
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  return 'accepted';
}

/** These are right; each test changes one of them. */
const hardware = (changes: NodeJS.ProcessEnv = {}) => ({
  EVIDENCE: 'tdx',
  ENGINE: 'openai',
  LLM_BASE_URL: 'http://127.0.0.1:8000/v1',
  LLM_WEIGHTS_FOLDER: weights,
  ...changes,
});
const modal = (changes: NodeJS.ProcessEnv = {}) => ({
  EVIDENCE: 'modal',
  ENGINE: 'openai',
  LLM_BASE_URL: 'http://127.0.0.1:8000/v1',
  REGISTRAR_URL: 'https://registrar.example',
  MODAL_IDENTITY_TOKEN: 'aaa.bbb.ccc',
  ...changes,
});

describe('settings of evidence', () => {
  test('development is what nobody has to ask for, and demands nothing', () => {
    expect(readSettings(token).evidence).toEqual({ kind: 'development' });
    expect(complaintOf({ LLM_BASE_URL: 'https://api.example.com/v1' })).toBe('accepted');
  });

  test('hardware, with a GPU or without', () => {
    expect(readSettings({ ...token, ...hardware() }).evidence).toEqual({ kind: 'tdx', gpuTool: null });
    expect(readSettings({ ...token, ...hardware({ EVIDENCE: 'sev-snp', EVIDENCE_GPU: 'nvidia' }) }).evidence).toEqual({
      kind: 'sev-snp',
      gpuTool: '/usr/bin/nvattest',
    });
    const EVIDENCE_GPU_TOOL = '/opt/nvidia/nvattest';
    expect(readSettings({ ...token, ...hardware({ EVIDENCE_GPU: 'nvidia', EVIDENCE_GPU_TOOL }) }).evidence).toEqual({
      kind: 'tdx',
      gpuTool: EVIDENCE_GPU_TOOL,
    });
  });

  test.each([
    'http://127.0.0.1:8000/v1',
    'http://127.8.9.10/v1',
    'https://127.0.0.1:8443/v1',
    'http://[::1]:8000/v1',
    'unix:/run/vllm.sock',
  ])('the model server may be at %s', (LLM_BASE_URL) => {
    expect(complaintOf(hardware({ LLM_BASE_URL }))).toBe('accepted');
    expect(complaintOf(modal({ LLM_BASE_URL }))).toBe('accepted');
  });

  test.each([
    'http://localhost:8000/v1',
    'http://10.0.0.2:8000/v1',
    'http://0.0.0.0:8000/v1',
    'https://api.openai.com/v1',
    'http://127.0.0.1.example.com/v1',
    'http://127.0.0.1@example.com/v1',
    'http://[::ffff:10.0.0.1]:8000/v1',
    'http://vllm:8000/v1',
  ])('the model server may not be at %s, except in development', (LLM_BASE_URL) => {
    for (const environment of [hardware({ LLM_BASE_URL }), modal({ LLM_BASE_URL })]) {
      expect(complaintOf(environment)).toContain('needs the model server inside this machine');
    }
    expect(complaintOf(hardware({ LLM_BASE_URL, EVIDENCE: 'development' }))).toBe('accepted');
  });

  test('weights are measured where hardware vouches, and may be named where it does not', () => {
    const named = { LLM_WEIGHTS_FOLDER: undefined, LLM_WEIGHTS_MANIFEST: manifest };
    expect(complaintOf(hardware(named))).toContain('needs weights that are measured');
    expect(complaintOf(hardware({ LLM_WEIGHTS_FOLDER: undefined }))).toContain('needs LLM_WEIGHTS_FOLDER');
    expect(complaintOf(modal(named))).toBe('accepted');
    expect(complaintOf(hardware({ ENGINE: 'rehearsal', LLM_WEIGHTS_FOLDER: undefined }))).toBe('accepted');
    const { engines } = readSettings({ ...token, ...hardware({ MODEL_DIGEST: digest }) });
    expect(engines).toMatchObject({ modelDigest: digest, server: { weights: { kind: 'folder', path: weights } } });
    expect(readSettings({ ...token, ...modal(named) }).engines.server?.weights).toEqual({
      kind: 'manifest',
      path: manifest,
    });
  });

  test.each([
    [{ EVIDENCE: 'SEV' }, 'EVIDENCE must be one of development, sev-snp, tdx, modal.'],
    [{ EVIDENCE_GPU: 'amd' }, 'EVIDENCE_GPU must be one of none, nvidia.'],
    [{ EVIDENCE_GPU: 'nvidia' }, 'a GPU alone vouches for no machine'],
    [{ EVIDENCE_GPU_TOOL: 'nvattest' }, 'EVIDENCE_GPU_TOOL must be the absolute path'],
    [{ EVIDENCE_GPUS: 'nvidia' }, 'There is no setting EVIDENCE_GPUS; did you mean EVIDENCE_GPU?'],
    [{ EVIDENCES: 'tdx' }, 'There is no setting EVIDENCES; did you mean EVIDENCE?'],
    [{ LLM_WEIGHTS: '/models' }, 'There is no setting LLM_WEIGHTS'],
    [{ EVIDENCE: 'tdx', ENGINE: 'auto' }, 'EVIDENCE=tdx needs ENGINE=openai, gguf or rehearsal'],
    [{ EVIDENCE: 'tdx' }, 'EVIDENCE=tdx needs ENGINE=openai, gguf or rehearsal'],
    [{ EVIDENCE: 'modal', ENGINE: 'rehearsal' }, 'EVIDENCE=modal needs REGISTRAR_URL'],
    [modal({ MODAL_IDENTITY_TOKEN: undefined }), 'MODAL_IDENTITY_TOKEN is no token'],
    [modal({ MODAL_IDENTITY_TOKEN: 'no token at all' }), 'MODAL_IDENTITY_TOKEN is no token'],
    [modal({ MODAL_IDENTITY_TOKEN: `a.b.${'c'.repeat(9000)}` }), 'MODAL_IDENTITY_TOKEN is no token'],
    [modal({ REGISTRAR_URL: 'http://registrar.example' }), 'REGISTRAR_URL is not an https address'],
    [modal({ REGISTRAR_URL: 'https://user:word@registrar.example' }), 'REGISTRAR_URL is not an https address'],
    [modal({ REGISTRAR_URL: 'https://registrar.example/?a=b' }), 'REGISTRAR_URL is not an https address'],
    [modal({ REGISTRAR_URL: 'registrar' }), 'REGISTRAR_URL is not an https address'],
    [{ MODEL_DIGEST: 'abc' }, 'MODEL_DIGEST must be a SHA-256 in base64url'],
    [
      { MODEL_DIGEST: digest, LLM_BASE_URL: 'http://127.0.0.1:1/v1' },
      'MODEL_DIGEST with a model server needs LLM_WEIGHTS',
    ],
    [{ LLM_WEIGHTS_FOLDER: '/no/such/folder', LLM_BASE_URL: 'http://h/v1' }, 'LLM_WEIGHTS_FOLDER names nothing'],
    [{ LLM_BASE_URL: 'unix:relative.sock' }, 'LLM_BASE_URL must be an address'],
    [{ LLM_BASE_URL: `unix:/${'a'.repeat(200)}` }, 'LLM_BASE_URL must be an address'],
    [{ DRAIN_SECONDS: '3601' }, 'DRAIN_SECONDS must be a whole number from 0 to 3600.'],
    [{ DRAIN_SECONDS: '1.5' }, 'DRAIN_SECONDS must be a whole number from 0 to 3600.'],
  ])('%j is refused in one sentence', (environment, sentence) => {
    const complaint = complaintOf(environment);
    expect(complaint).toContain(sentence);
    expect(complaint).toMatch(/^[^\n]+[.?]$/);
  });

  test('their twins are accepted', () => {
    for (const environment of [hardware(), modal(), { DRAIN_SECONDS: '3600' }, { MODEL_DIGEST: digest }]) {
      expect(complaintOf(environment)).toBe('accepted');
    }
    expect(complaintOf(modal({ REGISTRAR_URL: 'http://127.0.0.1:9/sotto' }))).toBe('accepted');
    expect(readSettings({ ...token, DRAIN_SECONDS: '300' }).drainMs).toBe(300_000);
  });

  test('both a folder and a manifest are one too many', () => {
    const both = { LLM_BASE_URL: 'http://h/v1', LLM_WEIGHTS_FOLDER: weights, LLM_WEIGHTS_MANIFEST: manifest };
    expect(complaintOf(both)).toBe('Give LLM_WEIGHTS_FOLDER or LLM_WEIGHTS_MANIFEST, not both.');
  });

  test('the identity token is out of the environment once it is read, and no print shows it', () => {
    const environment: NodeJS.ProcessEnv = { ...token, ...modal() };
    const { evidence } = readSettings(environment);
    expect(environment).not.toHaveProperty('MODAL_IDENTITY_TOKEN');
    expect(environment['EVIDENCE']).toBe('modal');
    expect(JSON.stringify(evidence)).not.toContain('aaa.bbb.ccc');
    expect(`${JSON.stringify(evidence)}`).toContain('[secret]');
    // Nor does it stay where nothing asks for it, or where the start fails.
    for (const each of [{ MODAL_IDENTITY_TOKEN: 'a.b.c' }, { MODAL_IDENTITY_TOKEN: 'a.b.c', EVIDENCE: 'wrong' }]) {
      const other: NodeJS.ProcessEnv = { ...token, ...each };
      try {
        readSettings(other);
      } catch {
        // The second is refused.
      }
      expect(other).not.toHaveProperty('MODAL_IDENTITY_TOKEN');
    }
  });

  test('the relay knows all of these names, since one file may serve both', () => {
    for (const name of [
      ...Object.keys(hardware()),
      'EVIDENCE_GPU',
      'EVIDENCE_GPU_TOOL',
      'REGISTRAR_URL',
      'MODEL_DIGEST',
    ]) {
      expect(settingNames, name).toContain(name);
    }
    for (const name of ['LLM_WEIGHTS_MANIFEST', 'DRAIN_SECONDS']) expect(settingNames, name).toContain(name);
  });
});
