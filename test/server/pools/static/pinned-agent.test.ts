import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { createPinnedAgent, readPinnedCertificates } from '../../../../server/pools/static/pinned-agent.ts';
import { StaticPool } from '../../../../server/pools/static/static-pool.ts';
import { readSettings } from '../../../../server/settings.ts';
import {
  caExtensions,
  type KeyPair,
  makeCertificate,
  makeKeys,
  toPem,
} from '../../../parts/evidence/vendors/certificate-maker.ts';
import { makeSelfSigned } from '../../../parts/network/self-signed.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';

/* Workers behind TLS whose certificates are pinned: these very ones, whatever they are called. */

const token = 'x'.repeat(32);
const status = {
  format: 1,
  status: { state: 'ready', reason: 'chosen-by-setting', next: null },
  models: ['test-model'],
};
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(own: { readonly cert: string; readonly key: string }): Promise<string> {
  const server = createServer(own, (_request, response) => {
    if (_request.url === '/status') response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(status));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function poolOf(urls: readonly string[], pinned: string): StaticPool {
  const certificates = readPinnedCertificates(pinned);
  if (certificates === null) throw new Error('There is a certificate in it.');
  const addresses = urls.map((url) => ({ url, token, unreachable: 'enclave-unreachable' as const }));
  const pool = new StaticPool(addresses, createPinnedAgent(certificates));
  onTestFinished(() => pool.close());
  return pool;
}

test('a worker that shows a pinned certificate is used, one that shows another is not', async () => {
  const [right, other, wrong] = [makeSelfSigned(1), makeSelfSigned(2), makeSelfSigned(3)];
  const urls = [await listen(right), await listen(other)];
  // The name in them is localhost: the address is an IP number, and it is the certificate that counts.
  expect(await poolOf(urls, right.cert + other.cert).isReady()).toBe(true);
  expect(await poolOf([urls[0]!], right.cert).listModels()).toEqual(['test-model']);
  await expect(poolOf([urls[1]!], right.cert).listModels()).rejects.toMatchObject({ code: 'enclave-unreachable' });
  await expect(poolOf([await listen(wrong)], right.cert).listModels()).rejects.toMatchObject({
    code: 'enclave-unreachable',
  });
  // A certificate of the same name and serial number is still another.
  await expect(poolOf([await listen(makeSelfSigned(1))], right.cert).listModels()).rejects.toMatchObject({
    code: 'enclave-unreachable',
  });
});

test('a certificate that a pinned one has signed is another certificate', async () => {
  const [rootKeys, keys] = [makeKeys('p256'), makeKeys('p256')];
  const root = makeCertificate({ subject: 'localhost', keys: rootKeys, extensions: caExtensions() });
  const issued = makeCertificate({ subject: 'worker', issuer: 'localhost', keys, signer: rootKeys });
  const pem = (pair: KeyPair) => pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const url = await listen({ cert: toPem(issued) + toPem(root), key: pem(keys) });
  await expect(poolOf([url], toPem(root)).listModels()).rejects.toMatchObject({ code: 'enclave-unreachable' });
  // Pinned itself it is believed, without its issuer.
  expect(await poolOf([url], toPem(issued)).listModels()).toEqual(['test-model']);
});

test('without pins a certificate that nobody vouches for is refused', async () => {
  const url = await listen(makeSelfSigned());
  const pool = new StaticPool([{ url, token, unreachable: 'enclave-unreachable' }]);
  onTestFinished(() => pool.close());
  await expect(pool.listModels()).rejects.toMatchObject({ code: 'enclave-unreachable' });
});

test('ENCLAVE_CERTIFICATES: a PEM file, for static workers over https alone', async () => {
  const folder = await makeTemporaryFolder('pins');
  onTestFinished(() => folder.remove());
  const [file, noPem] = [join(folder.path, 'pins.pem'), join(folder.path, 'empty.pem')];
  writeFileSync(file, makeSelfSigned().cert);
  writeFileSync(noPem, 'nothing');
  const right = {
    ENCLAVE_POOL: 'static',
    ENCLAVE_TOKEN: token,
    ENCLAVE_URLS: 'https://10.0.0.2:8790',
    ENCLAVE_CERTIFICATES: file,
  };
  expect(readSettings(right).enclaveCertificates).toContain('BEGIN CERTIFICATE');
  const refused = (changes: Record<string, string>) => () => readSettings({ ...right, ...changes });
  expect(refused({ ENCLAVE_URLS: 'https://a, http://b' })).toThrow('ENCLAVE_CERTIFICATES is for ENCLAVE_POOL=static');
  expect(refused({ ENCLAVE_POOL: 'local' })).toThrow('ENCLAVE_CERTIFICATES is for ENCLAVE_POOL=static');
  expect(refused({ ENCLAVE_CERTIFICATES: join(folder.path, 'absent') })).toThrow('ENCLAVE_CERTIFICATES cannot be read');
  expect(refused({ ENCLAVE_CERTIFICATES: noPem })).toThrow('ENCLAVE_CERTIFICATES names a file without certificates');
});
