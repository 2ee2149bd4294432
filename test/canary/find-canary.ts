import { brotliDecompressSync, constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** One spelling of a canary in bytes. */
export type Spelling = { readonly name: string; readonly bytes: Buffer };

/** Where a canary was found. */
export type Finding = { readonly place: string; readonly canary: string; readonly spelling: string };

/**
 * Every spelling under which a text or a secret of random bytes could lie in a file: as it is, in hex, and in base64 as it
 * looks at each of the three places where bytes can begin within a group; a text in UTF-8 and UTF-16 both ways.
 */
export function spellingsOf(canary: string | Buffer): Spelling[] {
  if (typeof canary !== 'string') return [{ name: 'raw', bytes: canary }, ...encodingsOf('bytes', canary)];
  const utf8 = Buffer.from(canary, 'utf8');
  const little = Buffer.from(canary, 'utf16le');
  return [
    { name: 'utf-8', bytes: utf8 },
    { name: 'utf-16le', bytes: little },
    { name: 'utf-16be', bytes: Buffer.from(little).swap16() },
    { name: 'json', bytes: Buffer.from(JSON.stringify(canary).slice(1, -1)) },
    { name: 'url', bytes: Buffer.from(encodeURIComponent(canary)) },
    { name: 'form', bytes: Buffer.from(new URLSearchParams({ '': canary }).toString().slice(1)) },
    ...encodingsOf('utf-8', utf8),
    ...encodingsOf('utf-16le', little),
  ];
}

function encodingsOf(name: string, bytes: Buffer): Spelling[] {
  const base64 = [0, 1, 2].flatMap((alignment) => {
    const inner = base64Inside(bytes, alignment);
    return [
      { name: `base64+${alignment} of ${name}`, bytes: Buffer.from(inner) },
      {
        name: `base64url+${alignment} of ${name}`,
        bytes: Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_')),
      },
    ];
  });
  return [
    { name: `hex of ${name}`, bytes: Buffer.from(bytes.toString('hex')) },
    { name: `HEX of ${name}`, bytes: Buffer.from(bytes.toString('hex').toUpperCase()) },
    ...base64,
  ];
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
  /** Bytes looked at, by the first words of their place: a search that read nothing proves nothing. */
  readonly searched: Record<string, number> = {};
  readonly #spellings: readonly (Spelling & { readonly canary: string })[];
  /** By their first four bytes, and whether any begins with two: nearly every place is ruled out by one look. */
  readonly #byStart = new Map<number, (Spelling & { readonly canary: string })[]>();
  readonly #mayStart = new Uint8Array(65_536);

  constructor(canaries: Readonly<Record<string, string | Buffer>>) {
    this.#spellings = Object.entries(canaries).flatMap(([canary, value]) =>
      spellingsOf(value).map((spelling) => ({ ...spelling, canary })),
    );
    for (const spelling of this.#spellings) {
      const start = spelling.bytes.readUInt32BE();
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), spelling]);
      this.#mayStart[start >>> 16] = 1;
    }
  }

  /** Searches bytes, and what unpacks from compressed streams inside them. */
  search(place: string, bytes: Buffer): void {
    this.searchPlain(place, bytes);
    for (const { name, unpacked } of unpackStreams(bytes)) this.searchPlain(`${place} (${name})`, unpacked);
  }

  /** Searches bytes as they are. */
  searchPlain(place: string, bytes: Buffer): void {
    const words = place.split(/[:(]/)[0]?.trim() ?? place;
    this.searched[words] = (this.searched[words] ?? 0) + bytes.length;
    const found = new Set<Spelling>();
    const mayStart = this.#mayStart;
    for (let at = 0, two = bytes[0] ?? 0; at + 3 < bytes.length; at++) {
      two = ((two & 0xff) << 8) | (bytes[at + 1] as number);
      if (mayStart[two] === 0) continue;
      for (const spelling of this.#byStart.get(bytes.readUInt32BE(at)) ?? none) {
        const end = at + spelling.bytes.length;
        if (end <= bytes.length && bytes.compare(spelling.bytes, 0, undefined, at, end) === 0) found.add(spelling);
      }
    }
    for (const { canary, name } of this.#spellings.filter((spelling) => found.has(spelling))) {
      this.findings.push({ place, canary, spelling: name });
    }
  }
}

const none: readonly never[] = [];
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
