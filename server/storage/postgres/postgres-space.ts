import { type Kysely, sql } from 'kysely';
import type { Schema } from '../tables/schema.ts';
import type { SpaceGauge, SpaceReading } from '../trouble/storage-space.ts';

/** A chunk of a value that PostgreSQL keeps outside its row takes a quarter of a page. */
const chunkBytes = 2048;
/** Header, line pointer and padding of a row. */
const rowOverhead = 40;

/**
 * Reads the size of a PostgreSQL database. Its files do not shrink when rows are deleted: what vacuum made free in them is
 * estimated from PostgreSQL's own counts, so that a deletion gives room back. Its disk cannot be seen from here.
 */
export class PostgresSpace implements SpaceGauge {
  readonly #db: Kysely<Schema>;
  #reading: SpaceReading | null = null;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  read(): SpaceReading | null {
    return this.#reading;
  }

  async refresh(): Promise<void> {
    // A table that was never analysed has no counts to go by: all of it counts as used.
    const { rows } = await sql<{ bytes: number; reusable: number }>`
      with widths as (
        select tablename, sum(avg_width) as width from pg_stats where schemaname = current_schema() group by tablename
      ), own as (
        select oid, relname, reltoastrelid from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace
      ), parts as (
        select own.oid, width + ${sql.lit(rowOverhead)} as row_bytes
        from own join widths on widths.tablename = own.relname
        union all
        select reltoastrelid, ${sql.lit(chunkBytes)} from own where reltoastrelid <> 0
      )
      select
        pg_database_size(current_database()) as bytes,
        coalesce(sum(greatest(0, pg_relation_size(parts.oid)
          - greatest(class.reltuples, counts.n_live_tup + counts.n_dead_tup) * row_bytes))::bigint, 0) as reusable
      from parts
      join pg_class class on class.oid = parts.oid
      join pg_stat_all_tables counts on counts.relid = parts.oid
      where class.reltuples >= 0
    `.execute(this.#db);
    const [row] = rows;
    if (row === undefined) throw new Error('PostgreSQL does not say its size.');
    this.#reading = { usedBytes: row.bytes - row.reusable, reusableBytes: row.reusable, disk: null };
  }
}
