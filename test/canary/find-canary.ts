import { brotliDecompressSync, constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** One spelling of a canary in bytes. */
export type Spelling = { readonly name: string; readonly bytes: Buffer };

/** Where a canary was found. */
export type Finding = { readonly place: string; readonly canary: string; readonly spelling: string };

/**
 * Every spelling under which a text could lie in a file: UTF-8, UTF-16 both ways, hex, and base64 as it looks at each
 * of the three places where a text can begin within a group of bytes.
 */
export function spellingsOf(text: string): Spelling[] {
  const utf8 = Buffer.from(text, 'utf8');
  const little = Buffer.from(text, 'utf16le');
  const spellings: Spelling[] = [
    { name: 'utf-8', bytes: utf8 },
    { name: 'utf-16le', bytes: little },
    { name: 'utf-16be', bytes: Buffer.from(little).swap16() },
    { name: 'json', bytes: Buffer.from(JSON.stringify(text).slice(1, -1)) },
    { name: 'url', bytes: Buffer.from(encodeURIComponent(text)) },
    { name: 'form', bytes: Buffer.from(new URLSearchParams({ '': text }).toString().slice(1)) },
  ];
  for (const [encoding, bytes] of [
    ['utf-8', utf8],
    ['utf-16le', little],
  ] as const) {
    spellings.push({ name: `hex of ${encoding}`, bytes: Buffer.from(bytes.toString('hex')) });
    spellings.push({ name: `HEX of ${encoding}`, bytes: Buffer.from(bytes.toString('hex').toUpperCase()) });
    for (const alignment of [0, 1, 2]) {
      const inner = base64Inside(bytes, alignment);
      spellings.push({ name: `base64+${alignment} of ${encoding}`, bytes: Buffer.from(inner) });
      const urlSafe = inner.replaceAll('+', '-').replaceAll('/', '_');
      if (urlSafe !== inner) {
        spellings.push({ name: `base64url+${alignment} of ${encoding}`, bytes: Buffer.from(urlSafe) });
      }
    }
  }
  return spellings;
}

/** The characters of a base64 text that depend on these bytes alone when `alignment` unknown bytes stand before them. */
function base64Inside(bytes: Buffer, alignment: number): string {
  const encoded = Buffer.concat([Buffer.alloc(alignment), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const first = alignment === 0 ? 0 : alignment + 1;
  const partial = (alignment + bytes.length) % 3;
  return encoded.slice(first, partial === 0 ? undefined : -1);
}

/** Looks for canaries in everything that a system left behind. */
export class CanaryFinder {
  readonly findings: Finding[] = [];
  /** Bytes looked at, unpacked ones included: a search that read nothing proves nothing. */
  searchedBytes = 0;
  readonly #canaries: { readonly name: string; readonly spellings: Spelling[] }[];

  constructor(canaries: Readonly<Record<string, string>>) {
    this.#canaries = Object.entries(canaries).map(([name, text]) => ({ name, spellings: spellingsOf(text) }));
  }

  /** Searches bytes, and what unpacks from compressed streams inside them. */
  search(place: string, bytes: Buffer): void {
    this.#searchPlain(place, bytes);
    for (const { name, unpacked } of unpackStreams(bytes)) this.#searchPlain(`${place} (${name})`, unpacked);
  }

  #searchPlain(place: string, bytes: Buffer): void {
    this.searchedBytes += bytes.length;
    for (const { name, spellings } of this.#canaries) {
      for (const spelling of spellings) {
        if (bytes.includes(spelling.bytes)) this.findings.push({ place, canary: name, spelling: spelling.name });
      }
    }
  }
}

const unpackLimit = { maxOutputLength: 64 * 1024 * 1024 } as const;

/** Gzip, zlib and zstd streams at any offset, raw deflate and Brotli at the beginning, which have no mark. */
function* unpackStreams(bytes: Buffer): Generator<{ name: string; unpacked: Buffer }> {
  const lenient = { ...unpackLimit, finishFlush: constants.Z_SYNC_FLUSH };
  const attempts: { name: string; offsets: Iterable<number>; unpack: (part: Buffer) => Buffer }[] = [
    {
      name: 'gzip',
      offsets: offsetsOf(bytes, [[0x1f, 0x8b, 0x08]]),
      unpack: (part) => inflateRawSync(part.subarray(gzipHeaderLength(part)), lenient),
    },
    {
      name: 'zlib',
      offsets: offsetsOf(bytes, [
        [0x78, 0x01],
        [0x78, 0x5e],
        [0x78, 0x9c],
        [0x78, 0xda],
      ]),
      unpack: (part) => inflateSync(part, lenient),
    },
    {
      name: 'zstd',
      offsets: offsetsOf(bytes, [[0x28, 0xb5, 0x2f, 0xfd]]),
      unpack: (part) => zstdDecompressSync(part, unpackLimit),
    },
    { name: 'deflate', offsets: [0], unpack: (part) => inflateRawSync(part, lenient) },
    { name: 'brotli', offsets: [0], unpack: (part) => brotliDecompressSync(part, unpackLimit) },
  ];
  for (const { name, offsets, unpack } of attempts) {
    for (const offset of offsets) {
      try {
        const unpacked = unpack(bytes.subarray(offset));
        if (unpacked.length >= 8) yield { name: `${name} at ${offset}`, unpacked };
      } catch {
        // Not a stream after all: two bytes are a weak mark.
      }
    }
  }
}

/** RFC 1952 §2.3. Unpacked as raw deflate, since what follows the stream in a file would be an error of `gunzip`. */
function gzipHeaderLength(part: Buffer): number {
  const flags = part[3] ?? 0;
  let length = 10;
  if ((flags & 4) !== 0) length += 2 + part.readUInt16LE(length);
  for (const flag of [8, 16]) if ((flags & flag) !== 0) length = part.indexOf(0, length) + 1;
  return (flags & 2) === 0 ? length : length + 2;
}

function* offsetsOf(bytes: Buffer, marks: readonly (readonly number[])[]): Generator<number> {
  for (const mark of marks) {
    const wanted = Buffer.from(mark);
    for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) yield at;
  }
}
