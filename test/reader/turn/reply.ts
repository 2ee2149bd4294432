import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import {
  Fields,
  hkdf,
  isEqual,
  join,
  lp,
  readVersionAndSuite,
  sha256,
  u32,
  u8,
  zeros,
} from '../protocol/conventions.ts';
import type { Bytes } from '../protocol/conventions.ts';
import { Refusal, refuse } from '../protocol/refusal.ts';
import { RecordReader } from './reply-records.ts';
import { frameClasses, type FrameClass } from './request.ts';

const plaintextLengths: Readonly<Record<FrameClass, number>> = { chat: 256, fast: 1024, bulk: 16_384 };
const rungs: Readonly<Record<FrameClass, readonly number[]>> = {
  chat: [32, 64, 128, 256, 512, 1024],
  fast: [32, 64, 128, 256, 512, 1024],
  bulk: [2, 4, 8, 16, 32, 64],
};

/** A turn as both sides know it. */
export type Turn = { turnKey: Bytes; turnId: Bytes; requestHash: Bytes };
export type TranscriptHeader = { frameClass: FrameClass; keyId: Bytes; salt: Bytes };

const classByte = (frameClass: FrameClass): Bytes => u8(frameClasses.indexOf(frameClass) + 1);

export const stopToken = ({ turnKey, turnId }: Pick<Turn, 'turnKey' | 'turnId'>): Bytes =>
  hkdf(turnKey, lp('sotto/v1/stop', turnId), 32);

/** Frames in all for `needed` ones, FINAL counted (SPEC.md §8.4). */
export function transcriptLength(frameClass: FrameClass, needed: number): number {
  const step = rungs[frameClass].at(-1) ?? 0;
  return rungs[frameClass].find((rung) => rung >= needed) ?? Math.ceil(needed / step) * step;
}

function deriveReply(turn: Turn, { frameClass, keyId, salt }: TranscriptHeader): { key: Bytes; header: Bytes } {
  const info = lp('sotto/v1/reply', classByte(frameClass), turn.turnId, keyId, turn.requestHash);
  const okm = hkdf(turn.turnKey, info, 64, salt);
  const header = join(Uint8Array.of(1, 1), classByte(frameClass), keyId, salt, okm.slice(32));
  return { key: okm.slice(0, 32), header };
}

/** `n (11, big-endian) || flag` (SPEC.md §8.2). */
const nonceOf = (number: number, flag: 0 | 1): Bytes => join(zeros(7), u32(number), u8(flag));

function sealFrame(key: Bytes, frameClass: FrameClass, number: number, flag: 0 | 1, content: Bytes): Bytes {
  const filled = join(u32(content.length).slice(2), content);
  const plaintext = join(filled, zeros(plaintextLengths[frameClass] - filled.length));
  return chacha20poly1305(key, nonceOf(number, flag)).encrypt(plaintext);
}

/** A whole transcript of these records: as much in each frame as fits, dummies, FINAL. */
export function sealReply(turn: Turn, start: TranscriptHeader, records: Bytes): { header: Bytes; frames: Bytes[] } {
  const { key, header } = deriveReply(turn, start);
  const capacity = plaintextLengths[start.frameClass] - 2;
  const filled = Math.ceil(records.length / capacity);
  const count = transcriptLength(start.frameClass, filled + 1) - 1;
  const frames = Array.from({ length: count }, (_, number) =>
    sealFrame(key, start.frameClass, number, 0, records.slice(number * capacity, (number + 1) * capacity)),
  );
  const final = join(u32(count), sha256(header, ...frames));
  return { header, frames: [...frames, sealFrame(key, start.frameClass, count, 1, final)] };
}

/** Opens a transcript frame by frame, strictly in order (SPEC.md §8). */
export class ReplyReader {
  readonly start: TranscriptHeader;
  readonly records = new RecordReader();
  readonly #key: Bytes;
  readonly #opened: Bytes[];
  #hasEnded = false;
  isFinal = false;

  constructor(turn: Turn, header: Bytes) {
    const fields = new Fields(header);
    readVersionAndSuite(fields);
    if (header.length !== 99) refuse('malformed');
    const frameClass = frameClasses[fields.integer(1) - 1] ?? refuse('malformed');
    this.start = { frameClass, keyId: fields.bytes(32), salt: fields.bytes(32) };
    const derived = deriveReply(turn, this.start);
    if (!isEqual(derived.header.slice(67), fields.rest())) refuse('open-failed');
    this.#key = derived.key;
    this.#opened = [header];
  }

  /** Gives the frame's content; empty for a dummy. */
  add(number: number, frame: Bytes): Bytes {
    if (this.#hasEnded) refuse('stream-ended');
    if (number !== this.#opened.length - 1) refuse('out-of-order');
    if (frame.length !== plaintextLengths[this.start.frameClass] + 16) refuse('open-failed');
    const regular = this.#open(number, 0, frame);
    const plaintext = regular ?? this.#open(number, 1, frame) ?? refuse('open-failed');
    try {
      return this.#take(plaintext, frame, regular === null);
    } catch (error) {
      if (error instanceof Refusal) this.#hasEnded = true;
      throw error;
    }
  }

  transcriptHash(): Bytes {
    return sha256(...this.#opened);
  }

  #open(number: number, flag: 0 | 1, frame: Bytes): Bytes | null {
    try {
      return chacha20poly1305(this.#key, nonceOf(number, flag)).decrypt(frame);
    } catch {
      return null;
    }
  }

  #take(plaintext: Bytes, frame: Bytes, isFinal: boolean): Bytes {
    const fields = new Fields(plaintext);
    const content = fields.bytes(fields.integer(2));
    if (fields.rest().some((byte) => byte !== 0)) refuse('malformed');
    if (isFinal) {
      const expected = join(u32(this.#opened.length - 1), this.transcriptHash());
      if (this.records.end === null || !isEqual(content, expected)) refuse('malformed');
      this.isFinal = true;
      this.#hasEnded = true;
    } else {
      this.records.add(content);
    }
    this.#opened.push(frame);
    return content;
  }
}
