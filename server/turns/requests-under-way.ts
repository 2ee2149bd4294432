import type { Kysely } from 'kysely';
import { RelayError } from '../relay-error.ts';
import type { Schema } from '../storage/schema.ts';

/** Half of what the smallest engine takes: one account alone does not make it say "busy" to everybody else. */
const maximumUnderWay = 8;
const retryAfterSeconds = 10;

/**
 * Makes sure that an account, which is locked, may hand one more sealed request to an enclave.
 *
 * Each request of a running turn counts until its transcript is closed: an enclave answers a question that is sealed anew
 * beside the one that it has. So does one that it refused, as long as the turn runs.
 *
 * @throws {RelayError} `too-many-requests` while the account has all of its places.
 */
export async function requirePlace(trx: Kysely<Schema>, accountId: string): Promise<void> {
  const turns = await trx
    .selectFrom('turns')
    .select((turn) => [
      'attempts',
      turn
        .selectFrom('transcripts')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('transcripts.turn_id', '=', 'turns.id')
        .where('transcripts.closed', 'is not', null)
        .as('closed'),
    ])
    .where('account_id', '=', accountId)
    .where('state', '=', 'running')
    .execute();
  const underWay = turns.reduce((sum, { attempts, closed }) => sum + Math.max(1, attempts - Number(closed)), 0);
  if (underWay >= maximumUnderWay) throw new RelayError('too-many-requests', retryAfterSeconds);
}
