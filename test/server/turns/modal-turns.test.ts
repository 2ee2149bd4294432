import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { closeReasons } from '../../../crypto/protocol/messages/live-record.ts';
import { sodiumReady } from '../../../crypto/primitives/sodium.ts';
import { AskingPerson } from '../../parts/users/with-keys/asking-person.ts';
import { ModalFrontDoor } from '../../parts/worker/modal/modal-front-door.ts';
import { type ModalRelay, startModalRelay } from '../../parts/relay/in-process/modal-relay.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import { stateOf, until } from '../../parts/relay/in-process/turn-process.ts';
import { makeSignedInAccount } from '../../parts/users/without-keys/vault-device.ts';

// Real workers boot in each of them, on whatever machine this is.
/* Turns over sessions: what holds a container awake, and what becomes of a turn whose relay or container goes. */

describe.each(databaseKinds)('%s', (kind) => {
  let database: TestDatabase;
  let door: ModalFrontDoor;
  let relay: ModalRelay;
  beforeEach(async () => {
    await sodiumReady();
    database = await makeDatabase(kind);
    door = await new ModalFrontDoor({ maximumContainers: 2, targetConcurrency: 1 }).start();
    await door.warm(1);
    relay = await startModalRelay(database, door);
  });
  afterEach(async () => {
    await relay.service.close();
    await door[Symbol.asyncDispose]();
    await database.close();
    await database.remove();
  });

  test('the live response stands while a turn runs, and not a moment longer', async () => {
    const person = new AskingPerson(relay, await makeSignedInAccount(database));
    const enclave = await person.verifyEnclave();
    expect(door.liveResponses).toBe(0);
    const asked = person.ask('Still there?', enclave);
    await until(() => door.liveResponses === 1);
    const { answers, sealings } = await asked;
    expect([answers.length, sealings.length]).toEqual([1, 1]);
    await until(() => door.liveResponses === 0);
    // And again for the next one, over the same session.
    const again = new AskingPerson(relay, await makeSignedInAccount(database));
    await again.ask('And now?', await again.verifyEnclave());
    await until(() => door.liveResponses === 0);
    expect(relay.logged()).not.toContain('enclave-stream-closed');
  });

  test('another relay goes on with a turn over the same session', async () => {
    const device = await makeSignedInAccount(database);
    const person = new AskingPerson(relay, device);
    const asked = person.ask('Who carries this?', await person.verifyEnclave());
    await until(async () => (await database.db.selectFrom('frames').select('number').execute()).length > 0);
    await relay.service.close();
    const before = door.startCalls;
    relay = await startModalRelay(database, door);
    const { answers } = await asked;
    expect(answers.map(({ text }) => text)).toEqual([expect.stringContaining('You wrote: “Who carries this?”')]);
    expect(door.startCalls).toBe(before);
    expect(await stateOf(database, person.turnId)).toBe('ended');
  });

  test('a container that is preempted loses the turn at once, and another answers', async () => {
    const device = await makeSignedInAccount(database);
    const person = new AskingPerson(relay, device);
    const asked = person.ask('Lost?', await person.verifyEnclave());
    await until(async () => (await database.db.selectFrom('frames').select('number').execute()).length > 0);
    await door.running[0]?.kill();
    // Not after the quarter of an hour for which a living enclave would hold its frames.
    await until(() => relay.logged().includes('"event":"enclave-lost"'));
    const { answers, sealings } = await asked;
    expect([answers.length, sealings.length]).toEqual([1, 2]);
    expect(answers[0]?.sealing).toBe(sealings[1]);
    const closed = await database.db.selectFrom('transcripts').select('closed').orderBy('created_at').execute();
    expect(closed).toEqual([{ closed: closeReasons.lost }, { closed: closeReasons.final }]);
  });
});
