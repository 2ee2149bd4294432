import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Bindings } from '../../../../server/api/dispatch.ts';
import { listen } from '../../../../server/connections/listener.ts';
import { LiveClients } from '../../../../server/live/live-clients.ts';
import { TurnService } from '../../../../server/turns/turn-service.ts';
import { quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { makeSelfSigned } from '../../../parts/network/self-signed.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';

/* A browser that goes away before its live response begins: while its session is looked up, for instance. */

/** Asks for the live response; `leave` breaks the connection off. */
type Ask = (port: number, token: string, ca: string) => { readonly answered: Promise<unknown>; leave(): void };

const overHttp1: Ask = (port, token, ca) => {
  const headers = { authorization: `Bearer ${token}` };
  const request = requestHttps({ port, host: 'localhost', path: '/v1/live', ca, agent: false, headers });
  request.on('error', () => undefined).end();
  const answered = once(request, 'response').then(([response]) => once(response as NodeJS.EventEmitter, 'data'));
  answered.catch(() => undefined);
  return { answered, leave: () => void request.destroy() };
};

const overHttp2: Ask = (port, token, ca) => {
  const session = connectHttp2(`https://localhost:${port}`, { ca });
  const stream = session.request({ ':path': '/v1/live', authorization: `Bearer ${token}` });
  for (const end of [session, stream]) end.on('error', () => undefined);
  const answered = once(stream, 'data');
  answered.catch(() => undefined);
  return { answered, leave: () => session.destroy() };
};

/** @param hold - What every call waits for before the relay sees it, with its response. */
async function listenWithTls({ relay }: TestRelay, hold: (response: ServerResponse) => Promise<void>) {
  const folder = await makeTemporaryFolder('tls');
  const { cert, key } = makeSelfSigned();
  const tls = { certFile: join(folder.path, 'cert.pem'), keyFile: join(folder.path, 'key.pem') };
  await writeFile(tls.certFile, cert);
  await writeFile(tls.keyFile, key);
  const { fetch } = relay.app;
  vi.spyOn(relay.app, 'fetch').mockImplementation(async (request, env, context) => {
    await hold((env as Bindings).outgoing as ServerResponse);
    return fetch(request, env, context);
  });
  const listening = await listen(relay.app, { host: '127.0.0.1', port: 0, tls, isHttps: true });
  onTestFinished(async () => {
    await listening.close(100);
    await folder.remove();
  });
  return { port: listening.port, cert };
}

test.each([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const)('live response over %s: one that broke off before it began is not kept', async (_, ask) => {
  onTestFinished(() => void vi.restoreAllMocks());
  const relay = await openTestRelay('sqlite');
  const token = (await quickSignUp(relay, 'alice')).session.accessToken;
  const arrived = Promise.withResolvers<void>();
  const hold = vi.fn<(response: ServerResponse) => Promise<void>>(async () => undefined);
  hold.mockImplementationOnce(async (response) => {
    arrived.resolve();
    await once(response, 'close');
  });
  const { cert, port } = await listenWithTls(relay, hold);
  const connected = vi.spyOn(TurnService.prototype, 'connect');
  const added = vi.spyOn(LiveClients.prototype, 'add');

  const early = ask(port, token, cert);
  await arrived.promise;
  early.leave();
  await until(() => connected.mock.results.length === 1);
  expect(added).not.toHaveBeenCalled();

  const lasting = ask(port, token, cert);
  await lasting.answered;
  expect(added).toHaveBeenCalledOnce();
  lasting.leave();
});
