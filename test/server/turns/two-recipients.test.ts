import { afterEach, beforeEach, expect, test } from 'vitest';
import { sodiumReady } from '../../../crypto/primitives/sodium.ts';
import { nameEnclave } from '../../../server/pools/enclave-client.ts';
import { StaticPool } from '../../../server/pools/static/static-pool.ts';
import { LocalChangeFeed } from '../../../server/live/change-feed.ts';
import { TurnService } from '../../../server/turns/turn-service.ts';
import { AskingPerson } from '../../parts/users/with-keys/asking-person.ts';
import { FrontDoorContainer } from '../../parts/worker/modal/modal-front-door-container.ts';
import { noCollateral } from '../../parts/relay/in-process/no-collateral.ts';
import { quietLog } from '../../parts/relay/in-process/quiet-log.ts';
import { makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import { until } from '../../parts/relay/in-process/turn-process.ts';
import { makeAccount } from '../../parts/users/without-keys/vault-device.ts';
import { rightClock } from '../../parts/machine/clocks/right-clock.ts';

// Real workers boot in each of them, on whatever machine this is.
/* Two real workers, requests sealed to both for real. */

const token = 'two-recipients-token-0123456789abcdef';
let database: TestDatabase;
let workers: [FrontDoorContainer, FrontDoorContainer];
let service: TurnService;

beforeEach(async () => {
  await sodiumReady();
  database = await makeDatabase('sqlite');
  workers = [new FrontDoorContainer(0, { ENCLAVE_TOKEN: token }), new FrontDoorContainer(0, { ENCLAVE_TOKEN: token })];
  await Promise.all(workers.map(({ ready }) => ready));
  const pool = new StaticPool(workers.map(({ url }) => ({ url, token, unreachable: 'enclave-unreachable' as const })));
  const dependencies = { database, pool, collateral: noCollateral, feed: new LocalChangeFeed(), log: quietLog() };
  service = new TurnService({ ...dependencies, clock: rightClock, quotaBytes: 1e9 });
  await service.start();
  await until(async () => (await pool.choose({ accountId: 'a', model: 'm' })).every(({ connected }) => connected));
});
afterEach(async () => {
  await service.close();
  await Promise.all(workers.map((worker) => worker.kill()));
  await database.close();
  await database.remove();
});

test('both offered, the first killed before Send: the second answers the same request', async () => {
  const device = await makeAccount(database);
  const person = new AskingPerson({ service }, device);
  const enclave = await person.verifyEnclave();
  if (enclave.alternate === null) throw new Error('Two workers are two recipients.');
  const [preferred] = await service.pool.choose({ accountId: device.accountId, model: 'default' });
  expect(preferred?.id).toBe(enclave.enclaveId);
  const [first, second] = [enclave.enclave, enclave.alternate.enclave].map(({ statement }) => statement.keys[0]?.keyId);
  // An entry is named by its address.
  const preferredWorker = workers.find(({ url }) => nameEnclave(new URL(url).href) === enclave.enclaveId);
  await preferredWorker?.kill();
  expect(preferredWorker?.state).toBe('gone');
  const { answers, sealings } = await person.ask('Who answers?', enclave);
  // Sealed once: nobody had to come back for it.
  expect(sealings).toHaveLength(1);
  expect(sealings[0]?.keyIds).toEqual([first, second]);
  expect(answers.map(({ openedBy }) => openedBy)).toEqual([second]);
  expect(answers[0]?.text).toContain('You wrote: “Who answers?”');
});

test('both offered and both there: the first answers alone', async () => {
  const person = new AskingPerson({ service }, await makeAccount(database));
  const enclave = await person.verifyEnclave();
  const { answers, sealings } = await person.ask('Who answers?', enclave);
  expect(sealings).toHaveLength(1);
  expect(answers.map(({ openedBy }) => openedBy)).toEqual([enclave.enclave.statement.keys[0]?.keyId]);
});
