import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { type ErrorCode, errorCodes } from '../../crypto/protocol/messages/error-codes.ts';
import { portComplaint } from '../launch/preflight.ts';
import { StartError } from '../../process/start-error.ts';
import type { RelayApp } from '../api/app.ts';
import { CallLanes } from './call-lanes.ts';
import { ConnectionPlaces } from '../../process/http/connection-places.ts';
import { Connections, type ConnectionTimes, usualTimes } from './connections.ts';
import { errorBody, refusalOf } from '../api/route/error-answer.ts';
import { HandshakeTurns } from './handshake-turns.ts';
import { streamOf } from '../api/bodies/http2-watch.ts';
import { isUnnamedProbe, namesOneHost, unnamedHost } from '../api/guards/host-name.ts';
import { securityHeaders, setSecurityHeaders } from '../api/pages/security-headers.ts';
import { endUnlessRead, type RestLimits, usualRest } from '../api/bodies/unread-bodies.ts';
import { lastAnswer, UnreadableCalls } from '../../process/http/unreadable-calls.ts';

export type ListenerSettings = {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** TLS of our own or an https PUBLIC_URL: decides on HSTS. */
  readonly isHttps: boolean;
  /** Connections that may be open in all, and from one address; left out, the defaults of the settings. */
  readonly connections?: { readonly total: number; readonly perAddress: number };
  /** Left out: nobody is a proxy of ours. */
  readonly isProxy?: (remoteAddress: string) => boolean;
};

/** A relay that accepts connections. */
export type Listening = {
  readonly port: number;
  /** Takes no connection more, ends each with the answer that is under way, and cuts what is left. */
  close(longestMs: number): Promise<void>;
  /** How many connections `close` had to cut. */
  readonly cut: number;
};

/** A connection takes up to 100 KiB. One address may be an office, with six connections a browser on HTTP/1.1. */
const usualPlaces = { total: 10_000, perAddress: 500 } as const;
/** A certificate that was renewed is taken up without a restart. */
const certificateCheckMs = 60_000;

/**
 * Listens with HTTP/1.1, or with HTTP/2 and 1.1 over TLS. Security headers are set here, before anything else.
 *
 * @throws {StartError} for a port in use or a certificate that cannot be read.
 */
export async function listen(
  app: RelayApp,
  settings: ListenerSettings,
  times: ConnectionTimes = usualTimes,
  rest: RestLimits = usualRest,
): Promise<Listening> {
  const answer = getRequestListener(app.fetch, {
    // Its own way of dropping bodies cuts the connection after half a second, and the answer with it.
    autoCleanupIncoming: false,
    // Without one it refuses every call that has no host.
    hostname: unnamedHost,
    errorHandler: () => refusalOf('bad-request'),
  });
  const limits = settings.connections ?? usualPlaces;
  const lanes = new CallLanes(limits.perAddress);
  const onRequest = (request: IncomingMessage, response: ServerResponse, isUnexpected = false) => {
    // The rest of a packet whose connection was cut as a flood: Node reads it to its end.
    if (streamOf(request) === null && request.socket.destroyed) return;
    connections.begin(request, response);
    const call = {
      isOver: () => streamOf(request)?.destroyed ?? response.destroyed,
      onOver: (listener: () => void) => void response.once('close', listener),
      begin() {
        setSecurityHeaders(response, settings.isHttps);
        endUnlessRead(request, response, rest);
        const isPlain = !isUnexpected && (namesOneHost(request) || isUnnamedProbe(request));
        if (isPlain) void answer(request, response);
        else refuse(response, 'bad-request');
      },
    };
    const connection = connectionOf(request);
    const networks = places.networksOf(connection, request.socket.remoteAddress);
    if (!lanes.enter(connection, call, networks)) connections.cutFlood(request);
  };
  const server = settings.tls === null ? plainServer(onRequest, times) : secureServer(onRequest, settings.tls, times);
  const places = new ConnectionPlaces(limits, settings.isProxy ?? (() => false));
  const connections = new Connections(server, places, times);
  const unreadable = new UnreadableCalls({
    lingerMs: times.headMs,
    answerTo: (_socket, status) => {
      const body = errorBody('bad-request');
      const own = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
      return lastAnswer(status, [...securityHeaders(settings.isHttps), ...Object.entries(own)], body);
    },
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    unreadable.end(socket, connections.answersOf(socket), error.code);
  });
  // Node's own answer to an expectation that it does not know has none of our headers.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    onRequest(request, response, true);
  });
  // Nobody is connected to anybody here; without a listener Node says nothing at all.
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    if (request.httpVersionMajor === 1) unreadable.end(socket, connections.answersOf(socket), undefined);
  });
  const port = await bind(server, settings);
  return {
    port,
    close: (longestMs) => connections.close(longestMs),
    get cut() {
      return connections.cut;
    },
  };
}

/** All calls of one peer share this: HTTP/2 gives each a socket that only looks like one. */
function connectionOf(request: IncomingMessage): object {
  return streamOf(request)?.session ?? request.socket;
}

/** Refuses bytes that are no request which the app could read; it does not wait for their body. */
function refuse(response: ServerResponse, code: ErrorCode): void {
  if (response.req.httpVersionMajor !== 2) response.setHeader('Connection', 'close');
  response.setHeader('Content-Type', 'application/json');
  response.writeHead(errorCodes[code].status).end(errorBody(code));
}

const maximumHeaderLength = 16_384;
/** For a TLS handshake, and before it for the first byte. */
const handshakeMs = 10_000;

const httpOptions = ({ headMs, idleMs, sweepMs }: ConnectionTimes) => ({
  headersTimeout: headMs,
  // Long enough for a body of megabytes on a slow line; an endless trickle ends.
  requestTimeout: 180_000,
  keepAliveTimeout: idleMs,
  connectionsCheckingInterval: sweepMs,
  maxHeaderSize: maximumHeaderLength,
  // Ours is the answer then, with its headers.
  requireHostHeader: false,
});

type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

function plainServer(onRequest: OnRequest, times: ConnectionTimes): Server {
  return createServer(httpOptions(times), onRequest);
}

function secureServer(
  onRequest: OnRequest,
  tls: NonNullable<ListenerSettings['tls']>,
  times: ConnectionTimes,
): Http2SecureServer {
  const load = () => {
    try {
      const pair = { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
      createSecureContext(pair);
      return pair;
    } catch {
      throw new StartError(
        'TLS_CERT and TLS_KEY are not a certificate and its key: give the paths of two PEM files that belong together.',
      );
    }
  };
  const server = createSecureServer({
    ...load(),
    allowHTTP1: true,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeMs,
    settings: { maxConcurrentStreams: 32, maxHeaderListSize: maximumHeaderLength, enablePush: false },
    // Browsers send each cookie as a field of its own (RFC 9113 §8.2.3); a site with its parents has up to 180.
    maxHeaderListPairs: 256,
    // Streams that are opened and reset at once; nghttp2 itself bounds CONTINUATION frames and answers that wait to be read.
    streamResetBurst: 200,
    streamResetRate: 20,
    maxSessionInvalidFrames: 50,
    maxSessionRejectedStreams: 50,
    http1Options: httpOptions(times),
  });
  new HandshakeTurns(server, handshakeMs);
  // HTTP/2's compatibility objects behave as HTTP/1's wherever we use them.
  server.on('request', (request, response) =>
    onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
  const stampOf = () => [tls.certFile, tls.keyFile].map((file) => statSync(file).mtimeMs).join();
  let stamp = stampOf();
  const timer = setInterval(() => {
    try {
      const now = stampOf();
      if (now === stamp) return;
      server.setSecureContext(load());
      stamp = now;
    } catch {
      // Half written: the next look finds it whole, and the old one is good meanwhile.
    }
  }, certificateCheckMs);
  timer.unref();
  server.once('close', () => clearInterval(timer));
  return server;
}

function bind(server: Server | Http2SecureServer, settings: ListenerSettings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(portComplaint(error.code, settings.host, settings.port));
    });
    server.listen(settings.port, settings.host, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : settings.port);
    });
  });
}
