/**
 * The relay reads this much of DER: enough to keep a document no longer than it says, and to name it. It believes none of it.
 */
export const tag = {
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  firstContext: 0xa0,
} as const;

export type Element = { readonly tag: number; readonly start: number; readonly end: number };

/** The element at this place; null where the bytes hold none. */
export function readElement(bytes: Uint8Array, at: number): Element | null {
  const first = bytes[at];
  const second = bytes[at + 1];
  if (first === undefined || second === undefined) return null;
  const lengthBytes = second < 0x80 ? 0 : second & 0x7f;
  if (lengthBytes > 3) return null;
  let length = lengthBytes === 0 ? second : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const start = at + 2 + lengthBytes;
  return start + length <= bytes.length ? { tag: first, start, end: start + length } : null;
}

/** The elements inside this one, at most 16 and as far as they can be read. */
export function readInside(bytes: Uint8Array, outer: Element | null | undefined): Element[] {
  const elements: Element[] = [];
  for (let at = outer?.start ?? 0; outer && at < outer.end && elements.length < 16;) {
    const element = readElement(bytes, at);
    if (element === null || element.end > outer.end) break;
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/** A moment in ms; null for what is no time. */
export function readTimeMs(bytes: Uint8Array, element: Element | undefined): number | null {
  if (element?.tag !== tag.utcTime && element?.tag !== tag.generalizedTime) return null;
  const text = Buffer.from(bytes.subarray(element.start, element.end)).toString('latin1');
  const digits = element.tag === tag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** One element around these contents, up to 64 KiB. */
export function writeElement(elementTag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = Buffer.concat(contents);
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Uint8Array.from([elementTag, ...header, ...content]);
}
