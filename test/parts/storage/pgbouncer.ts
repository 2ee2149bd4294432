import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findFreePort } from '../network/free-port.ts';
import { makeTemporaryFolder } from '../machine/temporary-folder.ts';
import { until } from '../relay/in-process/turn-process.ts';

/** Null where Debian's PgBouncer is installed. */
export const noPgbouncer: string | null = hasPgbouncer() ? null : 'pgbouncer is not installed';
/** For the titles of tests that are skipped. */
export const withoutPgbouncer = noPgbouncer === null ? '' : ` (skipped: ${noPgbouncer})`;

/**
 * A real PgBouncer before a database of the test server.
 *
 * @param places - Further lines of its settings.
 * @returns the URL of the same database through it.
 */
export async function startPgbouncer(
  databaseUrl: string,
  mode: 'session' | 'transaction' | 'statement',
  places: readonly string[] = ['default_pool_size = 10'],
): Promise<string> {
  const url = new URL(databaseUrl);
  const folder = await makeTemporaryFolder('pgbouncer');
  const port = await findFreePort();
  const users = join(folder.path, 'users.txt');
  const settings = join(folder.path, 'pgbouncer.ini');
  writeFileSync(users, `"${url.username}" "${url.password}"\n`);
  const lines = [
    '[databases]',
    `* = host=${url.hostname} port=${url.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = plain',
    `auth_file = ${users}`,
    `pool_mode = ${mode}`,
    ...places,
  ];
  writeFileSync(settings, lines.join('\n'));
  // It refuses to be root, and whoever it becomes must be able to read its files.
  chmodSync(folder.path, 0o755);
  for (const file of [users, settings]) chmodSync(file, 0o644);
  const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('pgbouncer', ['-q', ...asNobody, settings], { stdio: 'ignore' });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await folder.remove();
  });
  await until(() => canConnect(port));
  url.port = String(port);
  return url.href;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function hasPgbouncer(): boolean {
  try {
    execFileSync('pgbouncer', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
