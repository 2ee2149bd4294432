import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wiretap between browser and relay: passes every byte on, keeps a copy, and can be cut like a cable. */
export interface RecordingProxy {
  readonly url: string;
  /** All that clients sent and all that they were sent, a buffer for each connection and direction. */
  recorded(): { readonly requests: readonly Buffer[]; readonly responses: readonly Buffer[] };
  /** Breaks every connection and every new one until `mend()`. Playwright's own offline mode leaves Workers online. */
  cut(): void;
  mend(): void;
  /** Leads new connections to another port. */
  leadTo(port: number): void;
  stop(): Promise<void>;
}

export async function startRecordingProxy(targetPort: number): Promise<RecordingProxy> {
  const requests: Buffer[][] = [];
  const responses: Buffer[][] = [];
  const sockets = new Set<Socket>();
  let target = targetPort;
  let isCut = false;
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const relay = connect(target, '127.0.0.1');
    for (const [from, to, copies] of [
      [client, relay, requests],
      [relay, client, responses],
    ] as const) {
      const copy: Buffer[] = [];
      copies.push(copy);
      sockets.add(from);
      from.on('data', (piece: Buffer) => {
        copy.push(piece);
        to.write(piece);
      });
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('error', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    recorded: () => ({
      requests: requests.map((pieces) => Buffer.concat(pieces)),
      responses: responses.map((pieces) => Buffer.concat(pieces)),
    }),
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    leadTo(port) {
      target = port;
    },
    async stop() {
      breakAll();
      server.close();
      await once(server, 'close');
    },
  };
}
