import {
  decodeEntryBundle,
  decodeTile,
  maximumBundleLength,
  maximumTileLength,
  tilePath,
  widthAt,
} from '../../crypto/evidence/modal/log-tiles.ts';
import { type Bytes, concat, decodeUtf8 } from '../../crypto/protocol/bytes/bytes.ts';

const timeoutMs = 20_000;
const maximumTries = 4;

/** The log could not be read, which says nothing about what is in it. */
export class UnreadableLog extends Error {
  override readonly name = 'UnreadableLog';
}

/** The log serves something other than its checkpoint says: its keeper has an account to give. */
export class DishonestLog extends Error {
  override readonly name = 'DishonestLog';
}

/** Fetches what a log serves (C2SP tlog-tiles), within limits. */
export class LogReader {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  async checkpoint(): Promise<string> {
    const bytes = await this.#fetch('/checkpoint', 4096);
    try {
      return decodeUtf8(bytes);
    } catch {
      throw new DishonestLog('The checkpoint is not text.');
    }
  }

  /** Hashes of one tile of the tree of this size. */
  async tile(level: number, place: number, size: number): Promise<readonly Bytes[]> {
    const width = widthAt(size, { level, place });
    const bytes = await this.#fetch(tilePath({ level, place, width }), maximumTileLength);
    const hashes = decodeTile(bytes);
    if (hashes?.length !== width) throw new DishonestLog('A tile has another length than its path says.');
    return hashes;
  }

  /** Entries of one bundle of the log of this size. */
  async entries(place: number, size: number): Promise<readonly Bytes[]> {
    const width = widthAt(size, { level: 'entries', place });
    const bytes = await this.#fetch(tilePath({ level: 'entries', place, width }), maximumBundleLength);
    const entries = decodeEntryBundle(bytes);
    if (entries === null) throw new DishonestLog('A bundle of entries is cut off.');
    if (entries.length !== width) {
      throw new DishonestLog('A bundle holds another number of entries than its path says.');
    }
    return entries;
  }

  async #fetch(path: string, maximumLength: number): Promise<Bytes> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#try(path);
      if (answer.status === 200) return readBody(answer, maximumLength);
      await answer.body?.cancel();
      const waitS = Number(answer.headers.get('retry-after') ?? '1');
      // Our own hurry is not the log's fault.
      if (answer.status !== 429 || attempt === maximumTries || !(waitS <= 120)) {
        throw new UnreadableLog(`The log answers ${path} with status ${answer.status}.`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(1, waitS)));
    }
  }

  async #try(path: string): Promise<Response> {
    try {
      return await fetch(this.#url + path, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    } catch {
      throw new UnreadableLog(`The log does not answer ${path}.`);
    }
  }
}

async function readBody(answer: Response, maximumLength: number): Promise<Bytes> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      length += piece.length;
      if (length > maximumLength) throw new DishonestLog('The log answers with more than a tile can hold.');
      pieces.push(piece);
    }
  } catch (error) {
    throw error instanceof DishonestLog ? error : new UnreadableLog('The log breaks off its answer.');
  }
  return concat(...pieces);
}
