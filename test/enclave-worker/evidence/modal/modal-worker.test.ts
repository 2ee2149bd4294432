import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../../crypto/evidence/key-statement.ts';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy/policy.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { HardwareWorker } from '../../../parts/evidence/hardware-worker.ts';
import { TestRegistrar } from '../../../parts/evidence/modal/test-registrar.ts';
import { developmentPolicy } from '../../../parts/evidence/development-policy.ts';
import { WorkerClient } from '../../../parts/users/with-keys/worker-client.ts';
import { askAndJudge, askEvidence } from '../../../parts/users/with-keys/asked-evidence.ts';

let registrar: TestRegistrar;
beforeAll(async () => {
  registrar = await TestRegistrar.start();
});
afterAll(() => registrar.stop());

/* The built worker as it runs on Modal, beside the real registrar and a double of Modal's issuer. */

function policyOf(registrar: TestRegistrar): EnclavePolicy {
  return {
    ...developmentPolicy,
    allowedKinds: ['modal'],
    minimum: 'stated',
    modal: registrar.policySection,
  };
}

function environmentOf(registrar: { url: string }, token: string): Record<string, string> {
  return { EVIDENCE: 'modal', REGISTRAR_URL: registrar.url, MODAL_IDENTITY_TOKEN: token };
}

/** Asks until there is evidence; a registration takes a moment. */
async function untilReady<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 80) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

describe('a worker on Modal', () => {
  test('shows the registrar’s statement about its identity, and the token is nowhere', async () => {
    const token = registrar.issuer.makeToken();
    await using worker = await HardwareWorker.start(null, environmentOf(registrar, token));
    const verdict = await untilReady(() => askAndJudge(worker, policyOf(registrar), []));
    expect(verdict).toMatchObject({ refused: false, kind: 'modal', level: 'stated' });
    expect(verdict.answer.evidence.map(({ kind }) => kind)).toEqual(['modal']);
    const secret = token.split('.')[2] ?? '';
    expect(secret.length).toBeGreaterThan(100);
    expect(worker.printed).not.toContain(secret);
    expect(JSON.stringify(verdict.answer)).not.toContain(secret);
    expect(registrar.printed).not.toContain(secret);
    // Another registrar's build refuses it; so does one that asks for hardware.
    const registrarPublicKey = toBase64Url(generateIdentityKeyPair().publicKey);
    const other = { ...policyOf(registrar), modal: { ...registrar.policySection, registrarPublicKey } };
    expect(await askAndJudge(worker, other, [])).toMatchObject({ refused: true, code: 'signature' });
    expect(await askAndJudge(worker, { ...policyOf(registrar), minimum: 'hardware' }, [])).toMatchObject({
      refused: true,
      code: 'below-minimum',
    });
  });

  test('no child of it has the token, nor its own environment', async () => {
    const token = registrar.issuer.makeToken();
    // Node prints what a process would hand to its children when it ends.
    const witness = `data:text/javascript,process.on('SIGWINCH',()=>process.stdout.write('ENV '+JSON.stringify(process.env)+'\\n'))`;
    await using worker = await HardwareWorker.start(null, {
      ...environmentOf(registrar, token),
      NODE_OPTIONS: `--import=${encodeURI(witness)}`,
    });
    worker.child.kill('SIGWINCH');
    await untilReady(async () => {
      if (!worker.printed.includes('ENV {')) throw new Error('nothing printed');
    });
    expect(worker.printed).toContain('"EVIDENCE":"modal"');
    expect(worker.printed).not.toContain('MODAL_IDENTITY_TOKEN');
    expect(worker.printed).not.toContain(token.slice(0, 40));
    // Linux remembers the start for this user alone: the model runs as another.
    expect(readFileSync(`/proc/${worker.child.pid}/environ`, 'latin1')).toContain('MODAL_IDENTITY_TOKEN');
  });

  test('a registrar that is not there yet means no evidence at all, until it is', async () => {
    await registrar.kill();
    await using worker = await HardwareWorker.start(null, environmentOf(registrar, registrar.issuer.makeToken()));
    expect(await askEvidence(worker, randomBytes(32))).toMatchObject({ status: 503, error: 'enclave-starting' });
    const client = new WorkerClient(worker.url, worker.token);
    const status: unknown = await (await client.call('GET', '/status')).json();
    expect(status).toMatchObject({ status: { state: 'loading', reason: 'evidence-pending' } });
    expect(worker.printed).toContain('registrar-unreachable');
    expect(await askEvidence(worker, randomBytes(32), { fresh: true })).toMatchObject({ error: 'enclave-starting' });
    await registrar.run();
    expect(await untilReady(() => askAndJudge(worker, policyOf(registrar), []))).toMatchObject({ refused: false });
  });

  test('a token that the registrar refuses is no evidence, and no development evidence either', async () => {
    const token = registrar.issuer.makeToken({ claims: { app_id: 'ap-another' } });
    await using worker = await HardwareWorker.start(null, environmentOf(registrar, token));
    await untilReady(async () => {
      if (!worker.printed.includes('registrar-refused')) throw new Error('not refused yet');
    });
    expect(await askEvidence(worker, randomBytes(32))).toMatchObject({ status: 503, error: 'enclave-starting' });
  });

  test('an answer that was lost after the registration is asked for again, as a renewal', async () => {
    await using proxy = await LosingProxy.start(registrar.url);
    await using worker = await HardwareWorker.start(null, environmentOf(proxy, registrar.issuer.makeToken()));
    const verdict = await untilReady(() => askAndJudge(worker, policyOf(registrar), []));
    expect(verdict).toMatchObject({ refused: false });
    expect(proxy.paths.filter((path) => path !== '/v1/challenge')).toEqual(['/v1/register', '/v1/renew']);
  });

  test('a redirect is not followed: the token goes to no other host', async () => {
    let hasArrived = false;
    await using stranger = await listen((_path, _body, respond) => {
      hasArrived = true;
      respond(200, '{}');
    });
    await using redirecting = await listen((path, _body, respond) => respond(307, '', `${stranger.url}${path}`));
    await using worker = await HardwareWorker.start(null, environmentOf(redirecting, 'aaaa.bbbb.cccc'));
    await untilReady(async () => {
      if (!worker.printed.includes('registrar-unreachable')) throw new Error('not tried yet');
    });
    expect(hasArrived).toBe(false);
  });
});

type Answering = (
  path: string,
  body: Buffer,
  respond: (status: number, text: string, location?: string) => void,
  destroy: () => void,
) => void;
type Listening = AsyncDisposable & { readonly url: string };

async function listen(answering: Answering): Promise<Listening> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      answering(
        request.url ?? '',
        Buffer.concat(chunks),
        (status, text, location) => response.writeHead(status, location === undefined ? {} : { location }).end(text),
        () => request.socket.destroy(),
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** Hands on what the worker asks, and loses the answer to its registration. */
class LosingProxy {
  static async start(url: string): Promise<Listening & { readonly paths: string[] }> {
    const paths: string[] = [];
    const proxy = await listen((path, body, respond, destroy) => {
      paths.push(path);
      void fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Uint8Array.from(body),
      })
        .then(async (answer) => {
          if (path === '/v1/register') destroy();
          else respond(answer.status, await answer.text());
        })
        .catch(destroy);
    });
    return { ...proxy, paths, url: proxy.url };
  }
}
