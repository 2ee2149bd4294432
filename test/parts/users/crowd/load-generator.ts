import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { liveRecordOverhead, recordKind, recordNumber } from '../../../../crypto/protocol/messages/live-record.ts';

/*
 * Browsers as the relay sees them, on bare sockets: one live response each, a turn each, and for every frame how long it
 * took from the worker's socket to this one. Settings come as a message, reports go back as messages.
 */

export type LoadSettings = {
  readonly port: number;
  /** The relay's certificate, where it speaks TLS. */
  readonly ca?: string | undefined;
  readonly browsers: readonly { readonly accessToken: string; readonly turnStart: string }[];
  /** How many turns begin a second. */
  readonly turnsPerSecond: number;
};
export type LoadReport = {
  readonly frames: number;
  readonly seconds: number;
  /** Milliseconds from worker to browser, a sample of at most 200,000. */
  readonly delays: readonly number[];
  readonly slowest: number;
  /** Most milliseconds between two frames of one turn. */
  readonly longestPause: number;
  readonly missing: number;
};

/** A record with a frame of the class `chat`. */
const frameRecordLength = liveRecordOverhead + 272;
const clock = () => performance.timeOrigin + performance.now();

let frames = 0;
let missing = 0;
let slowest = 0;
let longestPause = 0;
let delays: number[] = [];
let countedSince = clock();

function resetCounts(): void {
  frames = missing = slowest = longestPause = 0;
  delays = [];
  countedSince = clock();
}

/** Each browser from an address of its own (all of 127.0.0.0/8 is this machine): limits count by address. */
function addressOf(index: number): string {
  return `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

function dial(index: number, { ca, port }: Pick<LoadSettings, 'ca' | 'port'>): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(index) });
  return ca === undefined ? socket : connectTls({ socket, ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
}

class Browser {
  #pending: Buffer = Buffer.alloc(0);
  #bodyBegan = false;
  #next = -1;
  #arrivedAtMs = 0;
  readonly standing: Promise<void>;

  constructor(index: number, settings: LoadSettings, accessToken: string) {
    const live = dial(index, settings);
    live.setNoDelay(true);
    live.write(
      `GET /v1/live HTTP/1.1\r\nhost: localhost:${settings.port}\r\nauthorization: Bearer ${accessToken}\r\n\r\n`,
    );
    this.standing = new Promise((resolve, reject) => {
      live.on('data', (piece: Buffer) => {
        this.#take(piece);
        if (this.#bodyBegan) resolve();
      });
      live.on('error', reject);
      live.on('close', () => reject(new Error('The relay ended a live response.')));
    });
  }

  #take(piece: Buffer): void {
    this.#pending = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    if (!this.#bodyBegan) {
      const end = this.#pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const line = this.#pending.subarray(0, 12).toString('latin1');
      if (line !== 'HTTP/1.1 200') throw new Error(`The relay answered ${line} to a live request.`);
      this.#pending = this.#pending.subarray(end + 4);
      this.#bodyBegan = true;
    }
    let start = 0;
    while (this.#pending.length >= start + 4) {
      const end = start + 4 + this.#pending.readUInt32BE(start);
      if (end > this.#pending.length) break;
      this.#takeRecord(this.#pending.subarray(start, end));
      start = end;
    }
    this.#pending = this.#pending.subarray(start);
  }

  #takeRecord(record: Buffer): void {
    if (record.length !== frameRecordLength || recordKind(record) !== 'frame') return;
    const nowMs = clock();
    const number = recordNumber(record);
    if (this.#next >= 0 && number !== this.#next) missing += 1;
    this.#next = number + 1;
    const delay = nowMs - record.readDoubleBE(liveRecordOverhead);
    frames += 1;
    if (delay > slowest) slowest = delay;
    if (this.#arrivedAtMs > countedSince && nowMs - this.#arrivedAtMs > longestPause) {
      longestPause = nowMs - this.#arrivedAtMs;
    }
    this.#arrivedAtMs = nowMs;
    if (delays.length < 200_000) delays.push(delay);
  }
}

function startTurn(index: number, settings: LoadSettings): Promise<void> {
  const browser = settings.browsers[index];
  const body = browser?.turnStart ?? '';
  const socket = dial(index, settings);
  socket.write(
    `POST /v1/turns HTTP/1.1\r\nhost: localhost:${settings.port}\r\nauthorization: Bearer ${browser?.accessToken ?? ''}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  return new Promise((resolve, reject) => {
    socket.once('data', (piece: Buffer) => {
      const line = piece.subarray(0, 12).toString('latin1');
      if (line === 'HTTP/1.1 202') resolve();
      else reject(new Error(`The relay answered ${piece.toString('latin1').slice(0, 400)} to a turn.`));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function begin(settings: LoadSettings): Promise<void> {
  const browsers: Browser[] = [];
  for (const [index, { accessToken }] of settings.browsers.entries()) {
    browsers.push(new Browser(index, settings, accessToken));
    if (index % 50 === 49) await browsers.at(-1)?.standing;
  }
  await Promise.all(browsers.map((browser) => browser.standing));
  process.send?.({ connected: true });
  const startedAt = clock();
  const started: Promise<void>[] = [];
  for (const index of settings.browsers.keys()) {
    const waitMs = startedAt + (index * 1000) / settings.turnsPerSecond - clock();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    started.push(startTurn(index, settings));
  }
  await Promise.all(started);
  process.send?.({ started: true });
}

process.on(
  'message',
  (message: { readonly settings?: LoadSettings; readonly reset?: true; readonly report?: true }) => {
    if (message.settings !== undefined) {
      begin(message.settings).catch((error: unknown) => {
        process.send?.({ failed: String(error) });
      });
    }
    if (message.reset === true) resetCounts();
    if (message.report === true) {
      const seconds = (clock() - countedSince) / 1000;
      process.send?.({ frames, seconds, delays, slowest, longestPause, missing } satisfies LoadReport);
    }
  },
);
process.on('disconnect', () => process.exit(0));
