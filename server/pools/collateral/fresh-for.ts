/** Documents with a date of their own are asked for again shortly before it, and after a day at the latest. */
export const dayMs = 24 * 3_600_000;
/** Certificates of a chip at one firmware never change. */
export const unchangingMs = 30 * dayMs;
const marginMs = 10 * 60_000;
const leastMs = 60_000;

/** How long a document may be kept that is due at this time; null when it says no time. */
export function freshForMs(nextUpdateMs: number | null, nowMs: number): number {
  if (nextUpdateMs === null || Number.isNaN(nextUpdateMs)) return dayMs;
  return Math.max(leastMs, Math.min(dayMs, nextUpdateMs - marginMs - nowMs));
}

const sequenceTag = 0x30;
const integerTag = 0x02;
const utcTimeTag = 0x17;
const generalizedTimeTag = 0x18;

/**
 * Reads `nextUpdate` of a certificate revocation list (RFC 5280, section 5.1) for keeping it no longer than that. Nothing
 * is trusted for it: whoever verifies the list reads it anew.
 *
 * @returns null when there is none, or this is no such list.
 */
export function readNextUpdateMs(list: Uint8Array): number | null {
  const outer = readElement(list, 0);
  const inner = outer?.tag === sequenceTag ? readElement(list, outer.start) : null;
  if (inner?.tag !== sequenceTag) return null;
  let at = inner.start;
  const times: number[] = [];
  // version?, signature, issuer, thisUpdate, nextUpdate?, …
  for (let count = 0; count < 5 && at < inner.end && times.length < 2; count++) {
    const element = readElement(list, at);
    if (element === null || ![integerTag, sequenceTag, utcTimeTag, generalizedTimeTag].includes(element.tag)) break;
    const time = readTimeMs(element.tag, Buffer.from(list.subarray(element.start, element.end)).toString('latin1'));
    if (time !== null) times.push(time);
    at = element.end;
  }
  return times[1] ?? null;
}

type Element = { readonly tag: number; readonly start: number; readonly end: number };

function readElement(bytes: Uint8Array, at: number): Element | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 3) return null;
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const start = at + 2 + lengthBytes;
  return start + length <= bytes.length ? { tag, start, end: start + length } : null;
}

function readTimeMs(tag: number, text: string): number | null {
  if (tag !== utcTimeTag && tag !== generalizedTimeTag) return null;
  const digits = tag === utcTimeTag ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
