import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { DatabaseKind } from '../../storage/tables/column-types.ts';
import type { Schema, TurnTable } from '../../storage/tables/schema.ts';
import type { Lease } from './turn-rows.ts';

/** Renewed three times within its length. */
export const leaseMs = 15_000;
export const renewalIntervalMs = 5_000;
export const claimedAtOnce = 500;
/** A lease that ends later than this was written by a clock that is far ahead, and would never end. */
const longestLeaseMs = 600_000;

/**
 * Which process writes a turn's frames. Two that write the same turn for a moment do no harm, since a frame is stored
 * once; none that does would lose what the enclave lets go.
 */
export class TurnLeases {
  readonly owner = randomUUID();
  readonly #kind: DatabaseKind;

  constructor(kind: DatabaseKind) {
    this.#kind = kind;
  }

  /** The one process of an SQLite folder, as its lock says: whoever held a lease before is dead. */
  get isAlone(): boolean {
    return this.#kind === 'sqlite';
  }

  newLease(): Lease {
    return { owner: this.owner, untilMs: Date.now() + leaseMs };
  }

  /** @returns the ids of the running turns that are still this process's. */
  async renew(db: Kysely<Schema>): Promise<TurnTable['id'][]> {
    const rows = await db
      .updateTable('turns')
      .set({ lease_until: this.newLease().untilMs })
      .where('state', '=', 'running')
      .where('lease_owner', '=', this.owner)
      .returning('id')
      .execute();
    return rows.map((row) => row.id);
  }

  /**
   * Takes over running turns that nobody writes.
   *
   * @returns at most `claimedAtOnce`.
   */
  claim(db: Kysely<Schema>): Promise<TurnTable[]> {
    const lease = this.newLease();
    const nowMs = Date.now();
    return db
      .updateTable('turns')
      .set({ lease_owner: lease.owner, lease_until: lease.untilMs })
      .where('id', 'in', (expression) =>
        expression
          .selectFrom('turns')
          .select('id')
          .where('state', '=', 'running')
          .where((turn) =>
            this.isAlone
              ? turn.or([turn('lease_owner', 'is', null), turn('lease_owner', '<>', this.owner)])
              : turn.or([
                  turn('lease_until', 'is', null),
                  turn('lease_until', '<', nowMs),
                  turn('lease_until', '>', nowMs + longestLeaseMs),
                ]),
          )
          .limit(claimedAtOnce)
          .$if(this.#kind === 'postgres', (query) => query.modifyEnd(sql`for update skip locked`)),
      )
      .returningAll()
      .execute();
  }

  /** Lets another process take over at once. */
  async release(db: Kysely<Schema>): Promise<void> {
    await db
      .updateTable('turns')
      .set({ lease_owner: null, lease_until: null })
      .where('state', '=', 'running')
      .where('lease_owner', '=', this.owner)
      .execute();
  }
}
