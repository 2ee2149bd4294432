import { expect, test } from 'vitest';
import { AccountReads } from '../../../../server/api/guards/account-reads.ts';
import { quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { Turnstile } from '../../../../server/api/guards/turnstile.ts';

const turnOfTheLoop = () => new Promise<void>((resolve) => void setImmediate(resolve));
const settled = async () => {
  for (let turn = 0; turn < 100; turn++) await turnOfTheLoop();
};

test('Turnstile: lets one through in each turn of the event loop, in order', async () => {
  const turnstile = new Turnstile();
  const passed: [number, number][] = [];
  let turn = 0;
  const count = () => {
    turn += 1;
    if (turn < 20) setTimeout(count, 0);
  };
  setTimeout(count, 0);
  await Promise.all(
    [0, 1, 2, 3, 4].map(async (who) => {
      await turnstile.pass();
      passed.push([who, turn]);
      // Nobody else gets a turn beside the work that is done here.
      const untilMs = performance.now() + 3;
      while (performance.now() < untilMs);
    }),
  );
  expect(passed.map(([who]) => who)).toEqual([0, 1, 2, 3, 4]);
  // Timers of others had their turn between each and the next.
  expect(new Set(passed.map(([, at]) => at)).size).toBe(5);
  await turnstile.pass();
});

test('AccountReads: four of one account run, more wait, still more are refused; another account is not kept', async () => {
  const reads = new AccountReads();
  const entered: Disposable[] = [];
  const enter = (accountId: string) => reads.enter(accountId).then((place) => void entered.push(place));
  const first = Array.from({ length: 36 }, () => enter('a'));
  await settled();
  expect(entered).toHaveLength(4);
  await expect(reads.enter('a')).rejects.toMatchObject({ code: 'too-many-requests', retryAfterSeconds: 1 });
  await enter('b');
  expect(entered).toHaveLength(5);
  for (const place of entered.splice(0, 2)) place[Symbol.dispose]();
  await settled();
  expect(entered).toHaveLength(5);
  while (entered.length > 0) {
    entered.shift()?.[Symbol.dispose]();
    await settled();
  }
  await Promise.all(first);
  // All is given back.
  await Promise.all(Array.from({ length: 4 }, () => enter('a')));
  expect(entered).toHaveLength(4);
});

test('AccountReads: reads of several accounts begin in turns of the event loop of their own', async () => {
  const reads = new AccountReads();
  let turn = 0;
  const count = () => {
    turn += 1;
    if (turn < 20) setTimeout(count, 0);
  };
  setTimeout(count, 0);
  const begunAt: number[] = [];
  await Promise.all(
    ['a', 'a', 'b', 'c'].map(async (account) => {
      using _ = await reads.enter(account);
      begunAt.push(turn);
      const untilMs = performance.now() + 3;
      while (performance.now() < untilMs);
    }),
  );
  expect(new Set(begunAt).size).toBe(4);
});

test('relay: of one account’s reads at once some wait and too many are put off; another account reads meanwhile', async () => {
  const relay = await openTestRelay('sqlite');
  const [alice, bob] = [await quickSignUp(relay, 'alice'), await quickSignUp(relay, 'bob')];
  const read = ({ session }: typeof alice) =>
    relay.call('GET', '/v1/items?afterCounter=0&limit=1', { token: session.accessToken });
  const reads = Array.from({ length: 200 }, () => read(alice));
  const other = await read(bob);
  const answers = await Promise.all(reads);
  expect(other.status).toBe(200);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(36);
  for (const { headers, status } of answers) expect(headers.get('retry-after')).toBe(status === 429 ? '1' : null);
});
