import type { LiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { type RelayCallCode, RelayCallError } from '../../relay/http/relay-call-error.ts';
import type { BodyPart } from '../../relay/http/bounded-body.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import { type Clock, wait } from '../../surroundings/clock.ts';
import { readRecords } from './live-records.ts';
import type { ReplyGrowth, ReplyReader } from './reply-reader.ts';

const firstRefetchMs = 300;

export type FetcherSurroundings = {
  readonly relay: Pick<RelayClient, 'readFrames'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The relay answered; `growth` null: nothing that a person could see came of it. */
  readonly onFetched: (reader: ReplyReader, growth: ReplyGrowth | null) => void;
};

/** The place after which frames are missing: in one transcript, or in all. */
type Place = { readonly after: number; readonly transcriptId: string | null };

/** Fetches frames that did not come live. */
export class FrameFetcher {
  readonly #surroundings: FetcherSurroundings;
  readonly #fetching = new WeakSet<ReplyReader>();

  constructor(surroundings: FetcherSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Asks for what is missing until it is here or was asked for in vain too often. */
  async fetchMissing(reader: ReplyReader): Promise<void> {
    const { clock, signal } = this.#surroundings;
    if (this.#fetching.has(reader)) return;
    this.#fetching.add(reader);
    try {
      for (let round = 0; !signal.aborted; round++) {
        const { missing } = reader;
        if (missing === null) return;
        if (round > 0) await wait(clock, firstRefetchMs * 2 ** Math.min(round, 6), signal);
        const failure = await this.fetch(reader, missing);
        // Without an answer there is nothing to be concluded; the next live record or connection begins again.
        if (failure !== null && failure !== 'not-found') return;
      }
    } finally {
      this.#fetching.delete(reader);
    }
  }

  /** @returns why the relay gave nothing; null when it answered. */
  async fetch(reader: ReplyReader, part: Place): Promise<RelayCallCode | null> {
    const { relay, onFetched, signal } = this.#surroundings;
    const { turnId } = reader;
    const before = reader.progress;
    let grown: ReplyGrowth | null = null;
    for (let place: Place | null = part; place !== null;) {
      const soFar = reader.progress;
      let answer: BodyPart;
      try {
        answer = await relay.readFrames(turnId, place.after, place.transcriptId);
      } catch (error) {
        const code = error instanceof RelayCallError ? error.code : 'relay-unreachable';
        // It holds nothing of this turn any more: that is an answer too, and it does not bring what is missing.
        if (code === 'not-found') onFetched(reader, joined(grown, reader.noteFetch(false)));
        else if (grown !== null) onFetched(reader, grown);
        return code;
      }
      const records = readRecords(answer.bytes).filter((record) => toBase64Url(record.turnId) === turnId);
      for (const record of records) grown = joined(grown, reader.take(record));
      // Only frames that open lead on: a relay that sends for ever is left.
      const goesOn = answer.isCut && reader.progress !== soFar && !signal.aborted;
      place = goesOn ? placeBehind(records) : null;
    }
    onFetched(reader, joined(grown, reader.noteFetch(reader.progress !== before || reader.missing === null)));
    return null;
  }
}

/** The place behind the last frame of a part that was cut; null where it has none. */
function placeBehind(records: readonly LiveRecord[]): Place | null {
  const last = records.findLast(({ kind }) => kind === 'frame');
  return last === undefined ? null : { after: last.number, transcriptId: toBase64Url(last.transcriptId) };
}

function joined(growth: ReplyGrowth | null, more: ReplyGrowth | null): ReplyGrowth | null {
  if (growth === null || more === null) return growth ?? more;
  return {
    text: more.replaced ? more.text : growth.text + more.text,
    reasoning: more.replaced ? more.reasoning : growth.reasoning + more.reasoning,
    replaced: growth.replaced || more.replaced,
    stateChanged: growth.stateChanged || more.stateChanged,
  };
}
