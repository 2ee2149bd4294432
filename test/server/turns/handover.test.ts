import { expect, onTestFinished, test, vi } from 'vitest';
import { fromBase64Url } from '../../../crypto/primitives/bytes.ts';
import type { Database } from '../../../server/storage/database.ts';
import { PostgresChangeFeed } from '../../../server/turns/postgres-change-feed.ts';
import { startTurn } from '../../../server/turns/start-turn.ts';
import { quietLog } from '../../parts/quiet-log.ts';
import { openTestDatabase } from '../../parts/relay-database.ts';
import { ScriptedWorker } from '../../parts/scripted-worker.ts';
import { startTurnProcess, stateOf, storedBytes, turnStart, until } from '../../parts/turn-process.ts';
import { makeAccount } from '../../parts/vault-device.ts';

function feedOf({ db, openClient }: Database): PostgresChangeFeed {
  if (openClient === null) throw new Error('Replicas need PostgreSQL.');
  return new PostgresChangeFeed(db, openClient, quietLog());
}

test('a replica that stops hands its running turns to another one at once', async () => {
  const database = await openTestDatabase('postgres');
  const worker = await new ScriptedWorker().start();
  onTestFinished(() => worker.stop());
  const device = await makeAccount(database);
  // The rounds in which replicas look for turns by themselves never come.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const first = await startTurnProcess(database, [worker], feedOf(database));
  const second = await startTurnProcess(database, [worker], feedOf(database));
  onTestFinished(() => second.service.close());
  const [enclave] = await first.service.pool.choose({ accountId: device.accountId, model: 'test-model' });
  const start = turnStart(device, enclave?.id ?? '');
  await startTurn(first.service, device.accountId, start);
  const transcript = worker.transcriptOf(start.turnId);
  worker.speak(transcript, 3);

  await first.service.close();
  const ownerOf = async () => {
    const id = fromBase64Url(start.turnId);
    const turns = database.db.selectFrom('turns').select('lease_owner').where('id', '=', id);
    return (await turns.executeTakeFirst())?.lease_owner;
  };
  await until(async () => (await ownerOf()) === second.service.leases.owner);
  // It has asked for what comes next: what is missed later would wait for its rounds.
  const held = () => [...(second.service.hub.find(fromBase64Url(start.turnId))?.transcripts.values() ?? [])];
  await until(() => held().length === 1 && held().every(({ inOrder }) => inOrder));
  worker.speak(transcript, 4);
  worker.close(transcript);
  await until(async () => (await stateOf(database, start.turnId)) === 'ended');
  expect((await storedBytes(database, start.turnId)).equals(worker.recordsOf(transcript))).toBe(true);
});
