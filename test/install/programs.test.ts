import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';

const needed = ['firefox-esr', 'WebKitWebDriver', 'Xvfb', 'nginx', 'caddy', 'pgbouncer'];

const packages = ['firefox-esr', 'webkit2gtk-driver', 'xvfb', 'nginx', 'caddy', 'pgbouncer'];

type Machine = {
  readonly present?: readonly string[];
  readonly user?: number;
  /** Stands for `apt-get`, in shell. */
  readonly apt?: string;
  /** For all downloads together. */
  readonly limitS?: number;
};

/** Runs what brings the programs on a machine that has some of them. */
async function installOn({ present = [], user = 0, apt, limitS = 60 }: Machine) {
  await using folder = await makeTemporaryFolder('machine');
  const commands = join(folder.path, 'commands');
  mkdirSync(commands);
  const add = (name: string, script: string) => {
    writeFileSync(join(commands, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(commands, name), 0o755);
  };
  for (const name of ['bash', 'timeout', 'sleep']) {
    symlinkSync(spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(), join(commands, name));
  }
  for (const name of present) add(name, 'exit 0');
  add('id', `echo ${user}`);
  if (apt !== undefined) add('apt-get', apt);
  const { stdout, status } = spawnSync(join(commands, 'bash'), [resolve('.ci/install-programs')], {
    env: { PATH: commands, INSTALL_DOWNLOAD_S: String(limitS) },
    encoding: 'utf8',
  });
  return { lines: stdout.split('\n').filter((line) => line !== ''), status };
}

test('a machine that has all programs is left alone', async () => {
  expect(await installOn({ present: needed, apt: 'echo called' })).toEqual({ lines: [], status: 0 });
});

test('missing programs are downloaded and then installed, each by itself', async () => {
  // Fails where a second step comes without the first.
  const apt = `case "$*" in *update*) ;; *--download-only*) : > "$0.\${!#}" ;; *) [ -f "$0.\${!#}" ] ;; esac`;
  const { lines, status } = await installOn({ present: needed.slice(2), apt });
  expect(lines).toEqual(['installed: firefox-esr', 'installed: webkit2gtk-driver']);
  expect(status).toBe(0);
});

test.each([
  ['fails', { apt: 'exit 100' }],
  ['hangs', { apt: 'exec sleep 20', limitS: 1 }],
])('apt that %s is said, and fails nothing', async (_how, machine) => {
  const { lines, status } = await installOn({ present: needed.filter((name) => name !== 'Xvfb'), ...machine });
  expect(lines).toEqual(['apt-get update did not work', 'not installed, apt-get failed: xvfb']);
  expect(status).toBe(0);
});

test('apt that hangs is given up once for all packages', async () => {
  const { lines, status } = await installOn({
    apt: '[ -f "$0.called" ] || { : > "$0.called"; exec sleep 20; }',
    limitS: 1,
  });
  // After the time for downloads is over, a second call, which would succeed, is not made.
  expect(lines).toEqual([
    'apt-get update did not work',
    ...packages.map((name) => `not installed, apt-get failed: ${name}`),
  ]);
  expect(status).toBe(0);
});

test.each([
  ['without apt', { user: 0 }],
  ['for a user who may install nothing', { user: 1000, apt: 'echo called' }],
])('%s the missing packages are named, and nothing fails', async (_case, machine) => {
  expect(await installOn(machine)).toEqual({
    lines: [`not installed, since that takes root and apt: ${packages.join(' ')}`],
    status: 0,
  });
});
