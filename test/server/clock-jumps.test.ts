import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { SessionAnswer, SessionsAnswer } from '../../crypto/protocol/messages/account-messages.ts';
import { randomBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { forgetAttempts, forgetSessions } from '../../server/accounts/forget-attempts.ts';
import { generateServerKeys, parseServerKeys } from '../../server/accounts/keys/server-keys.ts';
import { sessionLifetimeMs, Sessions } from '../../server/accounts/sessions/sessions.ts';
import { TokenSigner } from '../../server/accounts/sessions/signed-token.ts';
import { countInWindow } from '../../server/storage/rate-counter.ts';
import { TurnLeases } from '../../server/turns/rows/turn-leases.ts';
import { createLog } from '../../process/event-log.ts';
import { CapturedOutput } from '../parts/machine/captured-output.ts';
import { rightClock } from '../parts/machine/clocks/right-clock.ts';
import { cookieOf, quickSignUp } from '../parts/users/without-keys/quick-account.ts';
import { databaseKinds, openTestDatabase } from '../parts/storage/relay-database.ts';
import { makeTestRelay, type TestRelay } from '../parts/relay/in-process/test-relay.ts';
import { addSession, day, makeAccount } from '../parts/users/without-keys/vault-device.ts';

const todayMs = Date.UTC(2026, 10, 30, 12);
const hour = 3_600_000;

/** The token of a session that was refreshed, or the code of its refusal. */
async function refresh(relay: TestRelay, cookie: string) {
  const answer = await relay.call('POST', '/v1/session/refresh', { body: { format: 1 }, headers: { cookie } });
  if (answer.status !== 200) return { refused: answer.json, token: '', cookie };
  return { refused: null, token: (answer.json as SessionAnswer).accessToken, cookie: cookieOf(answer) };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: todayMs }));
afterEach(() => void vi.useRealTimers());

describe.each(databaseKinds)('%s', (kind) => {
  /** Relays over one database, each start with a clock of its own. */
  async function openStarts() {
    const output = new CapturedOutput();
    const first = await makeTestRelay(kind);
    onTestFinished(() => first.remove());
    let running = first;
    onTestFinished(() => running.close());
    const { dataFolder, postgres } = first.settings;
    const environment = { DATA_DIR: dataFolder, ...(postgres === null ? {} : { DATABASE_URL: postgres.url }) };
    return {
      first,
      logged: () => output.text,
      async startAgain(nowMs: number): Promise<TestRelay> {
        await running.close();
        vi.setSystemTime(nowMs);
        const next = await makeTestRelay(kind, { environment, log: createLog('warn', output) });
        onTestFinished(() => next.remove());
        running = next;
        return next;
      },
    };
  }

  test.each([
    { name: '150 days ahead', wrongMs: todayMs + 150 * day, code: 'clock-far-ahead' },
    { name: 'in 1970', wrongMs: day, code: 'clock-far-behind' },
  ])('a clock $name for one start ends no session, then or later', async ({ code, wrongMs }) => {
    const starts = await openStarts();
    const { cookie } = await quickSignUp(starts.first, 'alice');
    const wrong = await starts.startAgain(wrongMs);
    expect(starts.logged()).toContain(code);
    const during = await refresh(wrong, cookie);
    expect(during.refused).toBeNull();
    const listed = await wrong.call('GET', '/v1/sessions', { token: during.token });
    expect((listed.json as SessionsAnswer).sessions).toHaveLength(1);
    const right = await starts.startAgain(todayMs + hour);
    const after = await refresh(right, during.cookie);
    expect(after.refused).toBeNull();
    expect((await right.call('GET', '/v1/account', { token: after.token })).status).toBe(200);
  });

  test('a clock that jumps while the relay runs ends no session, and no token of the future is taken', async () => {
    const { first } = await openStarts();
    const { cookie } = await quickSignUp(first, 'alice');
    vi.setSystemTime(todayMs + 150 * day);
    const ahead = await refresh(first, cookie);
    expect(ahead.refused).toBeNull();
    expect((await first.call('GET', '/v1/account', { token: ahead.token })).status).toBe(200);
    vi.setSystemTime(todayMs + hour);
    expect((await first.call('GET', '/v1/account', { token: ahead.token })).json).toEqual({ error: 'not-signed-in' });
    const right = await refresh(first, ahead.cookie);
    expect((await first.call('GET', '/v1/account', { token: right.token })).status).toBe(200);
    // Some minutes are what clocks of replicas differ by.
    vi.setSystemTime(todayMs + hour - 300_000);
    expect((await first.call('GET', '/v1/account', { token: right.token })).status).toBe(200);
  });

  test('a session that was ended is over at once where the clock was set back since it was looked at', async () => {
    const database = await openTestDatabase(kind);
    const keys = parseServerKeys(await generateServerKeys());
    const dependencies = { database, keys, signer: await TokenSigner.open(keys), clock: rightClock };
    const sessions = new Sessions({ ...dependencies, onEnded: () => undefined });
    const { accountId } = await makeAccount(database);
    const session = await database.write((trx) => sessions.create(trx, accountId, todayMs));
    const { accessToken } = (await sessions.start(session, todayMs)).answer;
    await sessions.authenticate(accessToken, todayMs);
    await database.db.deleteFrom('sessions').execute();
    await sessions.authenticate(accessToken, todayMs + 1_000);
    await expect(sessions.authenticate(accessToken, todayMs - 60_000)).rejects.toMatchObject({ code: 'session-ended' });
  });

  test('sessions that a clock far ahead dated live as long as if they were used now', async () => {
    const database = await openTestDatabase(kind);
    const { accountId } = await makeAccount(database);
    for (const usedAtMs of [todayMs - 31 * day, todayMs - day, todayMs + 60_000, todayMs + 150 * day]) {
      await addSession(database, accountId, { usedAtMs, lifetimeMs: sessionLifetimeMs });
    }
    await forgetSessions(database, todayMs);
    const left = await database.db.selectFrom('sessions').selectAll().orderBy('refreshed_at').execute();
    expect(left.map((row) => [row.refreshed_at, row.rotated_at, row.expires_at - sessionLifetimeMs])).toEqual(
      [todayMs - day, todayMs, todayMs + 60_000].map((atMs) => [atMs, atMs, atMs]),
    );
  });

  test('a count that began in the future begins anew, one that began now goes on', async () => {
    const database = await openTestDatabase(kind);
    const window = { subject: randomBytes(32), kind: 'sign-in', windowMs: hour, limit: 1 };
    expect(await countInWindow(database.db, window, todayMs + 150 * day)).toBeNull();
    expect(await countInWindow(database.db, window, todayMs)).toBeNull();
    expect(await countInWindow(database.db, window, todayMs + 1_000)).toBe(3_599);
    expect(await countInWindow(database.db, window, todayMs - 60_000)).not.toBeNull();
  });

  test('attempts of the future are swept, those of now are kept', async () => {
    const database = await openTestDatabase(kind);
    const add = (expiresAtMs: number) =>
      database.db
        .insertInto('login_attempts')
        .values({ id: randomBytes(16), account_id: null, session_id: null, server_state: '', expires_at: expiresAtMs })
        .execute();
    for (const atMs of [todayMs - 1, todayMs + 60_000, todayMs + 150 * day]) await add(atMs);
    await forgetAttempts(database, todayMs, todayMs);
    const left = await database.db.selectFrom('login_attempts').select('expires_at').execute();
    expect(left).toEqual([{ expires_at: todayMs + 60_000 }]);
  });
});

test("a lease of the future is nobody's, one of a replica whose clock is a minute ahead is its own", async () => {
  const database = await openTestDatabase('postgres');
  const { accountId } = await makeAccount(database);
  const [far, near] = [randomBytes(16), randomBytes(16)];
  const turn = (id: Uint8Array<ArrayBuffer>, leaseUntilMs: number) => ({
    id,
    account_id: accountId,
    state: 'running' as const,
    temporary: 0,
    started_at: todayMs,
    ended_at: null,
    enclave_id: 'static-0',
    model: 'm',
    attempts: 1,
    request_length: 1,
    stops: 0,
    stored_bytes: 0,
    lease_owner: 'another',
    lease_until: leaseUntilMs,
  });
  await database.db
    .insertInto('turns')
    .values([turn(far, todayMs + 150 * day), turn(near, todayMs + 75_000)])
    .execute();
  const claimed = await new TurnLeases('postgres').claim(database.db);
  expect(claimed.map(({ id }) => Buffer.from(id))).toEqual([Buffer.from(far)]);
});
