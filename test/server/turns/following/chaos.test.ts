import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { DatabaseKind } from '../../../../server/storage/tables/column-types.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import type { ScriptedWorker } from '../../../parts/worker/scripted-worker.ts';
import { storedBytes } from '../../../parts/relay/in-process/turn-process.ts';
import { type ChaosTurn, Turmoil } from './turmoil.ts';

/*
 * The model of server/turns/README.md under everything that happens to relays: starts that come again, kills, processes
 * that sleep past their leases, cut connections, a full disk. At the end every transcript that the enclave holds is stored
 * whole and closed, and its turn is over.
 *
 * `CHAOS=long npx vitest run --project unit test/server/turns/following/chaos.test.ts` draws new seeds for a quarter of an hour;
 * `CHAOS=<seed>` plays one again.
 */

const asked = process.env['CHAOS'] ?? '';
const isLong = asked === 'long';
const turmoilMs = isLong ? 40_000 : 15_000;
const rounds = isLong ? 8 : 1;
const fixedSeed = /^\d+$/.test(asked) ? Number(asked) : 20_261_130;

/** Each transcript of a turn in the order in which it was stored: header, frames without a gap, why it is closed. */
async function faultsOf(database: Database, { start }: ChaosTurn, worker: ScriptedWorker): Promise<string[]> {
  const turnId = fromBase64Url(start.turnId);
  const faults: string[] = [];
  const turn = await database.db.selectFrom('turns').select('state').where('id', '=', turnId).executeTakeFirst();
  if (turn?.state !== 'ended') faults.push(`the turn is ${turn?.state ?? 'not there'}`);
  const stored = await storedBytes(database, start.turnId);
  const held = worker.transcripts.filter((transcript) => transcript.turnId === start.turnId);
  for (const [index, transcript] of held.entries()) {
    if (stored.includes(worker.recordsOf(transcript))) continue;
    const isThere = stored.includes(Buffer.from(transcript.transcriptId));
    // The transcript came of a relay that was killed in the moment of its acceptance, while another one sealed anew and was
    // answered.
    if (!isThere && index < held.length - 1) continue;
    const rows = await database.db
      .selectFrom('frames')
      .select(['number', 'count'])
      .where('turn_id', '=', turnId)
      .where('transcript_id', '=', transcript.transcriptId)
      .orderBy('number')
      .execute();
    const runs = rows.map(({ count, number }) => `${number}+${count}`).join(' ');
    faults.push(`transcript ${index} of ${transcript.frames.length} frames is stored as ${isThere ? runs : 'nothing'}`);
  }
  return faults;
}

/** @returns what is wrong at the end, with the seed that plays it again. */
async function play(kind: DatabaseKind, seed: number): Promise<string[]> {
  const turmoil = new Turmoil(kind, seed, turmoilMs);
  try {
    await turmoil.begin();
    await turmoil.rage();
    await turmoil.mend();
    const database = await turmoil.settled();
    const faults: string[] = [];
    for (const turn of turmoil.turns) faults.push(...(await faultsOf(database, turn, turmoil.worker)));
    if (turmoil.worker.transcripts.length < turmoil.turns.length) faults.push('some turns never began');
    return faults.map((fault) => `CHAOS=${seed}: ${fault}`);
  } catch (error) {
    const said = turmoil.relays.flatMap((relay) => relay.complaints).join('');
    throw new Error(`CHAOS=${seed} on ${kind}. The relays said: ${said.slice(-2_000)}`, { cause: error });
  } finally {
    await turmoil.end();
  }
}

/** One test for each, so that a long run is seen to go on. */
const plays = Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
  (['postgres', 'sqlite'] as const).map((kind) => ({ kind, round })),
);

test.each(plays)('no frame is lost, whatever happens to relays on $kind', { timeout: 400_000 }, async ({ kind }) => {
  expect(await play(kind, isLong ? randomInt(2 ** 31) : fixedSeed)).toEqual([]);
});
