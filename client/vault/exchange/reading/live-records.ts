import {
  decodeLiveRecord,
  type LiveRecord,
  LiveRecordSplitter,
} from '../../../../crypto/protocol/messages/live-record.ts';
import type { Bytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { LiveFrames, type LiveDependencies } from '../../relay/live-frames.ts';

export type LiveListener = {
  /** Records of all turns of the account, as they come. */
  readonly onRecords: (records: readonly LiveRecord[]) => void;
  /** The stream stands (again): what came before is to be fetched. */
  readonly onUp: () => void;
};

/** A source of the account's live records. One that never says anything makes its listeners fetch. */
export type LiveSource = {
  /** @returns what ends it. */
  listen(listener: LiveListener): () => void;
};

/** One live response for many readers. It stands until its owner ends it: when a reader leaves must not show at the relay. */
export class LiveRecords implements LiveSource {
  readonly #frames: LiveFrames;
  readonly #listeners = new Set<LiveListener>();

  constructor(surroundings: Pick<LiveDependencies, 'client' | 'clock' | 'random' | 'network' | 'locks'>) {
    this.#frames = new LiveFrames({
      ...surroundings,
      onRecords: (bytes) => {
        const records = readRecords(bytes);
        for (const { onRecords } of this.#listeners) onRecords(records);
      },
      onUp: () => {
        for (const { onUp } of this.#listeners) onUp();
      },
      onStatus: () => undefined,
      onLate: () => undefined,
    });
  }

  /** Resolves when `end` was called or the session is over. */
  run(): Promise<void> {
    return this.#frames.run();
  }

  end(): void {
    this.#frames.end();
  }

  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** @returns whole records; none of bytes that no relay writes. A kind of a later relay says nothing to this build. */
export function readRecords(bytes: Bytes): LiveRecord[] {
  return (
    orNothing(() => new LiveRecordSplitter().push(bytes))?.flatMap(
      (record) => orNothing(() => decodeLiveRecord(record)) ?? [],
    ) ?? []
  );
}

function orNothing<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof CryptoError) return null;
    throw error;
  }
}
