import { type Bytes, readUint32 } from '../bytes/bytes.ts';
import { CryptoError } from '../bytes/errors.ts';

/** Kinds of record on a live response, worker to relay and relay to client (SPEC.md §10). */
export const liveRecordKinds = {
  /** Body: the transcript header (99) and the hash of the request that it answers (32), number 0. */
  header: 1,
  /** Body: one sealed frame; number is the frame's. */
  frame: 2,
  /** The enclave sends nothing more of this transcript. Body: one byte of `closeReasons`. */
  closed: 3,
  /** So that silence shows a dead connection: every 5 s from the worker, every 15 s from the relay. Ids are zero, no body. */
  heartbeat: 4,
  /** The vault has a newer head. Relay to client only; ids are zero, the body is empty. */
  newer: 5,
  /** First record of a worker's response. Body: the stream id (16) that calls name to be answered here. */
  stream: 6,
  /** A turn of this account was accepted; relay to client only, so that other devices ask for it. */
  started: 7,
} as const;
export type LiveRecordKind = keyof typeof liveRecordKinds;

/** Why nothing more comes. `final`: the FINAL frame was sent. `gone`: no longer held. `lost`: the relay cannot reach the enclave. */
export const closeReasons = { final: 1, gone: 2, lost: 3 } as const;
export type CloseReason = keyof typeof closeReasons;

/** @returns null for a byte that stands for no reason. */
export function closeReasonOf(byte: number | undefined): CloseReason | null {
  for (const name of ['final', 'gone', 'lost'] as const) if (closeReasons[name] === byte) return name;
  return null;
}

/** The length field, which counts what follows it. */
const prefixLength = 4;
const turnIdOffset = prefixLength + 1;
const transcriptIdOffset = turnIdOffset + 16;
const numberOffset = transcriptIdOffset + 16;
const bodyOffset = numberOffset + 4;
const fixedLength = bodyOffset - prefixLength;
/** The length of a record beside its body. */
export const liveRecordOverhead = bodyOffset;
/** Body of a `stream` record. */
export const streamIdLength = 16;
/** Longest record behind its length field: a `bulk` frame. */
export const maximumLiveRecordLength = fixedLength + 16_384 + 16;

export type LiveRecord = {
  readonly kind: LiveRecordKind;
  readonly turnId: Bytes;
  /** First 16 bytes of the reply salt: tells the transcripts of one turn apart. */
  readonly transcriptId: Bytes;
  readonly number: number;
  readonly body: Bytes;
};

const zeroId: Bytes = new Uint8Array(16);
const empty: Bytes = new Uint8Array(0);

/** @returns `length (4) || kind (1) || turn id (16) || transcript id (16) || number (4) || body`; length counts what follows it. */
export function encodeLiveRecord(record: Partial<LiveRecord> & { readonly kind: LiveRecordKind }): Bytes {
  const { kind, turnId = zeroId, transcriptId = zeroId, number = 0, body = empty } = record;
  const length = fixedLength + body.length;
  if (turnId.length !== 16 || transcriptId.length !== 16 || length > maximumLiveRecordLength) {
    throw new CryptoError('invalid-argument');
  }
  const bytes = new Uint8Array(prefixLength + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  bytes[prefixLength] = liveRecordKinds[kind];
  bytes.set(turnId, turnIdOffset);
  bytes.set(transcriptId, transcriptIdOffset);
  view.setUint32(numberOffset, number);
  bytes.set(body, bodyOffset);
  return bytes;
}

const kindsByByte = new Map<number, LiveRecordKind>(
  (Object.keys(liveRecordKinds) as LiveRecordKind[]).map((kind) => [liveRecordKinds[kind], kind]),
);

/** @param record - with its length field, as the splitter gives it. @throws {CryptoError} `malformed`. */
export function decodeLiveRecord(record: Uint8Array): LiveRecord {
  const kind = recordKind(record);
  if (kind === null || record.length < prefixLength + fixedLength) throw new CryptoError('malformed');
  return {
    kind,
    turnId: new Uint8Array(recordTurnId(record)),
    transcriptId: new Uint8Array(recordTranscriptId(record)),
    number: recordNumber(record),
    body: new Uint8Array(recordBody(record)),
  };
}

/*
 * Fields of a record where they lie: a thousand turns send a relay ten thousand records a second, and decoding would copy
 * each one's body.
 */

/** @returns null for a kind that this version does not know. */
export function recordKind(record: Uint8Array): LiveRecordKind | null {
  return kindsByByte.get(record[prefixLength] ?? 0) ?? null;
}

export function recordTurnId(record: Uint8Array): Uint8Array {
  return record.subarray(turnIdOffset, transcriptIdOffset);
}

export function recordTranscriptId(record: Uint8Array): Uint8Array {
  return record.subarray(transcriptIdOffset, numberOffset);
}

export function recordNumber(record: Uint8Array): number {
  return readUint32(record, numberOffset);
}

export function recordBody(record: Uint8Array): Bytes {
  return record.subarray(bodyOffset) as Bytes;
}

/** Cuts a byte stream into records, whatever the pieces it arrives in. */
export class LiveRecordSplitter {
  #pending: Uint8Array = empty;

  /**
   * @returns the records completed by this piece, each with its length field, as views that stay valid.
   * @throws {CryptoError} `malformed` for a length that no record has.
   */
  push(piece: Uint8Array): Uint8Array[] {
    let bytes = piece;
    if (this.#pending.length > 0) {
      bytes = new Uint8Array(this.#pending.length + piece.length);
      bytes.set(this.#pending);
      bytes.set(piece, this.#pending.length);
    }
    const records: Uint8Array[] = [];
    let offset = 0;
    while (bytes.length - offset >= prefixLength) {
      const length = readUint32(bytes, offset);
      if (length < fixedLength || length > maximumLiveRecordLength) throw new CryptoError('malformed');
      const end = offset + prefixLength + length;
      if (end > bytes.length) break;
      records.push(bytes.subarray(offset, end));
      offset = end;
    }
    // A copy, so that one unfinished record does not keep a whole piece alive (`slice` of a Buffer copies nothing).
    this.#pending = new Uint8Array(bytes.subarray(offset));
    return records;
  }
}
