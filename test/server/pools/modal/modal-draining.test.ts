import { afterEach, beforeEach, expect, test } from 'vitest';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { ModalPool } from '../../../../server/pools/modal/modal-pool.ts';
import { ModalSessionRows } from '../../../../server/pools/modal/modal-session-rows.ts';
import { chooseEnclave } from '../../../../server/pools/choose-enclave.ts';
import { noCollateral } from '../../../parts/relay/in-process/no-collateral.ts';
import { quietLog } from '../../../parts/relay/in-process/quiet-log.ts';
import { makeDatabase, type TestDatabase } from '../../../parts/storage/relay-database.ts';
import { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import { sealedRequestFor } from '../../../parts/users/without-keys/unopened-request.ts';
import { rightClock } from '../../../parts/machine/clocks/right-clock.ts';
import { makeSignedInAccount } from '../../../parts/users/without-keys/vault-device.ts';

/* A container that Modal is about to take away, as its worker says so; sessions lead straight to it. */

const proxyToken = 'wk-proxy.ws-proxy';
let database: TestDatabase;
let worker: ScriptedWorker;
let pool: ModalPool;
let rows: ModalSessionRows;

beforeEach(async () => {
  database = await makeDatabase('sqlite');
  worker = await new ScriptedWorker().start();
  const door = { url: worker.url, proxyToken, enclaveToken: worker.token };
  pool = new ModalPool({ ...door, database, log: quietLog(), clock: rightClock });
  rows = new ModalSessionRows(database.db, { url: new URL(worker.url).href, proxyToken });
});
afterEach(async () => {
  await pool.close();
  await worker.stop();
  await database.close();
  await database.remove();
});

test('a session whose container is draining is left for another, and found as long as turns run there', async () => {
  const { accountId } = await makeSignedInAccount(database);
  const place = { accountId, model: 'default' };
  const claimed = await rows.claimNew(place, Date.now());
  if (claimed === null) throw new Error('Nobody else is there.');
  expect(await rows.claimNew(place, Date.now())).toBeNull();
  await rows.finishStart(claimed.id, 'a-session-token', Date.now());
  const ask = () => {
    const request = { format: 1, nonce: toBase64Url(randomBytes(32)), model: 'default' } as const;
    return chooseEnclave({ pool, collateral: noCollateral }, accountId, request);
  };
  expect((await ask()).enclaveId).toBe(claimed.id);

  worker.state = 'draining';
  await expect(ask()).rejects.toMatchObject({ code: 'enclave-starting', retryAfterSeconds: 1 });
  expect((await pool.find(claimed.id, place))?.id).toBe(claimed.id);
  // The next call begins another one; this worker is no front door and gives none.
  await expect(ask()).rejects.toMatchObject({ code: 'enclave-unreachable' });
  const states = await database.db.selectFrom('enclave_sessions').select(['id', 'state']).orderBy('state').execute();
  expect(states).toEqual([
    { id: claimed.id, state: 'leaving' },
    { id: expect.not.stringMatching(claimed.id) as string, state: 'starting' },
  ]);
});

test('a worker that says no is no front door that says no: the session stays', async () => {
  const { accountId } = await makeSignedInAccount(database);
  const place = { accountId, model: 'default' };
  const claimed = await rows.claimNew(place, Date.now());
  await rows.finishStart(claimed?.id ?? '', 'a-session-token', Date.now());
  const [enclave] = await pool.choose(place);
  await expect(enclave?.stopTurn('x', 'y')).resolves.toBeUndefined();
  worker.refusal = 'gone';
  const { request } = sealedRequestFor({ model: 'test-model' });
  await expect(enclave?.startTurn(request)).rejects.toMatchObject({ code: 'gone' });
  // 410 by the worker itself, and still there.
  expect(await pool.find(claimed?.id ?? '', place)).toBe(enclave);
});
