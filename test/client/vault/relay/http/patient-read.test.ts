import { expect, test, vi } from 'vitest';
import { RelayCallError } from '../../../../../client/vault/relay/http/relay-call-error.ts';
import { RelayClient } from '../../../../../client/vault/relay/relay-client.ts';
import { ManualClock } from '../../../../parts/machine/clocks/manual-clock.ts';

const page = { format: 1, items: [], head: { counter: 1, body: 'AAAA' }, more: false };
const put = (seconds: string | null) =>
  new Response('{"error":"too-many-requests"}', {
    status: 429,
    headers: { 'content-type': 'application/json', ...(seconds === null ? {} : { 'retry-after': seconds }) },
  });

/** A client whose relay gives these answers one after the other. */
function clientOf(answers: readonly (() => Response)[]) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const fetch = (url: string | URL | Request) => {
    asked.push(new Request(new URL(url as string, 'http://relay')).url);
    return Promise.resolve((answers[asked.length - 1] ?? answers.at(-1) ?? (() => put(null)))());
  };
  const tokens = { current: () => Promise.resolve('token'), renew: () => Promise.resolve('token') };
  return { clock, asked, client: new RelayClient({ fetch, origin: '', clock }, tokens, () => undefined) };
}

const whole = () => Response.json(page);

test('a read that the relay puts off is asked for again after the time that it names, and brings its page', async () => {
  const { clock, asked, client } = clientOf([() => put('3'), () => put('2'), whole]);
  let got: unknown = null;
  const read = client.readItems({ afterCounter: 7 }).then((answer) => {
    got = answer;
  });
  await clock.pass(2_900);
  expect(asked).toHaveLength(1);
  await clock.pass(100);
  expect(asked).toHaveLength(2);
  await clock.pass(1_900);
  expect([asked.length, got]).toEqual([2, null]);
  await clock.pass(100);
  await read;
  expect(got).toEqual(page);
  expect(new Set(asked).size).toBe(1);
});

test('a read that a proxy puts off in the relay’s place is asked for again too', async () => {
  const proxys = () => new Response('<h1>Too Many Requests</h1>', { status: 429, headers: { 'retry-after': '3' } });
  const { clock, asked, client } = clientOf([proxys, whole]);
  const read = client.readItems({ afterCounter: 7 });
  await clock.pass(2_900);
  expect(asked).toHaveLength(1);
  await clock.pass(100);
  expect(await read).toEqual(page);
});

test.each<[string, (client: RelayClient) => Promise<unknown>]>([
  ['bodies', (client) => client.readItemBody('A'.repeat(22))],
  ['heads', (client) => client.readHeads(1)],
  ['turns', (client) => client.readTurns(0, null)],
  ['frames', (client) => client.readFrames('A'.repeat(22), -1, null)],
])('%s too are asked for again', async (_what, read) => {
  const { clock, asked, client } = clientOf([() => put('1'), () => new Response('{}', { status: 404 })]);
  const outcome = read(client).catch((error: unknown) => error);
  // Messages about turns are loaded first.
  await vi.waitFor(() => expect(asked).toHaveLength(1), 20_000);
  await clock.pass(2_000);
  expect(await outcome).toBeInstanceOf(RelayCallError);
  expect(asked).toHaveLength(2);
});

test('a relay that never has time is waited for five minutes, one that names an hour is not waited for', async () => {
  const never = clientOf([() => put('20')]);
  const outcome = never.client.readItems({ afterCounter: 0 }).catch((error: unknown) => error);
  await never.clock.pass(600_000);
  expect(await outcome).toMatchObject({ code: 'too-many-requests' });
  expect(never.asked).toHaveLength(16);
  const hour = clientOf([() => put('3600')]);
  await expect(hour.client.readItems({ afterCounter: 0 })).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
  expect(hour.asked).toHaveLength(1);
});

test('a pause of a minute is waited for, a longer one is not', async () => {
  const minute = clientOf([() => put('60'), whole]);
  const read = minute.client.readItems({ afterCounter: 0 });
  await minute.clock.pass(60_000);
  expect(await read).toEqual(page);
  const more = clientOf([() => put('61'), whole]);
  const outcome = more.client.readItems({ afterCounter: 0 }).catch((error: unknown) => error);
  await more.clock.pass(61_000);
  expect(await outcome).toMatchObject({ code: 'too-many-requests', retryAfterMs: 61_000 });
  expect(more.asked).toHaveLength(1);
});

test('a call that writes is not repeated by itself', async () => {
  const { asked, client } = clientOf([() => put('1')]);
  const stop = client.stopTurn('A'.repeat(22), { format: 1, stopToken: 'A'.repeat(43) });
  await expect(stop).rejects.toMatchObject({ code: 'too-many-requests' });
  expect(asked).toHaveLength(1);
});
