import { expect, onTestFinished, test } from 'vitest';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { type Caller, RateLimiter } from '../../../../server/api/guards/rate-limit.ts';
import type { RelayError } from '../../../../server/api/route/relay-error.ts';
import { prepareSignUp, quickSignUp, randomText, sealedHead } from '../../../parts/users/without-keys/quick-account.ts';
import { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';

function clock() {
  const at = { ms: 0 };
  return { at, limiter: new RateLimiter({ now: () => at.ms }) };
}

const from = (address: string, accountId: string | null = null): Caller => ({ address, accountId });

/** How many in a row are let through. */
function burstOf(limiter: RateLimiter, name: Parameters<RateLimiter['take']>[0], caller: Caller): number {
  for (let count = 0; count < 10_000; count++) {
    try {
      limiter.take(name, caller);
    } catch {
      return count;
    }
  }
  return Infinity;
}

test('take: a burst, then as much as fills up again', () => {
  const { at, limiter } = clock();
  expect(burstOf(limiter, 'sign-up', from('192.0.2.1'))).toBe(30);
  at.ms += 6_001;
  expect(burstOf(limiter, 'sign-up', from('192.0.2.1'))).toBe(1);
  at.ms += 3_600_000;
  expect(burstOf(limiter, 'sign-up', from('192.0.2.1'))).toBe(30);
});

test('take: networks around an address have several times its share, so that many of them are no way around it', () => {
  const { limiter } = clock();
  const tryAll = (addresses: readonly string[]) =>
    addresses.reduce((sum, address) => sum + burstOf(limiter, 'sign-up', from(address)), 0);
  const each = (make: (index: number) => string) => Array.from({ length: 100 }, (_, index) => make(index));
  // One /64, then its /56, then its /48.
  expect(tryAll(each((index) => `2001:db8:1:100::${index + 1}`))).toBe(30);
  expect(tryAll(each((index) => `2001:db8:1:1${(index + 1).toString(16).padStart(2, '0')}::1`))).toBe(30);
  expect(tryAll(each((index) => `2001:db8:1:${(index + 2).toString(16)}00::1`))).toBe(60);
  expect(tryAll(['2001:db8:2::1'])).toBe(30);
  expect(tryAll(each((index) => `192.0.2.${index + 1}`))).toBe(120);
  expect(tryAll(['::ffff:192.0.2.200', '192.0.3.1'])).toBe(30);
});

test('take: sign-ups have a total that no number of networks gets around; other limits have none', () => {
  const { at, limiter } = clock();
  let taken = 0;
  for (let index = 0; index < 100; index++) taken += burstOf(limiter, 'sign-up', from(`2001:db8:${index}::1`));
  expect(taken).toBe(600);
  at.ms += 60_000;
  expect(burstOf(limiter, 'sign-up', from('2001:db8:ffff::1'))).toBe(30);
  let signIns = 0;
  for (let index = 0; index < 100; index++) signIns += burstOf(limiter, 'sign-in', from(`2001:db8:${index}::1`));
  expect(signIns).toBe(6_000);
});

test('take: subjects and names have buckets of their own', () => {
  const { limiter } = clock();
  expect(burstOf(limiter, 'sign-up', from('192.0.2.1'))).toBe(30);
  expect(burstOf(limiter, 'sign-up', from('192.0.2.2'))).toBe(30);
  expect(burstOf(limiter, 'sign-in', from('192.0.2.1'))).toBe(60);
});

test('take: says after how many seconds the cost is there again, and then it is', () => {
  const { at, limiter } = clock();
  burstOf(limiter, 'turns', from('192.0.2.1', 'alice'));
  const refusal = (() => {
    try {
      limiter.take('turns', from('192.0.2.1', 'alice'), 5);
      return null;
    } catch (error) {
      return error as RelayError;
    }
  })();
  expect(refusal).toMatchObject({ code: 'too-many-requests', retryAfterSeconds: 10 });
  at.ms += 10_000;
  limiter.take('turns', from('192.0.2.1', 'alice'), 5);
});

test('take: turns and bytes count for the account wherever it is, and for the address whoever asks', () => {
  const { at, limiter } = clock();
  expect(burstOf(limiter, 'turns', from('192.0.2.1', 'alice'))).toBe(30);
  expect(burstOf(limiter, 'turns', from('192.0.2.2', 'alice'))).toBe(0);
  // Ten accounts behind one address have what they are due; the eleventh has nothing left, and has it elsewhere.
  for (let i = 0; i < 9; i++) expect(burstOf(limiter, 'turns', from('192.0.2.1', `account ${i}`))).toBe(30);
  expect(burstOf(limiter, 'turns', from('192.0.2.1', 'bob'))).toBe(0);
  expect(burstOf(limiter, 'turns', from('192.0.2.2', 'bob'))).toBe(30);
  const mebibytes = (caller: Caller, count: number) => limiter.take('bytes', caller, count * 1024);
  for (let i = 0; i < 8; i++) mebibytes(from('192.0.2.1', `account ${i}`), 256);
  expect(() => mebibytes(from('192.0.2.1', 'bob'), 1)).toThrow('too-many-requests');
  mebibytes(from('192.0.2.2', 'bob'), 1);
  at.ms += 60_000;
  mebibytes(from('192.0.2.1', 'carol'), 256);
  mebibytes(from('192.0.2.1', 'dave'), 256);
  expect(() => mebibytes(from('192.0.2.1', 'bob'), 1)).toThrow('too-many-requests');
});

test('take: an account that is over its limit uses up nothing of the address that others share', () => {
  const { limiter } = clock();
  burstOf(limiter, 'turns', from('192.0.2.1', 'alice'));
  expect(burstOf(limiter, 'turns', from('192.0.2.1', 'alice'))).toBe(0);
  // Each of these is refused.
  for (let i = 0; i < 1_000; i++) burstOf(limiter, 'turns', from('192.0.2.1', 'alice'));
  for (let i = 0; i < 9; i++) expect(burstOf(limiter, 'turns', from('192.0.2.1', `account ${i}`))).toBe(30);
});

test('take: hardware signs anew for every tab that looks each three seconds, not for one that asks without end', () => {
  const { at, limiter } = clock();
  const household = ['alice', 'bob', 'carol', 'dave'].map((account) => from('192.0.2.1', account));
  const twoTabs = [from('192.0.2.2', 'erin'), from('192.0.2.2', 'erin')];
  for (; at.ms < 600_000; at.ms += 3_000) {
    for (const caller of [...household, ...twoTabs]) limiter.take('fresh-evidence', caller);
  }
  const greedy = (count: number) => from('192.0.2.3', `account ${count}`);
  for (let i = 0; i < 3; i++) expect(burstOf(limiter, 'fresh-evidence', greedy(i))).toBe(20);
  expect(burstOf(limiter, 'fresh-evidence', greedy(3))).toBe(0);
});

test('take: forgets the least recently used of very many subjects, not the ones in use', () => {
  const { limiter } = clock();
  burstOf(limiter, 'sign-up', from('busy'));
  for (let i = 0; i < 120_000; i++) {
    limiter.take('calls', from(`address ${i}`));
    if (i % 1_000 === 0 && burstOf(limiter, 'sign-up', from('busy')) > 0) throw new Error('one in use was forgotten');
  }
  expect(() => limiter.take('sign-up', from('busy'))).toThrow('too-many-requests');
});

test('relay: sign-in and sign-up are limited by address, each for itself, with Retry-After', async () => {
  const relay = await openTestRelay('sqlite', { limiter: new RateLimiter({ now: () => 1_000 }) });
  // Without a socket all calls come from one unknown address.
  const start = async (path: string, body: object) => relay.call('POST', path, { body });
  const body = { format: 1 };
  const statuses: number[] = [];
  for (let i = 0; i < 61; i++) statuses.push((await start('/v1/sign-in/start', body)).status);
  expect(statuses.slice(0, 60)).not.toContain(429);
  const refused = await start('/v1/sign-in/start', body);
  expect([refused.status, refused.json]).toEqual([429, { error: 'too-many-requests' }]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  // Another limit of the same address.
  expect((await prepareSignUp(relay, 'bob', 'one')).started.status).toBe(200);
  for (let i = 0; i < 29; i++) await start('/v1/sign-up/start', {});
  expect((await prepareSignUp(relay, 'carol', 'one')).started.status).toBe(429);
});

test('relay: turns and bytes are limited by account', async () => {
  const relay = await openTestRelay('sqlite', { limiter: new RateLimiter({ now: () => 1_000 }) });
  const [alice, bob] = [await quickSignUp(relay, 'alice'), await quickSignUp(relay, 'bob')];
  const turn = async (token: string) => (await relay.call('POST', '/v1/turns', { body: { format: 1 }, token })).status;
  const statuses: number[] = [];
  for (let i = 0; i < 31; i++) statuses.push(await turn(alice.session.accessToken));
  expect(statuses).toEqual([...Array.from({ length: 30 }, () => 400), 429]);
  expect(await turn(bob.session.accessToken)).toBe(400);

  const write = async (token: string, length: number) =>
    (await relay.call('POST', '/v1/items', { body: ' '.repeat(length), token })).status;
  const large: number[] = [];
  for (let i = 0; i < 20; i++) large.push(await write(bob.session.accessToken, 15 * 1024 * 1024));
  expect(large.indexOf(429)).toBe(17);
  expect(await write(alice.session.accessToken, 1_000)).toBe(400);
});

test('relay: evidence is limited by account, and what the hardware signs anew more than the rest', async () => {
  const worker = await new ScriptedWorker().start();
  onTestFinished(() => worker.stop());
  const environment = { ENCLAVE_URLS: worker.url, ENCLAVE_TOKEN: worker.token };
  const relay = await openTestRelay('sqlite', { limiter: new RateLimiter({ now: () => 1_000 }), environment });
  const [alice, bob] = [await quickSignUp(relay, 'alice'), await quickSignUp(relay, 'bob')];
  const ask = async ({ session }: typeof alice, more: object = {}) => {
    const body = { format: 1, nonce: randomText(32), model: 'test-model', ...more };
    return (await relay.call('POST', '/v1/enclaves', { body, token: session.accessToken })).status;
  };
  const freshEvidence = true;
  const statuses: number[] = [];
  for (let i = 0; i < 21; i++) statuses.push(await ask(alice, { freshEvidence }));
  expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 429]);
  // The worker was asked for no more, and everybody else still is answered.
  expect(worker.nonces).toHaveLength(20);
  expect(await ask(bob, { freshEvidence })).toBe(200);
  // Evidence that is there anyway.
  const plain: number[] = [];
  for (let i = 0; i < 40; i++) plain.push(await ask(alice));
  expect(plain).toEqual([...Array.from({ length: 39 }, () => 200), 429]);
  expect(await ask(bob)).toBe(200);
});

test('charge: what was read is owed, and until it is paid nothing more is read; another account goes on', () => {
  const { at, limiter } = clock();
  const alice = from('192.0.2.1', 'alice');
  const mebibyteCost = 1024;
  const pagesOf = (caller: Caller) => {
    for (let pages = 0; pages < 10_000; pages++) {
      try {
        limiter.requirePaid('reads', caller);
      } catch (error) {
        return { pages, wait: (error as RelayError).retryAfterSeconds };
      }
      limiter.charge('reads', caller, 2.7 * mebibyteCost);
    }
    return null;
  };
  expect(pagesOf(alice)).toEqual({ pages: 190, wait: 1 });
  at.ms += 1_000;
  // 4.3 MiB a second, and what was owed.
  expect(pagesOf(alice)).toMatchObject({ pages: 2 });
  expect(pagesOf(from('192.0.2.1', 'bob'))).toMatchObject({ pages: 190 });
  // Both together have read what one address may.
  expect(pagesOf(from('192.0.2.1', 'carol'))?.pages).toBeLessThan(10);
  expect(pagesOf(from('192.0.2.2', 'carol'))?.pages).toBeGreaterThan(180);
  at.ms += 120_000;
  expect(pagesOf(alice)?.pages).toBeGreaterThan(180);
});

test('relay: reads are limited by what they bring, and everything else goes on', { timeout: 120_000 }, async () => {
  const relay = await openTestRelay('sqlite', { limiter: new RateLimiter({ now: () => 1_000 }) });
  const [alice, bob] = [await quickSignUp(relay, 'alice'), await quickSignUp(relay, 'bob')];
  const token = alice.session.accessToken;
  const item = { id: randomText(16), version: 1, expiresAt: 0, flags: 0, body: randomText(16 * 1024 * 1024) };
  const batch = { expectedHead: toBase64Url(alice.head.hash), head: sealedHead(2), prune: [], finishTurns: [] };
  const body = { format: 1, ...batch, items: [item] };
  expect((await relay.call('POST', '/v1/items', { token, body })).status).toBe(200);
  const read = async (path: string, of = token) => {
    // The answer is not read here: it would be half a gibibyte of text.
    const headers = { host: 'localhost:8787', authorization: `Bearer ${of}` };
    const answer = await relay.relay.app.request(`http://localhost:8787${path}`, { headers });
    return [answer.status, answer.headers.get('retry-after')];
  };
  const statuses: unknown[] = [];
  for (let i = 0; i < 34; i++) statuses.push((await read(`/v1/items/${item.id}/body`))[0]);
  // 512 MiB, and the one that nobody knew before to be too many.
  expect(statuses).toEqual([...Array.from({ length: 33 }, () => 200), 429]);
  const owed = [429, expect.stringMatching(/^[1-9]\d*$/)];
  for (const path of [`/v1/items/${item.id}/body`, '/v1/items?afterCounter=0&limit=1', '/v1/heads?after=0&limit=1']) {
    expect(await read(path)).toEqual(owed);
  }
  expect(await read('/v1/turns?afterMs=0&limit=1')).toEqual(owed);
  expect(await read(`/v1/turns/${randomText(16)}/frames?after=-1`)).toEqual(owed);
  expect(await read('/v1/account')).toEqual([200, null]);
  expect(await read('/v1/items?afterCounter=0&limit=1', bob.session.accessToken)).toEqual([200, null]);
});
