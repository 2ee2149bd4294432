import { existsSync, readdirSync, statSync } from 'node:fs';
import { Agent, request as requestHttp } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import { join, resolve } from 'node:path';
import * as opaque from '@serenity-kit/opaque';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { BenchRelay } from './bench-relay.ts';
import { BrowserLoad } from '../../users/crowd/browser-load.ts';
import type { LoadReport } from '../../users/crowd/load-generator.ts';
import { PinnedProcess } from '../../machine/pinned-process.ts';
import { nameTagOf, randomText } from '../../users/without-keys/quick-account.ts';
import { newId, write } from '../../users/without-keys/vault-device.ts';
import type { WorstOrder, WorstReport } from '../../users/worst/worst-caller.ts';
import type { WorstKind } from '../../users/worst/worst-kinds.ts';

const mebibyte = 1024 * 1024;
const probeEveryMs = 25;

export type Measured = WorstReport & {
  /** Processor time of the relay's main thread between two turns of its event loop, where it was over 10 ms. */
  readonly blocksMs: readonly number[];
  /** How long each look at `/livez` took. */
  readonly looksMs: readonly number[];
  /** The paced turn of somebody else. */
  readonly turn: LoadReport;
};

/**
 * A relay process as in production, with a bystander whose paced turn runs. Another account does its worst on demand, from a
 * process and an address of its own.
 */
export class AttackedRelay implements AsyncDisposable {
  readonly #bench: BenchRelay;
  readonly #load: BrowserLoad;
  readonly #worst: PinnedProcess;
  readonly #order: Omit<WorstOrder, 'kind' | 'forMs'>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #secureAgent = new SecureAgent({ keepAlive: true, maxSockets: 1 });

  private constructor(dependencies: {
    readonly bench: BenchRelay;
    readonly load: BrowserLoad;
    readonly worst: PinnedProcess;
    readonly order: Omit<WorstOrder, 'kind' | 'forMs'>;
  }) {
    this.#bench = dependencies.bench;
    this.#load = dependencies.load;
    this.#worst = dependencies.worst;
    this.#order = dependencies.order;
  }

  /**
   * @param accounts - Those that do their worst together.
   * @param isTls - Whether the relay speaks HTTP/2 as well.
   */
  static async open(accounts: number, isTls = false): Promise<AttackedRelay> {
    const itemId = newId();
    let head = { counter: 0, hash: '' };
    const bench = await BenchRelay.start({
      browsers: 1 + accounts,
      mode: 'paced',
      turnsPerSecond: 10,
      isMetered: true,
      isTls,
      prepare: async (device, index) => {
        if (index === 0) return;
        await device.send(device.batch({ items: [write(itemId, 1, { body: randomText(16 * mebibyte) })] }));
        // Ten full pages.
        for (let batch = 0; batch < 4; batch++) {
          const items = Array.from({ length: 80 }, () => write(newId(), 1, { body: randomText(65_000) }));
          await device.send(device.batch({ items }));
        }
        if (index > 1) return;
        head = { counter: device.head.counter, hash: toBase64Url(device.head.hash) };
      },
    });
    const load = new BrowserLoad();
    const [bystander, ...attackers] = bench.settings.browsers;
    const [first] = attackers;
    if (bystander === undefined || first === undefined) throw new Error('There are no browsers.');
    await load.connect({ ...bench.settings, browsers: [bystander] });
    await load.started();
    const worst = new PinnedProcess(1, 'test/parts/users/worst/worst-caller.ts', {});
    await worst.message();
    await opaque.ready;
    const { startLoginRequest } = opaque.client.startLogin({ password: 'a guess' });
    const loginStart = JSON.stringify({ format: 1, nameTag: nameTagOf('nobody'), loginRequest: startLoginRequest });
    const { registrationRequest } = opaque.client.startRegistration({ password: 'a guess' });
    const order = {
      port: bench.settings.port,
      ca: bench.settings.ca,
      signUpStart: JSON.stringify({ format: 1, nameTag: nameTagOf('nobody'), registrationRequest }),
      files: largestFiles(),
      accessTokens: attackers.map(({ accessToken }) => accessToken),
      turnStart: first.turnStart,
      head,
      itemId,
      loginStart,
    };
    return new AttackedRelay({ bench, load, worst, order });
  }

  /** Most memory that the relay had resident so far, in bytes; Linux only. */
  get peakMemoryBytes(): number {
    return this.#bench.relay.peakMemoryBytes;
  }

  /** @param kind - null: nobody does anything but the bystander. */
  async measure(kind: WorstKind | null, forMs: number): Promise<Measured> {
    const startedAtMs = Date.now();
    let isOver = false;
    const looksMs: number[] = [];
    const looking = (async () => {
      while (!isOver) {
        looksMs.push(await this.#look());
        await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
      }
    })();
    if (kind !== null) this.#worst.send({ ...this.#order, kind, forMs } satisfies WorstOrder);
    const [turn, { statuses, withoutTime }] = await Promise.all([
      this.#load.measure(forMs),
      kind === null ? { statuses: {}, withoutTime: 0 } : this.#worst.message<WorstReport>(),
    ]).finally(() => (isOver = true));
    await looking;
    const blocksMs = this.#bench.blocksBetween(startedAtMs, Date.now());
    return { looksMs, turn, statuses, withoutTime, blocksMs };
  }

  #look(): Promise<number> {
    const startedAtMs = performance.now();
    const { ca, port } = this.#order;
    const options = { host: '127.0.0.1', port, path: '/livez' };
    return new Promise((resolve, reject) => {
      const request =
        ca === undefined
          ? requestHttp({ ...options, agent: this.#agent })
          : requestHttps({ ...options, ca, servername: 'localhost', agent: this.#secureAgent });
      request.on('response', (response) => {
        response.resume().on('end', () => resolve(performance.now() - startedAtMs));
      });
      request.on('error', reject).end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    this.#secureAgent.destroy();
    await this.#worst[Symbol.asyncDispose]();
    await this.#load[Symbol.asyncDispose]();
    await this.#bench[Symbol.asyncDispose]();
  }
}

/** Paths of the client's largest files, or of its page where it is not built. */
function largestFiles(): string[] {
  const folder = resolve(import.meta.dirname, '../../../../client/dist/assets');
  if (!existsSync(folder)) return ['/'];
  const files = readdirSync(folder).map((name) => ({ name, length: statSync(join(folder, name)).size }));
  return files
    .toSorted((a, b) => b.length - a.length)
    .slice(0, 4)
    .map(({ name }) => `/assets/${name}`);
}
