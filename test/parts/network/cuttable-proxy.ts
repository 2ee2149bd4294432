import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network between a client and a server on loopback that a test can cut and mend. */
export class CuttableProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Accepts nothing: every connection ends at once. */
  isDown = false;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      near.on('error', () => undefined);
      if (this.isDown) return void near.destroy();
      const far = connect(targetPort, '127.0.0.1');
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      const end = (): void => {
        for (const socket of pair) socket.destroy();
        this.#pairs.delete(pair);
      };
      for (const socket of pair) {
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.on('close', end);
      }
      near.pipe(far);
      far.pipe(near);
    });
  }

  static async start(targetPort: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks the connections that `isChosen` names. */
  cut(isChosen: () => boolean = () => true): void {
    for (const pair of this.#pairs) if (isChosen()) for (const socket of pair) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDown = true;
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
