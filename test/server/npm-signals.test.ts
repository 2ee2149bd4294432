import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';

/** Stands in for what runs until it is told to stop: it says its process, and that it was told. */
const program = `
process.on('SIGTERM', () => { process.stdout.write('told'); process.exit(0); });
process.stdout.write('up ' + process.pid + '\\n');
setInterval(() => {}, 1_000);
`;

test.each(['start', 'dev', 'registrar'] as const)(
  'npm run %s: SIGTERM to npm stops what it runs, with no shell between that keeps it to itself',
  async (name) => {
    const folder = await makeTemporaryFolder('npm');
    onTestFinished(() => folder.remove());
    const script = packageJson.scripts[name];
    const file = join(folder.path, /[\w/-]+\.ts/.exec(script)?.[0] ?? '');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, program);
    await writeFile(join(folder.path, 'package.json'), JSON.stringify({ type: 'module', scripts: { [name]: script } }));
    const npm = spawn('npm', ['run', '--silent', name], { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    npm.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    await once(npm.stdout, 'data');
    const pid = Number(/^up (\d+)/.exec(printed)?.[1]);
    onTestFinished(() => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has stopped, as it should.
      }
    });
    npm.kill('SIGTERM');
    await expect.poll(() => printed).toContain('told');
  },
);
