import { Fields, join, u32, zeros, type Bytes } from './conventions.ts';
import { refuse } from './refusal.ts';

const KiB = 1024;
const longestContent = 16 * KiB * KiB - 4;
const steps = [1, 4, 16, 64, 256, 1024].map((count) => count * KiB);

/** `class(L)` of SPEC.md §2.3: six steps, then Padmé. */
export function sizeClass(length: number): number {
  const step = steps.find((each) => each >= length);
  if (step !== undefined) return step;
  const exponent = Math.floor(Math.log2(length));
  const mantissaBits = Math.floor(Math.log2(exponent)) + 1;
  const unit = 2 ** (exponent - mantissaBits);
  return Math.ceil(length / unit) * unit;
}

export function pad(content: Bytes): Bytes {
  if (content.length > longestContent) refuse('too-long');
  const length = 4 + content.length;
  return join(u32(content.length), content, zeros(sizeClass(length) - length));
}

/** There is one padding for one content; every other is refused (SPEC.md §2.3). */
export function unpad(padded: Bytes): Bytes {
  const fields = new Fields(padded);
  const length = fields.integer(4);
  if (length > longestContent || padded.length !== sizeClass(4 + length)) refuse('malformed');
  const content = fields.bytes(length);
  return fields.rest().every((byte) => byte === 0) ? content : refuse('malformed');
}
