import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../parts/network/free-port.ts';
import { LiveReader } from '../parts/users/vaults/live-reader.ts';
import { guideConfiguration, hasNginx, startNginx, withoutNginx } from '../parts/network/nginx.ts';
import { RelayPair, type SignedInReader } from '../parts/relay/under-load/relay-pair.ts';
import { ScriptedWorker } from '../parts/worker/scripted-worker.ts';
import { createDatabase } from '../parts/storage/shared-postgres.ts';
import { until } from '../parts/relay/in-process/turn-process.ts';

const readerCount = 6;

/** The guide's own lines, without TLS: Node's fetch would not take a certificate that signs itself. */
function frontOf(ports: readonly number[], port: number): string {
  return guideConfiguration('nginx', {
    'server 127.0.0.1:8787 max_fails=0;': ports.map((at) => `server 127.0.0.1:${at} max_fails=0;`).join(' '),
    'listen 443 ssl http2;': `listen 127.0.0.1:${port};`,
    'server_name your.name;': '',
    'ssl_certificate /etc/ssl/your.name.pem;': '',
    'ssl_certificate_key /etc/ssl/your.name.key;': '',
  });
}

/** Calls that a browser makes beside its live response, on connections that nginx keeps. */
class Caller {
  readonly statuses: number[] = [];
  readonly #url: string;
  readonly #reader: SignedInReader;
  #done = false;
  readonly ended: Promise<void>;

  constructor(url: string, reader: SignedInReader) {
    this.#url = url;
    this.#reader = reader;
    this.ended = this.#run();
  }

  end(): Promise<void> {
    this.#done = true;
    return this.ended;
  }

  async #run(): Promise<void> {
    const headers = {
      authorization: `Bearer ${this.#reader.accessToken}`,
      'content-type': 'application/json',
      'sec-fetch-site': 'same-origin',
    };
    const stop = { method: 'POST', body: JSON.stringify({ format: 1, stopToken: 'A'.repeat(43) }), headers };
    while (!this.#done) {
      for (const [path, init] of [
        ['/v1/account', { headers }],
        [`/v1/turns/${this.#reader.start.turnId}/stop`, stop],
      ] as const) {
        const answer = await fetch(`${this.#url}${path}`, init).catch(() => null);
        await answer?.arrayBuffer();
        this.statuses.push(answer?.status ?? 0);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
  }
}

describe.skipIf(!hasNginx)(`two relays behind nginx${withoutNginx}`, () => {
  test('restarted in turn while answers stream: no call fails, no frame is lost', { timeout: 180_000 }, async () => {
    const worker = await new ScriptedWorker().start();
    onTestFinished(() => worker.stop());
    await using pair = await RelayPair.start(worker, await createDatabase());
    const port = await findFreePort();
    await using _nginx = await startNginx(frontOf(pair.ports, port), port);
    const url = `http://127.0.0.1:${port}`;
    const signedIn = await pair.signIn(readerCount, worker);
    const readers = signedIn.map(({ accessToken, start }) => new LiveReader(url, accessToken, start.turnId));
    onTestFinished(() => readers.forEach((reader) => reader.end()));
    await until(() => readers.every((reader) => reader.opened > 0));
    for (const { accessToken, start } of signedIn) {
      const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
      const answer = await fetch(`${url}/v1/turns`, { method: 'POST', headers, body: JSON.stringify(start) });
      expect(answer.status).toBe(202);
    }
    const speaking = setInterval(() => {
      for (const transcript of worker.transcripts) worker.speak(transcript, 1);
    }, 100);
    onTestFinished(() => clearInterval(speaking));
    const callers = signedIn.map((reader) => new Caller(url, reader));
    const haveMore = async () => {
      const before = readers.map(({ frames }) => frames.size);
      await until(() => readers.every(({ frames }, index) => frames.size > (before[index] ?? 0) + 10));
    };
    await haveMore();
    for (const which of [0, 1] as const) {
      const openedBefore = readers.map(({ opened }) => opened);
      const { code, printed } = await pair.stop(which);
      expect(code).toBe(0);
      // Every connection ended by itself, well before the stop would have cut it.
      expect(printed).toContain('"event":"stopped","cut":0');
      // The other relay alone carries all of them on; nobody came back to the one that stops.
      await haveMore();
      readers.forEach(({ opened }, index) => expect(opened - (openedBefore[index] ?? 0)).toBeLessThanOrEqual(1));
      await pair.run(which);
      await haveMore();
    }
    clearInterval(speaking);
    for (const transcript of worker.transcripts) worker.close(transcript);
    for (const caller of callers) await caller.end();

    const statuses = callers.flatMap((caller) => caller.statuses);
    expect(statuses.length).toBeGreaterThan(readerCount * 20);
    expect(statuses.filter((status) => status !== 200 && status !== 202)).toEqual([]);
    expect(readers.flatMap((reader) => reader.failures)).toEqual([]);
    for (const [index, { start }] of signedIn.entries()) {
      const { frames } = worker.transcriptOf(start.turnId);
      // A client that waits for more asks for what is stored, as it does after each new live response.
      await until(async () => {
        if (readers[index]?.frames.size === frames.length) return true;
        await readers[index]?.fetchMissed();
        await sleep(200);
        return false;
      });
      const read = frames.map((frame, number) => readers[index]?.frames.get(number)?.equals(frame));
      expect(read.every(Boolean)).toBe(true);
    }
  });
});
