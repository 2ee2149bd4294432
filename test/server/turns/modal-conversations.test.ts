import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sodiumReady } from '../../../crypto/primitives/sodium.ts';
import { ModalFrontDoor } from '../../parts/worker/modal/modal-front-door.ts';
import { AskingPerson } from '../../parts/users/with-keys/asking-person.ts';
import { type ModalRelay, startModalRelay } from '../../parts/relay/in-process/modal-relay.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import { until } from '../../parts/relay/in-process/turn-process.ts';
import { makeSignedInAccount } from '../../parts/users/without-keys/vault-device.ts';

/*
 * Two hundred people at once, over real workers on a double of Modal, one of them killed while it answers: real evidence,
 * real seals, the answers opened out of the database.
 */

const people = 200;
const workers = 4;

describe.each(databaseKinds)('%s', (kind) => {
  let database: TestDatabase;
  let door: ModalFrontDoor;
  let relays: ModalRelay[];

  beforeAll(async () => {
    await sodiumReady();
    database = await makeDatabase(kind);
    door = await new ModalFrontDoor({ maximumContainers: workers }).start();
    await door.warm(workers);
    // SQLite has one process alone; PostgreSQL's two share the sessions.
    relays = [await startModalRelay(database, door)];
    if (kind === 'postgres') relays.push(await startModalRelay(database, door));
  });
  afterAll(async () => {
    for (const relay of relays) await relay.service.close();
    await door[Symbol.asyncDispose]();
    await database.close();
    await database.remove();
  });

  test('200 conversations over 4 workers, one killed: every message answered by whom it was sealed to', async () => {
    const all = await Promise.all(
      Array.from({ length: people }, async (_, index) => {
        const relay = relays[index % relays.length]!;
        return new AskingPerson(relay, await makeSignedInAccount(database));
      }),
    );
    const verified = await Promise.all(all.map((person) => person.verifyEnclave()));
    const victim = door.running[0]!;
    const perWorker = door.running.map((container) => door.sessionsOf(container));
    expect(perWorker).toEqual(Array.from({ length: workers }, () => people / workers));

    const asked = Promise.all(all.map((person, index) => person.ask(`Question number ${index}?`, verified[index]!)));
    const begun = async () => (await database.db.selectFrom('transcripts').select('turn_id').execute()).length;
    await expect.poll(begun, { interval: 100, timeout: 90_000 }).toBeGreaterThan(people / 3);
    await victim.kill();
    const conversations = await asked;

    conversations.forEach(({ answers, turnId }, index) => {
      expect(answers.length, turnId).toBeGreaterThan(0);
      for (const { openedBy, sealing, text } of answers) {
        expect(text).toContain(`You wrote: “Question number ${index}?”`);
        expect(sealing.keyIds).toContain(openedBy);
      }
    });
    // Some were asked twice, the killed worker's own; nobody else was bothered.
    const again = conversations.filter(({ sealings }) => sealings.length > 1).length;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThanOrEqual(people / workers);
    const states = await database.db.selectFrom('turns').select('state').distinct().execute();
    expect(states).toEqual([{ state: 'ended' }]);
    const items = await database.db.selectFrom('items').select('id').execute();
    expect(items).toHaveLength(people);
    expect(door.strayRequests).toBe(0);
    // When no turn runs, nothing keeps a container awake.
    await until(() => door.liveResponses === 0);
  });
});
