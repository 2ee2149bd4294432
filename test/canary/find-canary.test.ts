import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CanaryFinder } from './find-canary.ts';

const text = 'Wäschezettel über Nacht 8271';
const around = (bytes: Buffer) => Buffer.concat([Buffer.from('noise before '), bytes, Buffer.from(' noise after')]);

function findings(bytes: Buffer): number {
  const finder = new CanaryFinder({ text });
  finder.search('here', bytes);
  return finder.findings.length;
}

describe('CanaryFinder', () => {
  const plain = Buffer.from(`a${text}b`);
  const planted: Record<string, Buffer> = {
    'utf-8': around(plain),
    'utf-16le': around(Buffer.from(text, 'utf16le')),
    'utf-16be': around(Buffer.from(text, 'utf16le').swap16()),
    hex: around(Buffer.from(plain.toString('hex'))),
    'json with escapes': around(Buffer.from(JSON.stringify(text))),
    'url encoded': around(Buffer.from(encodeURIComponent(text))),
    'base64, place 0': Buffer.from(Buffer.from(`${text}xyz`).toString('base64')),
    'base64, place 1': Buffer.from(Buffer.from(`1${text}xyz`).toString('base64')),
    'base64url, place 2': Buffer.from(Buffer.from(`12${text}xyz`).toString('base64url')),
    'base64 of utf-16': Buffer.from(Buffer.from(text, 'utf16le').toString('base64')),
    gzip: around(gzipSync(plain)),
    zlib: around(deflateSync(plain)),
    zstd: around(zstdCompressSync(plain)),
    deflate: deflateRawSync(plain),
    brotli: brotliCompressSync(plain),
  };
  for (const [name, bytes] of Object.entries(planted)) {
    it(`search: finds a canary as ${name}`, () => {
      expect(findings(bytes)).toBeGreaterThan(0);
    });
  }

  it.each(['', '1', '12'])(
    'search: finds a secret of random bytes behind %j, in hex, base64 and as it is',
    (before) => {
      const secret = Buffer.from('f3a0c1d2e3b4958677001122334455ee', 'hex');
      const finder = new CanaryFinder({ secret });
      const bytes = Buffer.concat([Buffer.from(before), secret, Buffer.from('xyz')]);
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        finder.search(encoding, Buffer.from(bytes.toString(encoding)));
      }
      finder.search('raw', bytes);
      expect(new Set(finder.findings.map(({ place }) => place))).toEqual(
        new Set(['hex', 'base64', 'base64url', 'raw']),
      );
      finder.search('other', Buffer.from(bytes.map((byte) => byte ^ 1)));
      expect(finder.findings.filter(({ place }) => place === 'other')).toEqual([]);
    },
  );

  it('search: finds a canary in the first and the last bytes, and says how much it looked at', () => {
    const finder = new CanaryFinder({ text });
    const alone = Buffer.from(text);
    finder.searchPlain('alone: here', alone);
    finder.searchPlain('cut', alone.subarray(0, -1));
    expect(finder.findings).toEqual([
      { place: 'alone: here', canary: 'text', spelling: 'utf-8' },
      { place: 'alone: here', canary: 'text', spelling: 'json' },
    ]);
    expect(finder.searched).toEqual({ alone: alone.length, cut: alone.length - 1 });
  });

  it('search: finds nothing in the same bytes without the canary', () => {
    for (const other of ['Wäschezettel über Tag 8271', '']) {
      const bytes = Buffer.from(`a${other}b`);
      expect(
        findings(around(bytes)) + findings(gzipSync(bytes)) + findings(Buffer.from(bytes.toString('base64'))),
      ).toBe(0);
    }
  });
});
