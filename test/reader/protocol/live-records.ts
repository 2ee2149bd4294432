import { Fields, join, u32, u8, type Bytes } from './conventions.ts';
import { refuse } from './refusal.ts';

/** Byte of SPEC.md §10.1 = place in this list + 1. */
export const liveRecordKinds = ['header', 'frame', 'closed', 'heartbeat', 'newer', 'stream', 'started'] as const;
export type LiveRecordKind = (typeof liveRecordKinds)[number];
export type LiveRecord = {
  kind: LiveRecordKind;
  turnId: Bytes;
  transcriptId: Bytes;
  number: number;
  body: Bytes;
};

const shortest = 37;
const longest = 16_437;

export const writeLiveRecord = ({ kind, turnId, transcriptId, number, body }: LiveRecord): Bytes =>
  join(u32(shortest + body.length), u8(liveRecordKinds.indexOf(kind) + 1), turnId, transcriptId, u32(number), body);

/** Reads whole records from the front of a response and gives what is left of it. */
export function readLiveRecords(response: Bytes): { records: LiveRecord[]; rest: Bytes } {
  const records: LiveRecord[] = [];
  let rest = response;
  while (rest.length >= 4) {
    const length = new Fields(rest.slice(0, 4)).integer(4);
    if (length < shortest || length > longest) refuse('malformed');
    if (rest.length < 4 + length) break;
    records.push(readRecord(rest.slice(4, 4 + length)));
    rest = rest.slice(4 + length);
  }
  return { records, rest };
}

function readRecord(bytes: Bytes): LiveRecord {
  const fields = new Fields(bytes);
  return {
    kind: liveRecordKinds[fields.integer(1) - 1] ?? refuse('malformed'),
    turnId: fields.bytes(16),
    transcriptId: fields.bytes(16),
    number: fields.integer(4),
    body: fields.rest(),
  };
}
