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

  it('search: finds nothing in the same bytes without the canary', () => {
    for (const other of ['Wäschezettel über Tag 8271', '']) {
      const bytes = Buffer.from(`a${other}b`);
      expect(
        findings(around(bytes)) + findings(gzipSync(bytes)) + findings(Buffer.from(bytes.toString('base64'))),
      ).toBe(0);
    }
  });
});
