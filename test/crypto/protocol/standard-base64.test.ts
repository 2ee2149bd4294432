import { expect, test } from 'vitest';
import { fromStandardBase64 } from '../../../crypto/protocol/bytes/standard-base64.ts';
import { toHex } from '../../../crypto/protocol/bytes/bytes.ts';

test.each([
  ['', ''],
  ['Zg==', '66'],
  ['Zm8=', '666f'],
  ['Zm9v', '666f6f'],
  ['+/+/', 'fbffbf'],
  [' Z\r\nm\t9 v ', '666f6f'],
])('fromStandardBase64: reads %j (RFC 4648 §10)', (text, hex) => {
  expect(toHex(fromStandardBase64(text))).toBe(hex);
});

test.each(['Z', 'Zg', 'Zg=', 'Zh==', 'Zm9=', 'Z===', 'Zg==Zg==', '-_-_', 'Zm9v\u00a0', 'Zm9v=', '===='])(
  'fromStandardBase64: refuses %j',
  (text) => {
    expect(() => fromStandardBase64(text)).toThrow('malformed');
  },
);
