import { VendorRefused } from './vendor-fetch.ts';

/** A document, and until when nobody needs to ask for it again. */
export type Dated<T> = { readonly value: T; readonly freshForMs: number };

type Entry =
  | { readonly kind: 'value'; readonly value: unknown; readonly untilMs: number }
  | { readonly kind: 'refused'; readonly error: VendorRefused; readonly untilMs: number };

const maximumEntries = 2_000;
/** A vendor that does not know a document will not know it in a minute either. */
const unknownForMs = 10 * 60_000;
const brokenForMs = 30_000;

/** Documents of vendors in the memory of one process: each is asked for once, however many clients wait for it. */
export class DocumentCache {
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, Promise<unknown>>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param key - Names the document; one key has one type.
   * @throws {VendorRefused} also for a while after the vendor refused.
   */
  async get<T>(key: string, load: () => Promise<Dated<T>>): Promise<T> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.untilMs > this.#now()) {
      if (entry.kind === 'refused') throw entry.error;
      return entry.value as T;
    }
    const flying = this.#flights.get(key) ?? this.#load(key, load);
    this.#flights.set(key, flying);
    return flying as Promise<T>;
  }

  async #load<T>(key: string, load: () => Promise<Dated<T>>): Promise<T> {
    try {
      const { value, freshForMs } = await load();
      this.#keep(key, { kind: 'value', value, untilMs: this.#now() + freshForMs });
      return value;
    } catch (error) {
      const refused = error instanceof VendorRefused ? error : new VendorRefused(null);
      this.#keep(key, { kind: 'refused', error: refused, untilMs: this.#now() + refusedForMs(refused) });
      throw refused;
    } finally {
      this.#flights.delete(key);
    }
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maximumEntries) break;
      this.#entries.delete(oldest);
    }
  }
}

function refusedForMs({ retryAfterSeconds, status }: VendorRefused): number {
  const usualMs = status === 404 || status === 400 ? unknownForMs : brokenForMs;
  return Math.min(unknownForMs, Math.max(usualMs, (retryAfterSeconds ?? 0) * 1000));
}
