import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LiveClient } from '../../../server/live/live-client.ts';
import { LiveClients } from '../../../server/live/live-clients.ts';
import { endDeadSessions } from '../../../server/live/live-sessions.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { databaseKinds, openTestDatabase } from '../../parts/storage/relay-database.ts';
import { until } from '../../parts/relay/in-process/turn-process.ts';
import { addSession, makeAccount } from '../../parts/users/without-keys/vault-device.ts';

const session = () => ({ accountId: 'account', sessionId: toBase64Url(randomBytes(16)) });

/** Takes nothing, as a client whose network is gone. */
function stuckResponse(): Writable {
  return new Writable({ highWaterMark: 16_384, write: () => undefined });
}

function connect(clients: LiveClients, response: Writable, who = session()): LiveClient {
  const client = new LiveClient(response, who, (closed) => clients.remove(closed));
  clients.add(client);
  return client;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('LiveClients', () => {
  test('gives records to the account’s clients alone', async () => {
    const clients = new LiveClients();
    const [mine, theirs] = [new PassThrough(), new PassThrough()];
    connect(clients, mine);
    connect(clients, theirs, { ...session(), accountId: 'another' });
    const record = randomBytes(313);
    clients.push('account', record);
    expect(Buffer.from(record).equals(mine.read() as Buffer)).toBe(true);
    expect(theirs.read()).toBeNull();
  });

  test('drops a client that has two megabytes waiting, and only that one', async () => {
    const clients = new LiveClients();
    const reading = new PassThrough().resume();
    connect(clients, stuckResponse());
    connect(clients, reading);
    const record = randomBytes(1024);
    for (let i = 0; i < 2048; i++) clients.push('account', record);
    expect([...clients.all()]).toHaveLength(2);
    for (let i = 0; i < 8; i++) clients.push('account', record);
    await until(() => [...clients.all()].length === 1);
    expect(reading.destroyed).toBe(false);
  });

  test('drops a client that misses the write deadline, at a heartbeat', async () => {
    const clients = new LiveClients();
    const reading = new PassThrough();
    connect(clients, stuckResponse());
    connect(clients, reading);
    clients.push('account', randomBytes(20_000));
    reading.resume();
    await until(() => reading.writableLength === 0);
    clients.beat();
    expect([...clients.all()]).toHaveLength(2);
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now + 31_000);
    clients.beat();
    vi.restoreAllMocks();
    await until(() => [...clients.all()].length === 1);
    expect(reading.destroyed).toBe(false);
  });

  test('forgets clients that go, and says when an account has none left', async () => {
    const clients = new LiveClients();
    const responses = [new PassThrough(), new PassThrough()];
    const made = responses.map((response) => connect(clients, response));
    expect(clients.remove(made[0]!)).toBe(false);
    expect(clients.has('account')).toBe(true);
    responses[1]!.destroy();
    await until(() => !clients.has('account'));
    expect(clients.remove(made[1]!)).toBe(false);
  });

  test('forgets a dropped client whose response has told everybody before that it is closed', async () => {
    const clients = new LiveClients();
    const response = stuckResponse();
    const closed = once(response, 'close');
    response.destroy();
    await closed;
    const client = connect(clients, response);
    expect(clients.has('account')).toBe(true);
    client.drop();
    expect(clients.has('account')).toBe(false);
    client.drop();
  });

  test('ends the oldest of too many', async () => {
    const clients = new LiveClients();
    const responses = Array.from({ length: 33 }, () => new PassThrough().resume());
    for (const response of responses) connect(clients, response);
    await until(() => responses[0]!.writableEnded);
    expect(responses.filter((response) => response.writableEnded)).toHaveLength(1);
  });

  test('keeps to its number of clients when the oldest ones read nothing, and cuts those off', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const clients = new LiveClients();
    const stuck = Array.from({ length: 40 }, () => stuckResponse());
    for (const response of stuck) {
      const client = connect(clients, response);
      client.write(randomBytes(20_000));
    }
    expect([...clients.all()]).toHaveLength(32);
    clients.push('account', randomBytes(100));
    vi.advanceTimersByTime(6_000);
    vi.useRealTimers();
    expect(stuck.filter((response) => response.destroyed)).toHaveLength(8);
    expect([...clients.all()]).toHaveLength(32);
  });

  test.each(databaseKinds)('ends responses of sessions that are gone, on %s', async (kind) => {
    const database = await openTestDatabase(kind);
    const { accountId } = await makeAccount(database);
    const clients = new LiveClients();
    const rows = [60_000, -1, null].map((leftMs) => ({ id: randomBytes(16), leftMs, response: new PassThrough() }));
    for (const { id, leftMs, response } of rows) {
      connect(clients, response, { accountId, sessionId: toBase64Url(id) });
      if (leftMs === null) continue;
      await addSession(database, accountId, { id, lifetimeMs: leftMs });
    }
    await endDeadSessions(database.db, clients, Date.now());
    expect(rows.map(({ response }) => response.writableEnded)).toEqual([false, true, true]);
  });
});
