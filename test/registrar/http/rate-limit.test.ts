import { expect, test } from 'vitest';
import { RateLimit } from '../../../registrar/http/rate-limit.ts';
import { RegistrarError } from '../../../registrar/registrar-error.ts';
import { RenewalLimit } from '../../../registrar/statements/renewal-limit.ts';

/** How many of these are let through. */
function accepted(count: number, take: () => void): number {
  let passed = 0;
  for (let index = 0; index < count; index++) {
    try {
      take();
      passed++;
    } catch (error) {
      if (!(error instanceof RegistrarError) || error.code !== 'too-many-requests') throw error;
    }
  }
  return passed;
}

test('RateLimit: a burst, then as many as the time gives back; each address and each kind by itself', () => {
  const rates = new RateLimit();
  expect(accepted(300, () => rates.take('statements', '192.0.2.1', 0))).toBe(240);
  expect(accepted(10, () => rates.take('statements', '192.0.2.2', 0))).toBe(10);
  expect(accepted(10, () => rates.take('reading', '192.0.2.1', 0))).toBe(10);
  // 240 a minute are 4 a second.
  expect(accepted(10, () => rates.take('statements', '192.0.2.1', 1_000))).toBe(4);
  expect(accepted(300, () => rates.take('statements', '192.0.2.1', 3_600_000))).toBe(240);
});

test('RateLimit: where all have one address, a stranger keeps no fleet from its statements', () => {
  const rates = new RateLimit(true);
  expect(accepted(5_000, () => rates.take('statements', '192.0.2.1', 0))).toBe(5_000);
  expect(accepted(8_000, () => rates.take('statements', '192.0.2.1', 0))).toBe(7_000);
});

test('RateLimit: a household of IPv6 is one address', () => {
  const rates = new RateLimit();
  let host = 0;
  expect(accepted(300, () => rates.take('statements', `2001:db8:1:2::${(host++).toString(16)}`, 0))).toBe(240);
  expect(accepted(1, () => rates.take('statements', '2001:db8:1:3::1', 0))).toBe(1);
  expect(accepted(240, () => rates.take('statements', `2001:db8::${(host++).toString(16)}`, 0))).toBe(240);
  expect(accepted(1, () => rates.take('statements', '2001:db8:0:0:1:2:3:4', 0))).toBe(0);
  expect(accepted(1, () => rates.take('statements', '2001:db8:0:1::1', 0))).toBe(1);
});

test('RateLimit: networks around an address have several times its share, so that many of them are no way around it', () => {
  const rates = new RateLimit();
  let index = 0;
  const next = () => (index++ % 256).toString(16);
  // A /56 holds 256 of /64, a /48 as many of /56.
  expect(accepted(2_000, () => rates.take('statements', `2001:db8:7:${next()}::1`, 0))).toBe(480);
  expect(accepted(2_000, () => rates.take('statements', `2001:db8:7:${next()}00::1`, 0))).toBe(480);
  expect(accepted(240, () => rates.take('statements', '2001:db8:8::1', 0))).toBe(240);
  index = 0;
  expect(accepted(2_000, () => rates.take('statements', `192.0.2.${index++ % 256}`, 0))).toBe(960);
  expect(accepted(240, () => rates.take('statements', '192.0.3.1', 0))).toBe(240);
  // One network in several spellings.
  expect(accepted(240, () => rates.take('statements', '2001:DB8:9:0001::1', 0))).toBe(240);
  expect(accepted(10, () => rates.take('statements', '2001:db8:9:1:0:0:0:2', 0))).toBe(0);
});

test('RateLimit: forgets the longest unused of very many', () => {
  const rates = new RateLimit();
  accepted(240, () => rates.take('statements', 'first', 0));
  expect(accepted(1, () => rates.take('statements', 'first', 0))).toBe(0);
  for (let index = 0; index < 50_000; index++) rates.take('statements', `other ${index}`, 0);
  expect(accepted(1, () => rates.take('statements', 'first', 0))).toBe(1);
});

test('RenewalLimit: six in a minute for each key', () => {
  const limit = new RenewalLimit();
  expect(accepted(10, () => limit.take('a', 0))).toBe(6);
  expect(accepted(10, () => limit.take('b', 30_000))).toBe(6);
  expect(accepted(10, () => limit.take('a', 59_999))).toBe(0);
  expect(accepted(10, () => limit.take('a', 60_000))).toBe(6);
  expect(accepted(10, () => limit.take('b', 89_999))).toBe(0);
  expect(accepted(10, () => limit.take('b', 90_000))).toBe(6);
});
