import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type RegistrarErrorCode, registrarErrorCodes } from '../../crypto/protocol/messages/registrar-messages.ts';
import type { Log } from '../../process/event-log.ts';
import { RegistrarError } from '../registrar-error.ts';
import type { Settings } from '../settings.ts';
import { StartError } from '../../process/start-error.ts';
import { ClientAddress } from '../../process/http/client-address.ts';
import { addressOfConnection, networksOf } from '../../process/http/networks.ts';
import { stopParsing } from '../../process/http/node-parser.ts';
import { CallLog } from './call-log.ts';
import { CrowdedTurn } from '../../process/http/crowded-turn.ts';
import { RateLimit } from './rate-limit.ts';
import { type Answer, errorAnswer, findRoute, headersOf, type RouteDependencies } from './routes.ts';
import { boundConnections } from './silent-connections.ts';
import { isPlain, UnreadableRequests } from './strange-requests.ts';

const limits = {
  requestTimeout: 15_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 10_000,
  // How often the two above are looked at; Node's own is thirty seconds.
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  // Ours is the answer then, with its headers.
  requireHostHeader: false,
};
const handshakeTimeout = 5_000;
const maximumConnections = 1_000;
/** Heads that an address may bring in one turn of the event loop: one takes some thirty microseconds. */
const headsPerTurn = 2_000;
/** The heads of a connection beyond that: a caller that waits for answers has one. */
const fewHeads = 2;
/** More than a caller and its proxies send; Node refuses what has more. */
const maximumHeaders = 100;

export type Listening = { readonly port: number; close(): Promise<void> };

/** @throws {StartError} when nothing can listen there. */
export async function listen(dependencies: RouteDependencies, settings: Settings, log: Log): Promise<Listening> {
  const rates = new RateLimit(settings.isAddressShared);
  const addresses = new ClientAddress(settings.clientAddress);
  const calls = new CallLog(log);
  const turn = new CrowdedTurn({ headsPerTurn, fewHeads });
  // Behind a proxy that does not say whose a call is, all come from one address.
  const isOfMany = (socket: Socket) => settings.isAddressShared || addresses.isTrusted(socket.remoteAddress ?? '');
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    // The rest of a packet whose connection was cut.
    if (socket.destroyed) return;
    if (!isOfMany(socket) && !turn.enter(socket, networksOf(addressOfConnection(socket)))) {
      stopParsing(socket);
      return void socket.destroy();
    }
    unreadable.begin(request, response);
    void answer(request, response, { dependencies, rates, calls, addresses });
  };
  const server: Server =
    settings.tls === null
      ? createServer(limits, handle)
      : createTlsServer({ ...limits, handshakeTimeout, ...readTls(settings.tls), minVersion: 'TLSv1.2' }, handle);
  server.maxConnections = maximumConnections;
  server.maxHeadersCount = maximumHeaders;
  // Node's own answer to an expectation that it does not know has none of our headers.
  server.on('checkExpectation', handle);
  const unreadable = new UnreadableRequests(server, settings.tls !== null, (socket, status) => {
    const isWithin = rates.tryTake('reading', addressOfConnection(socket), performance.now());
    calls.note({ route: 'unreadable', status, refusal: isWithin ? 'bad-request' : 'too-many-requests' });
    return isWithin;
  });
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
        server.close(() => {
          calls.close();
          resolve();
        });
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
  readonly dependencies: RouteDependencies;
  readonly rates: RateLimit;
  readonly calls: CallLog;
  readonly addresses: ClientAddress;
};

async function answer(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { dependencies, rates, calls, addresses } = context;
  // A query would be a second spelling of the same address.
  const path = request.url ?? '';
  const route = findRoute(path, dependencies);
  const isReadable = isPlain(request);
  const readHeader = (name: string) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join() : (value ?? null);
  };
  let refusal: RegistrarErrorCode | null = null;
  let defect: unknown;
  try {
    // A refused call counts like an answered one.
    rates.take(route?.limit ?? 'reading', addresses.find(request.socket.remoteAddress, readHeader), performance.now());
    if (!isReadable) throw new RegistrarError('bad-request');
    if (route === null) throw new RegistrarError('not-found');
    if (request.method !== route.method) throw new RegistrarError('method-not-allowed');
    write(response, 200, await route.run(request, path));
  } catch (error) {
    const known = asRegistrarError(error);
    refusal = known.code;
    if (refusal === 'internal-error') defect = error;
    if (!isReadable) response.shouldKeepAlive = false;
    const { body, headers } = errorAnswer(refusal);
    const retry = known.retryAfterSeconds === null ? {} : { 'retry-after': String(known.retryAfterSeconds) };
    write(response, registrarErrorCodes[refusal].status, { body, headers: { ...headers, ...retry } });
  }
  calls.note({ route: route?.name ?? 'none', status: response.statusCode, refusal }, defect);
}

function write(response: ServerResponse, status: number, answer: Answer): void {
  response.writeHead(status, headersOf(answer));
  response.end(answer.body);
}

function asRegistrarError(error: unknown): RegistrarError {
  if (error instanceof RegistrarError) return error;
  const { errcode } = error as { errcode?: unknown };
  // SQLite's codes are about the disk.
  return new RegistrarError(typeof errcode === 'number' ? 'log-unavailable' : 'internal-error');
}
