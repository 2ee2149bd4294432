import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bundleWorker } from '../../enclave-worker/build/bundle-worker.ts';
import { askAndJudge } from '../parts/users/with-keys/asked-evidence.ts';
import { developmentPolicy } from '../parts/evidence/development-policy.ts';
import { TestRegistrar } from '../parts/evidence/modal/test-registrar.ts';
import { findFreePort } from '../parts/network/free-port.ts';
import { projectRoot, pythonEnvironment, runPython } from '../parts/machine/python-environment.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { startUpstream } from '../parts/worker/upstream/upstream.ts';

const environment = pythonEnvironment();
const python = environment.python ?? '';
const because = environment.reason === null ? '' : ` (skipped: ${environment.reason})`;
const token = 'the-token-of-relay-and-worker-0123';

/** Where `vllm` would be: says what it was started with, and when it was told to go. */
const vllm = `#!/bin/sh
env > "$(dirname "$0")/environment"
printf '%s\\n' "$@" > "$(dirname "$0")/command"
trap 'echo asked >> "$(dirname "$0")/end"; exit 0' TERM
while :; do sleep 0.1; done
`;

async function until<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 120) throw error;
      await sleep(250);
    }
  }
}

describe.skipIf(environment.reason !== null)(`a container of modal/app.py${because}`, () => {
  it('registers its worker, names its weights, keeps the token from the model, and stops in order', async () => {
    await using folder = await makeTemporaryFolder('container');
    await using registrar = await TestRegistrar.start();
    await using upstream = await startUpstream(['default']);
    const weights = join(folder.path, 'weights');
    const binaries = join(folder.path, 'bin');
    for (const place of [weights, binaries]) mkdirSync(place);
    const digest = runPython(python, ['test/modal/weights_test.py', '--lay', weights]).output.trim();
    const worker = join(folder.path, 'worker.mjs');
    writeFileSync(worker, await bundleWorker());
    writeFileSync(join(binaries, 'vllm'), vllm);
    chmodSync(join(binaries, 'vllm'), 0o755);

    const port = await findFreePort();
    const identityToken = registrar.issuer.makeToken();
    const script = ['test/modal/run_container.py', worker, weights, String(port), new URL(upstream.baseUrl).port];
    const container = spawn(python, [join(projectRoot, script[0] ?? ''), ...script.slice(1)], {
      env: {
        PATH: `${binaries}:${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: '/nonexistent',
        PYTHONDONTWRITEBYTECODE: '1',
        MODAL_IS_REMOTE: '1',
        MODAL_IDENTITY_TOKEN: identityToken,
        ENCLAVE_TOKEN: token,
        HF_TOKEN: 'hf_nobody',
        SOTTO_REGISTRAR_URL: registrar.url,
        SOTTO_MODEL_NAME: 'default',
        SOTTO_MODEL_DIGEST: digest,
        SOTTO_DRAIN_SECONDS: '10',
      },
    });
    let printed = '';
    for (const stream of [container.stdout, container.stderr]) {
      stream.on('data', (part: Buffer) => {
        printed += part.toString('utf8');
      });
    }
    const ended = new Promise<number | null>((resolve) => {
      container.once('close', resolve);
    });
    try {
      const policy = {
        ...developmentPolicy,
        allowedKinds: ['modal'],
        minimum: 'stated',
        models: [{ model: 'default', weightsDigests: [digest] }],
        modal: registrar.policySection,
      };
      const reachable = { url: `http://127.0.0.1:${port}`, token };
      const verdict = await until(() => askAndJudge(reachable, policy, []));
      expect(verdict).toMatchObject({ refused: false, kind: 'modal', level: 'stated' });
      const other = { ...policy, models: [{ model: 'default', weightsDigests: [digest.replace(/^./, '_')] }] };
      expect(await askAndJudge(reachable, other, [])).toMatchObject({ refused: true });

      const seen = readFileSync(join(binaries, 'environment'), 'utf8');
      for (const secret of [identityToken, token, 'hf_nobody', 'SOTTO_', 'MODAL_']) expect(seen).not.toContain(secret);
      expect(seen).toContain('VLLM_NO_USAGE_STATS=1');
      const command = readFileSync(join(binaries, 'command'), 'utf8').split('\n');
      expect(command.slice(0, 4)).toEqual([
        'serve',
        join(weights, 'base'),
        '--served-model-name=default',
        '--host=127.0.0.1',
      ]);
      expect(printed).not.toContain(identityToken);

      container.stdin.end();
      expect(await ended).toBe(0);
      expect(printed).toContain('"event":"stopped"');
      expect(readFileSync(join(binaries, 'end'), 'utf8')).toBe('asked\n');
      await expect(fetch(reachable.url)).rejects.toThrow('fetch failed');
    } finally {
      // Whatever failed: what it started ends with it, in order.
      container.stdin.end();
      await Promise.race([ended, sleep(20_000)]);
      container.kill('SIGKILL');
    }
  });
});
