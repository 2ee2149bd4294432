import type { Kysely } from 'kysely';
import { requestHashOf } from '../../../crypto/protocol/messages/transcript-header.ts';
import { type Bytes, equalBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import type { Schema } from '../../storage/tables/schema.ts';

/**
 * Half of what the smallest engine takes: one account's running turns alone do not make it say "busy" to everybody else.
 * A turn that was deleted while it ran counts no longer, though its enclave goes on.
 */
const maximumUnderWay = 8;
const retryAfterSeconds = 10;

/**
 * Makes sure that an account, which is locked, may hand one more sealed request of this turn to an enclave.
 *
 * Every open transcript of a running turn counts, since an enclave answers a question that is sealed anew beside the one that
 * it has. The newest request counts until its transcript is here. Older ones without a transcript were refused or lost, and the
 * newest stands for them: a turn that keeps asking keeps its place.
 *
 * @throws {RelayError} `too-many-requests` while the account has all of its places.
 */
export async function requirePlace(trx: Kysely<Schema>, accountId: string, turnId: Bytes): Promise<void> {
  const turns = await trx
    .selectFrom('turns')
    .leftJoin('turn_attempts', (join) =>
      join.onRef('turn_attempts.turn_id', '=', 'turns.id').onRef('turn_attempts.number', '=', 'turns.attempts'),
    )
    .select(['turns.id', 'turn_attempts.request_hash as newest'])
    .where('turns.account_id', '=', accountId)
    .where('turns.state', '=', 'running')
    .where('turns.id', '!=', turnId)
    .execute();
  const ids = [turnId, ...turns.map(({ id }) => id)];
  const transcripts = await trx
    .selectFrom('transcripts')
    .select(['turn_id', 'header', 'closed'])
    .where('turn_id', 'in', ids)
    .execute();
  const transcriptsOf = (id: Bytes) => transcripts.filter((transcript) => equalBytes(transcript.turn_id, id));
  const openOf = (id: Bytes) => transcriptsOf(id).filter(({ closed }) => closed === null).length;
  let underWay = openOf(turnId);
  for (const { id, newest } of turns) {
    const isHere = transcriptsOf(id).some(({ header }) => newest !== null && equalBytes(requestHashOf(header), newest));
    // One whose transcripts are all closed still runs.
    underWay += Math.max(1, openOf(id) + (isHere ? 0 : 1));
  }
  if (underWay >= maximumUnderWay) throw new RelayError('too-many-requests', retryAfterSeconds);
}
