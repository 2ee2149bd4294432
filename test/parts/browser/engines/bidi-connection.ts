type Answer = {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
};

/** A connection to a browser that speaks WebDriver BiDi (W3C): numbered commands and their answers over one WebSocket. */
export class BidiConnection {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
    socket.addEventListener('close', () => {
      for (const settle of this.#waiting.values()) settle({ type: 'error', error: 'the browser has ended' });
    });
  }

  /** @param address - Of the browser's own WebSocket. */
  static async open(address: string): Promise<BidiConnection> {
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`Nothing answers at ${address}.`)));
    });
    return new BidiConnection(socket);
  }

  /** @throws {Error} with the browser's own words. */
  async call(method: string, params: object = {}): Promise<unknown> {
    this.#last += 1;
    const id = this.#last;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { type, result, error = '', message = '' } = await answered;
    this.#waiting.delete(id);
    if (type === 'error') throw new Error(`${method}: ${error} ${message}`);
    return result;
  }

  close(): void {
    this.#socket.close();
  }
}
