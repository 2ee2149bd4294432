import { type LiveRecordKind, liveRecordKinds } from '../../crypto/protocol/messages/live-record.ts';
import { type Bytes, readUint32 } from '../../crypto/protocol/bytes/bytes.ts';
import { asBytes } from '../api/route/wire-bytes.ts';

/*
 * Reads fields of a live record where they lie (SPEC.md §10): a thousand turns send ten thousand records a second, and
 * decoding would copy each one's body. Offsets count from the record's length field.
 */

const turnIdOffset = 5;
const transcriptIdOffset = 21;
const numberOffset = 37;
const bodyOffset = 41;

function bufferOf(record: Uint8Array): Buffer {
  return Buffer.isBuffer(record) ? record : Buffer.from(record.buffer, record.byteOffset, record.length);
}

export function isKind(record: Uint8Array, kind: LiveRecordKind): boolean {
  return record[4] === liveRecordKinds[kind];
}

/** Sixteen bytes as a map key: one character a byte, which Node makes without a loop. */
export function idKey(id: Uint8Array): string {
  return bufferOf(id).toString('latin1', 0, 16);
}

export function idOfKey(key: string): Bytes {
  return asBytes(Buffer.from(key, 'latin1'));
}

export function turnKeyOf(record: Uint8Array): string {
  return bufferOf(record).toString('latin1', turnIdOffset, transcriptIdOffset);
}

export function transcriptKeyOf(record: Uint8Array): string {
  return bufferOf(record).toString('latin1', transcriptIdOffset, numberOffset);
}

export function numberOf(record: Uint8Array): number {
  return readUint32(record, numberOffset);
}

export function bodyOf(record: Uint8Array): Bytes {
  return record.subarray(bodyOffset) as Bytes;
}
