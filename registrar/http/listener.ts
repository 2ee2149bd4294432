import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type RegistrarErrorCode, registrarErrorCodes } from '../../crypto/messages/registrar-messages.ts';
import type { EventLog } from '../event-log.ts';
import { RegistrarError } from '../registrar-error.ts';
import type { Settings } from '../settings.ts';
import { StartError } from '../start-error.ts';
import { CallerAddress } from '../caller-address.ts';
import { RateLimit } from './rate-limit.ts';
import { type Answer, errorAnswer, findRoute, type RouteParts } from './routes.ts';
import { boundConnections } from './silent-connections.ts';

const limits = {
  requestTimeout: 15_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 10_000,
  // How often the two above are looked at; Node's own is thirty seconds.
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
};
const handshakeTimeout = 5_000;
const maximumConnections = 1_000;

export type Listening = { readonly port: number; close(): Promise<void> };

/** @throws {StartError} when nothing can listen there. */
export async function listen(parts: RouteParts, settings: Settings, log: EventLog): Promise<Listening> {
  const rates = new RateLimit(settings.isAddressShared);
  const addresses = new CallerAddress(settings.callerAddress);
  const handle = (request: IncomingMessage, response: ServerResponse) =>
    void answer(request, response, { parts, rates, log, addresses });
  const server: Server =
    settings.tls === null
      ? createServer(limits, handle)
      : createTlsServer({ ...limits, handshakeTimeout, ...readTls(settings.tls), minVersion: 'TLSv1.2' }, handle);
  server.maxConnections = maximumConnections;
  // Behind a proxy that does not say whose a call is, all come from one address.
  if (!settings.isAddressShared) boundConnections(server, addresses);
  const { host, port } = settings;
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => {
      reject(new StartError(`Nothing can listen on ${host}, port ${port}: change REGISTRAR_HOST or REGISTRAR_PORT.`));
    });
    server.listen(port, host, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function readTls({ certFile, keyFile }: NonNullable<Settings['tls']>) {
  try {
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  } catch {
    throw new StartError('REGISTRAR_TLS_CERT or REGISTRAR_TLS_KEY cannot be read: give the paths of two PEM files.');
  }
}

type Context = {
  readonly parts: RouteParts;
  readonly rates: RateLimit;
  readonly log: EventLog;
  readonly addresses: CallerAddress;
};

async function answer(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  let name = 'none';
  let refusal: RegistrarErrorCode | null = null;
  try {
    // A query would be a second spelling of the same address.
    const path = request.url ?? '';
    const route = findRoute(path, context.parts);
    name = route.name;
    if (request.method !== route.method) throw new RegistrarError('method-not-allowed');
    context.rates.take(route.limit, context.addresses.find(request), performance.now());
    write(response, 200, await route.run(request, path));
  } catch (error) {
    const known = asRegistrarError(error);
    refusal = known.code;
    if (known.code === 'internal-error') context.log.error('call-failed', error);
    const { body, headers } = errorAnswer(known.code);
    const retry = known.retryAfterSeconds === null ? {} : { 'retry-after': String(known.retryAfterSeconds) };
    write(response, registrarErrorCodes[known.code].status, { body, headers: { ...headers, ...retry } });
  }
  if (name !== 'tile' && name !== 'checkpoint' && name !== 'health') {
    context.log.info('call', { route: name, status: response.statusCode, refusal });
  }
}

function write(response: ServerResponse, status: number, { body, headers }: Answer): void {
  response.writeHead(status, {
    ...headers,
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function asRegistrarError(error: unknown): RegistrarError {
  if (error instanceof RegistrarError) return error;
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  // A body that broke off has no reader any more; SQLite's codes are about the disk.
  if (code === 'ECONNRESET') return new RegistrarError('bad-request');
  return new RegistrarError(typeof errcode === 'number' ? 'log-unavailable' : 'internal-error');
}
