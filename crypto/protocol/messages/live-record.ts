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

const prefixLength = 4;
const fixedLength = 1 + 16 + 16 + 4;
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
  bytes[4] = liveRecordKinds[kind];
  bytes.set(turnId, 5);
  bytes.set(transcriptId, 21);
  view.setUint32(37, number);
  bytes.set(body, 41);
  return bytes;
}

const kindsByByte = new Map<number, LiveRecordKind>(
  (Object.keys(liveRecordKinds) as LiveRecordKind[]).map((kind) => [liveRecordKinds[kind], kind]),
);

/** @param bytes - one record behind its length field. @throws {CryptoError} `malformed`. */
export function decodeLiveRecord(bytes: Uint8Array): LiveRecord {
  const kind = kindsByByte.get(bytes[0] ?? 0);
  if (kind === undefined || bytes.length < fixedLength) throw new CryptoError('malformed');
  return {
    kind,
    turnId: new Uint8Array(bytes.subarray(1, 17)),
    transcriptId: new Uint8Array(bytes.subarray(17, 33)),
    number: readUint32(bytes, 33),
    body: new Uint8Array(bytes.subarray(37)),
  };
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
