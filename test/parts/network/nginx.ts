import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { join, resolve } from 'node:path';
import { waitFor } from '../relay/running-sotto.ts';
import { makeTemporaryFolder } from '../machine/temporary-folder.ts';

const projectFolder = resolve(import.meta.dirname, '../../..');

/** Debian's nginx, where it is installed. */
export const hasNginx = spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status === 0;

/** For the title of what is skipped without it. */
export const withoutNginx = hasNginx ? '' : ' (skipped: nginx is not installed)';

/**
 * The configuration that the guide tells operators to use, with what is theirs put in.
 *
 * @param replacements - Lines of the guide, and what stands there instead: each must be there exactly once.
 * @throws {Error} when the guide has changed underneath.
 */
export function guideConfiguration(
  language: 'nginx' | 'caddy',
  replacements: Readonly<Record<string, string>>,
): string {
  const guide = readFileSync(join(projectFolder, 'server/OPERATING.md'), 'utf8');
  const [, block] = /^```nginx\n([\s\S]*?)^```$/m.exec(guide) ?? [];
  const whole = language === 'caddy' ? readFileSync(join(projectFolder, 'Caddyfile'), 'utf8') : block;
  if (whole === undefined) throw new Error('The guide has no configuration for nginx.');
  return Object.entries(replacements).reduce((text, [line, replacement]) => {
    if (text.split(line).length !== 2) throw new Error(`The guide's ${language} does not say once: ${line}`);
    return text.replace(line, () => replacement);
  }, whole);
}

/** Runs nginx with these lines inside its `http` block, until it is disposed of. */
export async function startNginx(http: string, port: number): Promise<AsyncDisposable> {
  const folder = await makeTemporaryFolder('nginx');
  const file = join(folder.path, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder.path}/${name};`,
  );
  await writeFile(
    file,
    `daemon off; master_process off; pid ${folder.path}/pid; error_log stderr error;
events { worker_connections 1024; }
http { access_log off; ${paths.join(' ')}
${http}
}
`,
  );
  const nginx = spawn('nginx', ['-p', folder.path, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let printed = '';
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await waitFor(
    () => isOpen(port),
    20_000,
    () => `nginx did not start:\n${printed}`,
  );
  return {
    async [Symbol.asyncDispose]() {
      if (nginx.exitCode === null && nginx.signalCode === null) {
        nginx.kill('SIGKILL');
        await once(nginx, 'exit');
      }
      await folder.remove();
    },
  };
}

/** Debian's Caddy, where it is installed. */
export const hasCaddy = spawnSync('caddy', ['version'], { stdio: 'ignore' }).status === 0;
export const withoutCaddy = hasCaddy ? '' : ' (skipped: caddy is not installed)';

/** Runs Caddy with this file and its own certificates, until it is disposed of. */
export async function startCaddy(caddyfile: string, port: number, publicUrl: string): Promise<AsyncDisposable> {
  const folder = await makeTemporaryFolder('caddy');
  const file = join(folder.path, 'Caddyfile');
  await writeFile(file, caddyfile);
  const env = {
    PATH: process.env['PATH'],
    HOME: folder.path,
    XDG_DATA_HOME: folder.path,
    XDG_CONFIG_HOME: folder.path,
    PUBLIC_URL: publicUrl,
  };
  const options = ['run', '--config', file, '--adapter', 'caddyfile'];
  const caddy = spawn('caddy', options, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let printed = '';
  caddy.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await waitFor(
    () => isCertified(port),
    60_000,
    () => `Caddy did not start:\n${printed}`,
  );
  return {
    async [Symbol.asyncDispose]() {
      if (caddy.exitCode === null && caddy.signalCode === null) {
        caddy.kill('SIGKILL');
        await once(caddy, 'exit');
      }
      await folder.remove();
    },
  };
}

/** Caddy listens before it has made its certificate. */
function isCertified(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false }, () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

export function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
