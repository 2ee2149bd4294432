import { expect, test } from 'vitest';
import { TokenBucket, TokenBuckets } from '../../process/token-bucket.ts';

const rate = { burst: 4, perMinute: 60 };

test('TokenBucket: a burst, then as much as the time gives back, and never more than the burst', () => {
  const bucket = new TokenBucket(rate, 0);
  for (let index = 0; index < 4; index++) bucket.take();
  expect([bucket.level, bucket.waitSecondsFor(1)]).toEqual([0, 1]);
  expect(bucket.fill(1_500).level).toBe(1.5);
  expect(bucket.fill(3_600_000).level).toBe(4);
});

test('TokenBucket: a clock that goes back gives nothing and takes nothing', () => {
  const bucket = new TokenBucket(rate, 10_000);
  bucket.take(4);
  expect(bucket.fill(0).level).toBe(0);
  expect(bucket.fill(1_000).level).toBe(1);
});

test('TokenBucket: what costs more than the burst takes all of it; what is charged is owed', () => {
  const bucket = new TokenBucket(rate, 0);
  expect(bucket.waitSecondsFor(100)).toBe(0);
  bucket.take(100);
  expect([bucket.level, bucket.waitSecondsFor(100)]).toEqual([0, 4]);
  bucket.charge(10);
  expect([bucket.level, bucket.waitSecondsFor(0), bucket.waitSecondsFor(1)]).toEqual([-10, 10, 11]);
});

test('TokenBuckets: forgets the one that was unused for the longest time, not the newest or one in use', () => {
  const buckets = new TokenBuckets(3);
  for (const key of ['first', 'used', 'third']) buckets.at(key, rate, 0).take(4);
  expect(buckets.at('used', rate, 0).level).toBe(0);
  buckets.at('new', rate, 0).take(4);
  expect(buckets.at('used', rate, 0).level).toBe(0);
  expect(buckets.at('new', rate, 0).level).toBe(0);
  expect(buckets.at('first', rate, 0).level).toBe(4);
});
