import { expect, test } from 'vitest';
import { GrowingBytes } from '../../../crypto/protocol/bytes/growing-bytes.ts';

test('pieces come back as they were put together, in memory that was announced before', () => {
  let announced = 0;
  const bytes = new GrowingBytes(10_000_000, (added) => {
    announced += added;
  });
  const expected = Uint8Array.from({ length: 90_000 }, (_, index) => index % 251);
  for (let index = 0; index < 50_000; index++) bytes.push(expected.subarray(index, index + 1));
  bytes.push(expected.subarray(50_000));
  const taken = bytes.take();
  expect(Buffer.from(taken).equals(expected)).toBe(true);
  expect(taken.buffer.byteLength).toBe(announced);
  expect(announced).toBeLessThanOrEqual(2 * expected.length);
});

test('a byte beyond the maximum is refused, and the maximum itself is not', () => {
  const bytes = new GrowingBytes(5_000);
  bytes.push(new Uint8Array(5_000));
  expect(() => bytes.push(new Uint8Array(1))).toThrow('too-long');
  expect(bytes.take()).toHaveLength(5_000);
});

test('memory that is refused is not taken', () => {
  const bytes = new GrowingBytes(1_000_000, (added) => {
    if (added > 10_000) throw new Error('no room');
  });
  bytes.push(new Uint8Array(4_096));
  expect(() => bytes.push(new Uint8Array(20_000))).toThrow('no room');
  expect(bytes.take()).toHaveLength(4_096);
});
