import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import { stateOf, storedBytes, turnStart, until } from '../../../parts/relay/in-process/turn-process.ts';
import { makeAccount } from '../../../parts/users/without-keys/vault-device.ts';
import { databaseKinds, makeDatabase } from '../../../parts/storage/relay-database.ts';

const child = new URL('relay-child.ts', import.meta.url);

describe.each(databaseKinds)('a relay killed in the middle of replies, on %s', (kind) => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const process of children.splice(0)) process.kill('SIGKILL');
  });

  async function startRelay(settings: object): Promise<ChildProcess> {
    const process = fork(child, [JSON.stringify(settings)]);
    children.push(process);
    await once(process, 'message');
    return process;
  }

  async function kill(process: ChildProcess): Promise<void> {
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  test('loses no byte of any turn, and ends them', async () => {
    await using worker = new DisposableWorker();
    await worker.start();
    const made = await makeDatabase(kind);
    // Four turns each, of five accounts.
    const devices = [];
    for (let i = 0; i < 5; i++) devices.push(await makeAccount(made));
    await made.close();
    const settings = { ...made.place, worker: { url: worker.url, token: worker.token } };
    const { enclaveId } = await enclaveOf(worker);

    // The SQLite folder has one process at a time: there the turns are looked at when the relay is gone for good.
    const database = kind === 'postgres' ? await openDatabase(made.place) : null;
    let relay = await startRelay(settings);
    const turns: TurnStart[] = [];
    for (const device of [...devices, ...devices, ...devices, ...devices]) {
      const start = turnStart(device, enclaveId, { batch: null });
      relay.send({ accountId: device.accountId, start });
      const [message] = (await once(relay, 'message')) as [{ answer?: { kind: string } }];
      expect(message.answer?.kind).toBe('accepted');
      turns.push(start);
    }
    const speakAll = (count: number) => {
      for (const start of turns) worker.speak(worker.transcriptOf(start.turnId), count);
    };
    // Three kills at different moments: before a flush, within one, and while nobody listens.
    for (const pauseMs of [50, 205, 330]) {
      speakAll(7);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      speakAll(2);
      await kill(relay);
      // The dead process's leases, without waiting for their fifteen seconds.
      await database?.db.updateTable('turns').set({ lease_until: 1 }).where('state', '=', 'running').execute();
      speakAll(5);
      relay = await startRelay(settings);
    }
    speakAll(3);
    for (const start of turns) worker.close(worker.transcriptOf(start.turnId));

    if (database === null) {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await kill(relay);
    } else {
      for (const start of turns) await until(async () => (await stateOf(database, start.turnId)) === 'ended');
    }
    const reader = database ?? (await openDatabase(made.place));
    for (const start of turns) {
      const transcript = worker.transcriptOf(start.turnId);
      expect(transcript.frames).toHaveLength(3 * 14 + 3);
      expect((await storedBytes(reader, start.turnId)).equals(worker.recordsOf(transcript))).toBe(true);
      expect(await stateOf(reader, start.turnId)).toBe('ended');
    }
    expect(worker.transcripts).toHaveLength(turns.length);
    await reader.close();
    await made.remove();
  });
});

class DisposableWorker extends ScriptedWorker implements AsyncDisposable {
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function enclaveOf(worker: ScriptedWorker): Promise<{ readonly enclaveId: string }> {
  const { StaticPool } = await import('../../../../server/pools/static/static-pool.ts');
  const pool = new StaticPool([{ url: worker.url, token: worker.token, unreachable: 'enclave-unreachable' }]);
  const [enclave] = await pool.choose({ accountId: toBase64Url(randomBytes(16)), model: 'm' });
  await pool.close();
  return { enclaveId: enclave?.id ?? '' };
}
