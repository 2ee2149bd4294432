import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createPinnedAgent, readPinnedCertificates } from '../../../server/pools/static/pinned-agent.ts';
import { projectRoot } from '../../parts/machine/python-environment.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const folder = join(projectRoot, 'enclave-worker/deploy/nebius');

describe('the machine itself', () => {
  it('makes a token and a certificate once, and prints no key', async () => {
    await using place = await makeTemporaryFolder('machine');
    const secrets = join(place.path, 'secrets');
    const prepare = (...parameters: string[]) =>
      promisify(execFile)('bash', [join(folder, 'machine/prepare.sh'), ...parameters], {
        env: { PATH: process.env['PATH'], SOTTO_FOLDER: place.path, SOTTO_SECRETS: secrets },
      });
    writeFileSync(join(place.path, 'settings.env'), 'PUBLIC_IP=127.0.0.1\nMODEL=a/b\n');
    await prepare('--secrets-only');
    const files = ['token.env', 'tls/key.pem', 'tls/certificate.pem'].map((name) => join(secrets, name));
    const before = files.map((name) => readFileSync(name, 'utf8'));
    await prepare('--secrets-only');
    expect(files.map((name) => readFileSync(name, 'utf8'))).toEqual(before);
    for (const name of files) expect(statSync(name).mode & 0o007).toBe(0);
    expect(before[0]).toMatch(/^ENCLAVE_TOKEN=[0-9a-f]{64}\n$/);

    const { stdout } = await prepare('--for-relay');
    expect(stdout).not.toContain('PRIVATE KEY');
    expect(stdout).toContain(before[0]);
    const certificate = new X509Certificate(before[2] ?? '');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.ca).toBe(false);
    await expect(prepare('--all')).rejects.toThrow('There is only --for-relay');

    // The relay believes the pinned one, and not another machine's.
    const server = createServer({ key: before[1] ?? '', cert: before[2] ?? '' }, (_, response) => response.end('here'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const pinned = createPinnedAgent(readPinnedCertificates(stdout) ?? []);
    expect(await ask(url, pinned)).toBe('here');
    await using other = await makeTemporaryFolder('machine');
    writeFileSync(join(other.path, 'settings.env'), 'PUBLIC_IP=127.0.0.1\n');
    await promisify(execFile)('bash', [join(folder, 'machine/prepare.sh'), '--secrets-only'], {
      env: { PATH: process.env['PATH'], SOTTO_FOLDER: other.path, SOTTO_SECRETS: join(other.path, 'secrets') },
    });
    const others = readPinnedCertificates(readFileSync(join(other.path, 'secrets/tls/certificate.pem'), 'utf8'));
    await expect(ask(url, createPinnedAgent(others ?? []))).rejects.toThrow(/certificate/i);
    server.close();
    server.closeAllConnections();
  });
});

function ask(url: string, agent: ReturnType<typeof createPinnedAgent>): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
      response.on('error', reject);
    }).on('error', reject);
  });
}
