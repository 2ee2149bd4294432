import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { projectRoot, pythonEnvironment, runPython } from '../parts/machine/python-environment.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';

const environment = pythonEnvironment();
const python = environment.python ?? '';
const because = environment.reason === null ? '' : ` (skipped: ${environment.reason})`;
const registrar = { SOTTO_REGISTRAR_URL: 'https://registrar.example.org' };

const ids = {
  MODAL_WORKSPACE_ID: 'ac-1',
  MODAL_ENVIRONMENT_ID: 'en-1',
  MODAL_APP_ID: 'ap-1',
  MODAL_FUNCTION_ID: 'fu-1',
  REGISTRAR_LOG_ORIGIN: 'registrar.example.org/log-1',
};

const declaration = v.object({
  name: v.string(),
  environment: v.record(v.string(), v.string()),
  secrets: v.array(v.string()),
  volumes: v.record(v.string(), v.object({ name: v.string(), isReadOnly: v.boolean() })),
  image: v.array(v.string()),
  pythonSources: v.array(v.string()),
  gpu: v.nullable(v.string()),
  region: v.nullable(v.array(v.string())),
  minContainers: v.nullable(v.number()),
  maxContainers: v.nullable(v.number()),
  bufferContainers: v.nullable(v.number()),
  scaledownWindow: v.nullable(v.number()),
  targetConcurrency: v.nullable(v.number()),
  isServer: v.boolean(),
  isSessioned: v.boolean(),
  hasSnapshot: v.boolean(),
  server: v.nullable(
    v.object({
      port: v.number(),
      regions: v.array(v.string()),
      startupTimeout: v.number(),
      exitGracePeriod: v.number(),
      isUnauthenticated: v.boolean(),
    }),
  ),
  lifecycle: v.nullable(
    v.object({ beforeSnapshot: v.array(v.string()), afterSnapshot: v.array(v.string()), exit: v.array(v.string()) }),
  ),
});
const inspection = v.object({
  sdk: v.string(),
  app: v.string(),
  settings: v.record(v.string(), v.string()),
  declared: v.array(declaration),
});
type Inspection = v.InferOutput<typeof inspection>;

const builtWorker = join(projectRoot, 'enclave-worker/dist/worker.mjs');

/** Builds as a deployer does: `npm run build:worker`. */
function buildWorker(): void {
  if (existsSync(builtWorker)) return;
  const built = spawnSync(process.execPath, ['enclave-worker/build.ts'], { cwd: projectRoot, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
}

/** Imports a file of modal/ in a process without credentials and says what it declared. */
function inspect(name: string, settings: Readonly<Record<string, string>> = registrar): Inspection {
  const result = runPython(python, ['test/modal/inspect_deployment.py', name], settings);
  if (result.status !== 0) throw new Error(result.error);
  return v.parse(inspection, JSON.parse(result.output));
}

function declared(found: Inspection, name: string): v.InferOutput<typeof declaration> {
  const one = found.declared.find((entry) => entry.name === name);
  if (one === undefined) throw new Error(`${name} is not declared`);
  return one;
}

describe.skipIf(environment.reason !== null)(`modal with the real SDK${because}`, () => {
  if (environment.reason === null) buildWorker();
  const app = environment.reason === null ? inspect('app') : ({} as Inspection);
  const download = environment.reason === null ? inspect('download', {}) : ({} as Inspection);
  const finetune = environment.reason === null ? inspect('finetune', {}) : ({} as Inspection);

  it('the SDK is the pinned one', () => {
    const pin = /^modal==(.+)$/m.exec(readFileSync(join(projectRoot, 'modal/requirements.txt'), 'utf8'))?.[1];
    expect(app.sdk).toBe(pin);
    expect(app.declared.map(({ name }) => name)).toEqual(['where', 'Enclave']);
  });

  it('the enclave is a server with sessions that asks for a proxy token', () => {
    const enclave = declared(app, 'Enclave');
    expect(enclave.isServer).toBe(true);
    expect(enclave.isSessioned).toBe(true);
    expect(enclave.server).toEqual({
      port: 8788,
      regions: ['us-east'],
      startupTimeout: 120,
      // The drain of 300 s, and time for the worker's last frames and the end of both programs.
      exitGracePeriod: 320,
      isUnauthenticated: false,
    });
  });

  it('the worker key is born after any snapshot, and there is none', () => {
    const enclave = declared(app, 'Enclave');
    expect(enclave.hasSnapshot).toBe(false);
    expect(enclave.lifecycle).toEqual({ beforeSnapshot: [], afterSnapshot: ['start'], exit: ['stop'] });
  });

  it('containers scale from none, within limits that are settings', () => {
    const enclave = declared(app, 'Enclave');
    expect(enclave).toMatchObject({
      minContainers: 0,
      maxContainers: 2,
      scaledownWindow: 300,
      gpu: 'L40S',
      region: null,
    });
    const warm = declared(
      inspect('app', {
        ...registrar,
        SOTTO_MIN_CONTAINERS: '1',
        SOTTO_MAX_CONTAINERS: '8',
        SOTTO_BUFFER_CONTAINERS: '2',
        SOTTO_SCALEDOWN_SECONDS: '900',
        SOTTO_TARGET_CONCURRENCY: '12',
        SOTTO_GPU: 'H100:2',
        SOTTO_ROUTING_REGION: 'eu-west',
        SOTTO_COMPUTE_REGION: 'eu-west,eu-north',
        SOTTO_DRAIN_SECONDS: '60',
      }),
      'Enclave',
    );
    expect(warm).toMatchObject({
      minContainers: 1,
      maxContainers: 8,
      bufferContainers: 2,
      scaledownWindow: 900,
      targetConcurrency: 12,
      gpu: 'H100:2',
      region: ['eu-west', 'eu-north'],
      server: { regions: ['eu-west'], exitGracePeriod: 80 },
    });
  });

  it('the Hugging Face token is in the download, never in the enclave', () => {
    const token = "modal.Secret.from_name('sotto-huggingface')";
    expect(declared(download, 'download').secrets).toEqual([token]);
    expect(declared(app, 'Enclave').secrets).toEqual(["modal.Secret.from_name('sotto-enclave')"]);
    expect(declared(app, 'where').secrets).toEqual([]);
    expect(finetune.declared.map(({ name, secrets }) => [name, secrets])).toEqual([
      ['check', [token]],
      ['train', [token]],
    ]);
    expect(finetune.app).not.toBe(app.app);
    expect(download.app).not.toBe(app.app);
  });

  it('the download writes the volume that the enclave can only read', () => {
    expect(declared(download, 'download').volumes).toEqual({
      '/weights': { name: "modal.Volume.from_name('sotto-weights')", isReadOnly: false },
    });
    expect(declared(app, 'Enclave').volumes['/weights']?.isReadOnly).toBe(true);
    expect(declared(finetune, 'train').volumes).toEqual({});
  });

  it('the image is pinned: vLLM and Node by digest, packages by version', () => {
    const { image, pythonSources } = declared(app, 'Enclave');
    expect(image[0]).toMatch(/^Image\.from_registry\('vllm\/vllm-openai:v0\.30\.0@sha256:[0-9a-f]{64}'\)$/);
    expect(image).toContainEqual(
      expect.stringMatching(/^COPY --from=node:24\.21\.0-bookworm-slim@sha256:[0-9a-f]{64} \/usr\/local\/bin\/node /),
    );
    expect(image).toContain('ENTRYPOINT []');
    expect(pythonSources).toEqual(['sotto_engine', 'sotto_processes', 'sotto_settings', 'sotto_weights']);
    for (const { image: commands } of [declared(download, 'download'), declared(finetune, 'train')]) {
      const installs = commands.filter((command) => /pip install [^-]/.test(command) && !command.includes('--upgrade'));
      expect(installs).toHaveLength(1);
      const packages = installs[0]?.split('pip install ')[1]?.split(' ') ?? [];
      expect(packages.filter((name) => !/^[a-z_-]+==\d/.test(name))).toEqual([]);
    }
    const node = readFileSync(join(projectRoot, 'pinned-node/package.json'), 'utf8');
    expect(node).toContain('24.21.0');
  });

  it('a container that reads only what it was given declares the same', () => {
    for (const [name, outside] of [
      [
        'app',
        inspect('app', { ...registrar, SOTTO_MIN_CONTAINERS: '1', SOTTO_GPU: 'L4', SOTTO_MODEL: 'Qwen/Qwen3.5-4B' }),
      ],
      ['download', download],
      ['finetune', finetune],
    ] as const) {
      for (const { environment: given } of outside.declared) {
        const inside = inspect(name, { ...given, MODAL_IS_REMOTE: '1', MODAL_TASK_ID: 'ta-1' });
        expect(inside.settings).toEqual(outside.settings);
        expect(inside.declared).toEqual(outside.declared);
      }
    }
  });

  it('the registrar is one container beside nothing else, and a second start declares the same', () => {
    const outside = inspect('registrar', ids);
    const one = declared(outside, 'Registrar');
    expect(one).toMatchObject({
      minContainers: 1,
      maxContainers: 1,
      isServer: true,
      isSessioned: false,
      hasSnapshot: false,
      secrets: ["modal.Secret.from_name('sotto-registrar')"],
      server: { port: 8789, isUnauthenticated: true },
    });
    expect(one.image[0]).toMatch(/^Image\.from_registry\('node:24\.21\.0-bookworm-slim@sha256:[0-9a-f]{64}'\)$/);
    const inside = inspect('registrar', { ...one.environment, MODAL_IS_REMOTE: '1', MODAL_TASK_ID: 'ta-1' });
    expect(inside.declared).toEqual(outside.declared);
    const missing = runPython(python, ['test/modal/inspect_deployment.py', 'registrar'], { ...ids, MODAL_APP_ID: '' });
    expect(missing.status).toBe(1);
    expect(missing.error).toContain('MODAL_APP_ID is not set');
  });

  it('no function is given more than settings', () => {
    for (const { declared: functions, settings } of [app, download, finetune]) {
      for (const { environment: given } of functions) {
        expect(given).toEqual(settings);
        expect(Object.keys(given).filter((name) => !name.startsWith('SOTTO_'))).toEqual([]);
      }
    }
  });

  it.each([
    ['deploy', 'modal/app.py'],
    ['run', 'modal/download.py'],
    ['deploy', 'modal/registrar.py'],
  ])('the command line takes `modal %s %s`, up to the account', (...command) => {
    const result = spawnSync(python, ['-m', 'modal', ...command], {
      cwd: projectRoot,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', PYTHONDONTWRITEBYTECODE: '1', ...registrar, ...ids },
    });
    expect(result.stderr).toContain('Token missing');
    expect(result.status).toBe(1);
  });

  it('a deployment without the built worker says what to run', async () => {
    await using place = await makeTemporaryFolder('modal');
    const copy = join(place.path, 'modal');
    cpSync(join(projectRoot, 'modal'), copy, { recursive: true });
    const without = runPython(python, ['test/modal/inspect_deployment.py', 'app', copy], registrar);
    expect(without.error).toContain('run `npm run build:worker` first');
    mkdirSync(join(place.path, 'enclave-worker/dist'), { recursive: true });
    writeFileSync(join(place.path, 'enclave-worker/dist/worker.mjs'), '');
    expect(runPython(python, ['test/modal/inspect_deployment.py', 'app', copy], registrar).status).toBe(0);
  });

  it('a wrong deployment stops with one sentence and no trace', () => {
    for (const [settings, sentence] of [
      [{}, 'SOTTO_REGISTRAR_URL is not set'],
      [{ ...registrar, SOTTO_GPU: 'none at all' }, 'SOTTO_GPU must be'],
      [{ ...registrar, SOTTO_MODEL_REVISION: 'main' }, 'SOTTO_MODEL_REVISION must be a commit'],
      [{ ...registrar, SOTTO_KEEP_WARM: '1' }, 'There is no setting SOTTO_KEEP_WARM'],
    ] as const) {
      const result = runPython(python, ['test/modal/inspect_deployment.py', 'app'], settings);
      expect(result.status).toBe(1);
      expect(result.error.trim().split('\n')).toHaveLength(1);
      expect(result.error).toContain(sentence);
    }
  });
});
