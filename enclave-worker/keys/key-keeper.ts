import { Worker } from 'node:worker_threads';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type {
  KeyAnswer,
  KeyOrder,
  KeysReady,
  OpenAnswer,
  OpenOrder,
  PossessionOrder,
  SignedPossession,
  SignedStatement,
  StatementOrder,
} from './key-messages.ts';

/** The face of the thread that keeps the keys: this side never sees one. */
export class KeyKeeper {
  readonly identityPublicKey: Bytes;
  readonly #thread: Worker;
  readonly #waiting = new Map<number, (answer: KeyAnswer['answer']) => void>();
  #lastId = 0;

  private constructor(thread: Worker, identityPublicKey: Bytes) {
    this.#thread = thread;
    this.identityPublicKey = identityPublicKey;
    thread.on('message', ({ id, answer }: KeyAnswer) => {
      const resolve = this.#waiting.get(id);
      this.#waiting.delete(id);
      resolve?.(answer);
    });
  }

  /**
   * @param onLost - The thread ended, and the keys with it: nothing that was sealed to them can be opened any more.
   */
  static async start(onLost: () => void): Promise<KeyKeeper> {
    // The bundle is one file, and this module the main one in it: its thread starts from the same file.
    const file = import.meta.main ? new URL(import.meta.url) : new URL('./key-thread.ts', import.meta.url);
    const thread = new Worker(file, {
      name: 'keys',
      // The launcher's settings are none of its business.
      env: {},
    });
    const { identityPublicKey } = await new Promise<KeysReady>((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
    });
    const keeper = new KeyKeeper(thread, identityPublicKey);
    thread.on('error', onLost);
    thread.once('exit', (code) => {
      if (code !== 0) onLost();
    });
    return keeper;
  }

  /** @param order.body - Handed over: the caller's copy is empty afterwards. */
  open(order: Omit<OpenOrder, 'type' | 'id'>): Promise<OpenAnswer> {
    return this.#ask({ ...order, type: 'open', id: this.#nextId() }, [order.body.buffer]) as Promise<OpenAnswer>;
  }

  sign(order: Omit<StatementOrder, 'type' | 'id'>): Promise<SignedStatement> {
    return this.#ask({ ...order, type: 'statement', id: this.#nextId() }, []) as Promise<SignedStatement>;
  }

  /** @returns the signature (64) that a registrar asked for. */
  async signPossession(order: Omit<PossessionOrder, 'type' | 'id'>): Promise<Bytes> {
    const answer = await this.#ask({ ...order, type: 'possession', id: this.#nextId() }, []);
    return (answer as SignedPossession).signature;
  }

  /** How many calls the thread has before it. */
  get pending(): number {
    return this.#waiting.size;
  }

  async stop(): Promise<void> {
    this.#thread.removeAllListeners('exit');
    await this.#thread.terminate();
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #ask(order: KeyOrder, transferred: readonly ArrayBuffer[]): Promise<KeyAnswer['answer']> {
    return new Promise((resolve) => {
      this.#waiting.set(order.id, resolve);
      this.#thread.postMessage(order, [...transferred]);
    });
  }
}
