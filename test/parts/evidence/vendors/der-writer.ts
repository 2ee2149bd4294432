/** Writes DER for test certificates; it never refuses, so that broken ones can be written too. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = Buffer.concat(contents);
  const { length } = body;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : length < 0x1_0000
          ? [tag, 0x82, length >> 8, length & 255]
          : [tag, 0x83, length >> 16, (length >> 8) & 255, length & 255];
  return Uint8Array.from([...header, ...body]);
}

export const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
export const set = (...contents: readonly Uint8Array[]) => der(0x31, ...contents);
export const octetString = (...contents: readonly Uint8Array[]) => der(0x04, ...contents);
export const bitString = (bytes: Uint8Array, unusedBits = 0) => der(0x03, Uint8Array.of(unusedBits), bytes);
export const utf8String = (text: string) => der(0x0c, Buffer.from(text, 'utf8'));
export const ia5String = (text: string) => der(0x16, Buffer.from(text, 'latin1'));
export const boolean = (value: boolean) => der(0x01, Uint8Array.of(value ? 0xff : 0));
export const enumerated = (value: number) => der(0x0a, Uint8Array.of(value));
/** `[number] EXPLICIT`. */
export const context = (number: number, ...contents: readonly Uint8Array[]) => der(0xa0 | number, ...contents);

/** An INTEGER that is not negative. */
export function integer(value: number | Uint8Array): Uint8Array<ArrayBuffer> {
  let bytes = value instanceof Uint8Array ? [...value] : [...Buffer.from(value.toString(16).padStart(16, '0'), 'hex')];
  while (bytes.length > 1 && bytes[0] === 0) bytes = bytes.slice(1);
  if (bytes.length === 0 || bytes[0]! >= 0x80) bytes.unshift(0);
  return der(0x02, Uint8Array.from(bytes));
}

/** @param dotted - As `1.2.840.10045.4.3.3`. */
export function oid(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(0x80 | (left & 0x7f));
    }
    return digits;
  });
  return der(0x06, Uint8Array.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export function time(timeMs: number): Uint8Array<ArrayBuffer> {
  const text = `${new Date(timeMs).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}
