import { describe, expect, test } from 'vitest';
import {
  readDerDocument,
  readHeaderChain,
  readMemberText,
  readPemChain,
} from '../../../../server/pools/collateral/document-text.ts';
import { dayMs, freshForMs, readNextUpdateMs } from '../../../../server/pools/collateral/fresh-for.ts';
import { makeKeys, makeRevocationList } from '../../../parts/evidence/vendors/certificate-maker.ts';

describe('readMemberText', () => {
  test.each([
    ['{"tcbInfo":{"a":1},"signature":"00"}', '{"a":1}'],
    ['{ "x": [1, {"tcbInfo": {"no":1}}], "tcbInfo" : {"a":"}{\\"]" , "b":[{}] } }', '{"a":"}{\\"]" , "b":[{}] }'],
    ['{"text":"\\"tcbInfo\\":{}","tcbInfo":{}}', '{}'],
    ['{"tcbInfo":{"tcbInfo":{"inner":1}}}', '{"tcbInfo":{"inner":1}}'],
  ])('%s: the very text', (text, member) => {
    expect(readMemberText(text, 'tcbInfo')).toBe(member);
    // Without the member, nothing.
    expect(() => readMemberText(text.replaceAll('tcbInfo', 'other'), 'tcbInfo')).toThrow('no document');
  });

  test.each(['', '{', '{"tcbInfo":', '{"tcbInfo":{', '{"tcbInfo":"{}"}', '[{"tcbInfo":{}}]', '{"a":{"tcbInfo":{}}}'])(
    '%j: nothing',
    (text) => {
      expect(() => readMemberText(text, 'tcbInfo')).toThrow('no document');
    },
  );

  test('ends on text that was made to keep it busy', () => {
    for (const piece of ['"', '{"', '\\"', '[', '{"tcbInfo":']) {
      for (const end of ['', '\\']) {
        expect(() => readMemberText(piece.repeat(100_000) + end, 'tcbInfo')).toThrow('no document');
      }
    }
  });
});

test('readPemChain: in order, whatever stands between, and no more than a chain', () => {
  const pem = (content: string) => `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----\n`;
  expect(readPemChain(`x\n${pem('AAAA')}y${pem('BB\nBB')}`)).toEqual(['AAAA', 'BBBB']);
  expect(readPemChain(pem('AAAA').repeat(8))).toHaveLength(8);
  expect(() => readPemChain(pem('AAAA').repeat(9))).toThrow('no document');
  expect(() => readPemChain('')).toThrow('no document');
  const headers = new Headers({ chain: encodeURIComponent(pem('AAAA')), broken: '%E0%A4%A' });
  expect(readHeaderChain(headers, 'Chain')).toEqual(['AAAA']);
  expect(() => readHeaderChain(headers, 'broken')).toThrow('no document');
  expect(() => readHeaderChain(headers, 'absent')).toThrow('no document');
});

test('readDerDocument: one whole value, and no page of a vendor who is away', () => {
  const list = Buffer.from(makeRevocationList({ issuer: 'A root', signer: makeKeys('p256'), revoked: [1] }));
  expect(readDerDocument(list)).toBe(list.toString('base64url'));
  const others = [list.subarray(0, -1), Buffer.concat([list, Buffer.of(0)]), list.subarray(1), Buffer.from('0\x80')];
  for (const body of [...others, Buffer.from('<html>Back soon.</html>'), Buffer.from('0\x82'), Buffer.alloc(0)]) {
    expect(() => readDerDocument(body)).toThrow('no document');
  }
});

test('readNextUpdateMs: of a list in either form of time, null for anything else', () => {
  const signer = makeKeys('p256');
  for (const nextUpdate of [Date.parse('2031-02-03T04:05:06Z'), Date.parse('2061-02-03T04:05:06Z')]) {
    const list = makeRevocationList({ issuer: 'A root', signer, revoked: [1], nextUpdate });
    expect(readNextUpdateMs(list)).toBe(nextUpdate);
    for (let length = 0; length < list.length; length += 7) {
      expect(readNextUpdateMs(list.subarray(0, length))).toBeNull();
    }
  }
  expect(readNextUpdateMs(new Uint8Array(100).fill(0x30))).toBeNull();
});

test('freshForMs: shortly before it is due, a minute at least, a day at most', () => {
  const nowMs = Date.parse('2026-11-22T00:00:00Z');
  expect(freshForMs(null, nowMs)).toBe(dayMs);
  expect(freshForMs(Number.NaN, nowMs)).toBe(dayMs);
  expect(freshForMs(nowMs + 90 * dayMs, nowMs)).toBe(dayMs);
  expect(freshForMs(nowMs + 3_600_000, nowMs)).toBe(3_000_000);
  expect(freshForMs(nowMs - 3_600_000, nowMs)).toBe(60_000);
});
