import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerText, FrontDoorContainer } from './modal-front-door-container.ts';

export type FrontDoorOptions = {
  readonly maximumContainers?: number;
  /** Sessions that a container admits before another one is booted. */
  readonly targetConcurrency?: number;
  readonly bootMs?: number;
  /** After its last session a container stays for as long. */
  readonly scaledownMs?: number;
  /** The environment of every worker, besides its token. */
  readonly environment?: Readonly<Record<string, string>>;
};

type Session = {
  readonly id: string;
  readonly token: string;
  readonly container: FrontDoorContainer;
  readonly idleMs: number;
  inFlight: number;
  idleSinceMs: number;
};

const lookEveryMs = 50;

/**
 * A double of the proxy before a Modal Server with sticky sessions. Modal documents it in the guides "Servers" and "Sticky
 * Sessions" (SDK 1.6.4). Behind it are real workers, a process each. A session leads to one container until it is terminated,
 * idle, or lost with it. Containers boot when a start finds no room, and stop when no session is left.
 */
export class ModalFrontDoor implements AsyncDisposable {
  proxyToken = `wk-${randomBytes(11).toString('hex')}.ws-${randomBytes(11).toString('hex')}`;
  readonly enclaveToken = randomBytes(32).toString('hex');
  readonly containers: FrontDoorContainer[] = [];
  /** Starts that were asked for, repeated ones included. */
  startCalls = 0;
  terminateCalls = 0;
  /** By how many keys. */
  readonly startKeys = new Set<string>();
  /** Calls without the proxy token. */
  refusedCalls = 0;
  /** A request hears this whose session is over: the documents do not say. */
  lostStatus = 404;
  /** Requests of good sessions that are answered 502 all the same. */
  stumbles = 0;
  /** Answered to the next starts instead of a session. */
  startRefusals: number[] = [];
  /** How long a start waits for a container before it is answered 503. */
  queueMs = 60_000;
  /** No new container is to be had. */
  hasCapacity = true;
  /** Live responses that stand now. */
  liveResponses = 0;
  /** Requests that carried no session. */
  strayRequests = 0;
  readonly #options: Required<FrontDoorOptions>;
  readonly #sessions = new Map<string, Session>();
  readonly #started = new Map<string, Promise<Session | null>>();
  /** Sessions promised to a container that boots. */
  readonly #promised = new Map<FrontDoorContainer, number>();
  readonly #emptySince = new Map<FrontDoorContainer, number>();
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  #server: Server | null = null;

  constructor(options: FrontDoorOptions = {}) {
    this.#options = {
      maximumContainers: 4,
      targetConcurrency: 1000,
      bootMs: 0,
      scaledownMs: 60_000,
      environment: {},
      ...options,
    };
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** A relay is given these to use it. */
  get settings(): Record<string, string> {
    return {
      ENCLAVE_POOL: 'modal',
      MODAL_SERVER_URL: this.url,
      MODAL_PROXY_TOKEN: this.proxyToken,
      ENCLAVE_TOKEN: this.enclaveToken,
    };
  }

  get running(): FrontDoorContainer[] {
    return this.containers.filter((container) => container.state === 'running');
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Tokens of every session there is, for tests that look for them where they must not be. */
  get sessionTokens(): string[] {
    return [...this.#sessions.keys()];
  }

  sessionsOf(container: FrontDoorContainer): number {
    return [...this.#sessions.values()].filter((session) => session.container === container).length;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => this.#answer(request, response));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return this;
  }

  /** Boots containers ahead of any session, as `min_containers` does. */
  async warm(count: number): Promise<void> {
    const booted = Array.from({ length: count }, () => this.#bootContainer());
    await Promise.all(booted.map((container) => container.ready));
  }

  /** Forgets what was counted. */
  forgetCounts(): void {
    this.startCalls = 0;
    this.terminateCalls = 0;
    this.refusedCalls = 0;
    this.strayRequests = 0;
    this.startKeys.clear();
  }

  /** Ends sessions without a word, as a redeployment may. */
  loseSessions(): void {
    this.#sessions.clear();
    this.#started.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
    await Promise.all(this.containers.map((container) => container.kill()));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://front-door');
    if (request.method === 'POST' && pathname === '/_modal/sessions/start') void this.#start(request, response);
    else if (request.method === 'POST' && pathname === '/_modal/sessions/terminate') this.#terminate(request, response);
    else this.#route(request, response, pathname);
  }

  async #start(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#mayCome(request, response)) return;
    this.startCalls += 1;
    this.startKeys.add(String(request.headers['x-idempotency-key']));
    const refusal = this.startRefusals.shift();
    if (refusal !== undefined) return answerText(response, refusal, 'modal-http: refused');
    const idleSeconds = Number(request.headers['x-modal-server-session-idle-timeout'] ?? '600');
    if (!Number.isInteger(idleSeconds) || idleSeconds <= 0) return answerText(response, 400, 'bad idle timeout');
    const key = request.headers['x-idempotency-key'];
    const name = typeof key === 'string' ? key : randomUUID();
    const starting = this.#started.get(name) ?? this.#assign(idleSeconds * 1000);
    this.#started.set(name, starting);
    const session = await starting;
    if (session === null) {
      this.#started.delete(name);
      return answerText(response, 503, 'modal-http: no container available');
    }
    const text = JSON.stringify({ session_id: session.id, token: session.token });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(text);
  }

  /** Waits for room; null when there was none in time. */
  async #assign(idleMs: number): Promise<Session | null> {
    const deadline = Date.now() + this.queueMs;
    while (Date.now() < deadline) {
      const container = this.#findRoom();
      if (container !== null) {
        this.#promised.set(container, (this.#promised.get(container) ?? 0) + 1);
        const late = new Promise<'late'>((resolve) => {
          setTimeout(() => resolve('late'), Math.max(0, deadline - Date.now())).unref();
        });
        const isReady = await Promise.race([container.ready, late]);
        this.#promised.set(container, (this.#promised.get(container) ?? 1) - 1);
        if (isReady === 'late') return null;
        if (isReady && container.state === 'running') return this.#open(container, idleMs);
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    return null;
  }

  #open(container: FrontDoorContainer, idleMs: number): Session {
    const token = randomBytes(48).toString('base64url');
    const id = `sd-${randomBytes(8).toString('hex')}`;
    const session = { id, token, container, idleMs, inFlight: 0, idleSinceMs: Date.now() };
    this.#sessions.set(token, session);
    return session;
  }

  /** The emptiest container with room, or a new one. */
  #findRoom(): FrontDoorContainer | null {
    const load = (container: FrontDoorContainer) => this.sessionsOf(container) + (this.#promised.get(container) ?? 0);
    const present = this.containers.filter(({ state }) => state !== 'gone');
    const [emptiest] = present.toSorted((a, b) => load(a) - load(b));
    if (emptiest !== undefined && load(emptiest) < this.#options.targetConcurrency) return emptiest;
    if (present.length < this.#options.maximumContainers && this.hasCapacity) return this.#bootContainer();
    return null;
  }

  #bootContainer(): FrontDoorContainer {
    const environment = { ENCLAVE_TOKEN: this.enclaveToken, ...this.#options.environment };
    const container = new FrontDoorContainer(this.#options.bootMs, environment);
    this.containers.push(container);
    return container;
  }

  #terminate(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#mayCome(request, response)) return;
    this.terminateCalls += 1;
    const token = request.headers['x-modal-server-session-token'];
    const wasThere = this.#sessions.delete(typeof token === 'string' ? token : '');
    answerText(response, wasThere ? 200 : 404, '');
  }

  /** Starting and ending sessions is for holders of the proxy token. */
  #mayCome(request: IncomingMessage, response: ServerResponse): boolean {
    request.resume();
    const isGood = request.headers.authorization === `Bearer ${this.proxyToken}`;
    if (!isGood) this.refusedCalls += 1;
    if (!isGood) answerText(response, 401, 'modal-http: missing credentials for proxy authorization');
    return isGood;
  }

  #route(request: IncomingMessage, response: ServerResponse, path: string): void {
    const token = /^Bearer (\S+)$/.exec(String(request.headers['modal-authorization'] ?? ''))?.[1];
    if (token === undefined) {
      this.strayRequests += 1;
      return answerText(response, 401, 'modal-http: a session token is required');
    }
    const session = this.#sessions.get(token);
    if (session === undefined) return answerText(response, this.lostStatus, 'modal-http: no such session');
    if (session.container.state !== 'running' || this.stumbles > 0) {
      this.stumbles = Math.max(0, this.stumbles - 1);
      return answerText(response, 502, 'modal-http: bad gateway');
    }
    const isLive = path === '/live';
    session.inFlight += 1;
    if (isLive) this.liveResponses += 1;
    response.on('close', () => {
      session.inFlight -= 1;
      if (isLive) this.liveResponses -= 1;
      session.idleSinceMs = Date.now();
    });
    const headers: Record<string, string | string[]> = { 'x-modal-server-session-id': session.id };
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined && name !== 'modal-authorization' && name !== 'host') headers[name] = value;
    }
    session.container.forward(request, response, headers);
  }

  /** Ends idle sessions and those of dead containers, and scales down what nobody holds. */
  #look(): void {
    const nowMs = Date.now();
    for (const [token, session] of this.#sessions) {
      const isIdle = session.inFlight === 0 && nowMs - session.idleSinceMs > session.idleMs;
      if (isIdle) this.#sessions.delete(token);
    }
    for (const container of this.running) {
      const isHeld = this.sessionsOf(container) > 0 || (this.#promised.get(container) ?? 0) > 0;
      if (isHeld || !this.#emptySince.has(container)) this.#emptySince.set(container, nowMs);
      const emptyMs = nowMs - (this.#emptySince.get(container) ?? nowMs);
      if (!isHeld && emptyMs > this.#options.scaledownMs) void container.stop();
    }
  }
}
