import { type CreateTableBuilder, type RawBuilder, sql } from 'kysely';

export type DatabaseKind = 'sqlite' | 'postgres';

/** How a migration spells the types that the two databases name differently. */
export interface ColumnTypes {
  readonly bytes: RawBuilder<unknown>;
  readonly integer: RawBuilder<unknown>;
  /** Adds what stands behind the closing parenthesis; `clusterByKey` keeps rows in the order of their primary key. */
  finishTable(table: CreateTableBuilder<string, string>, clusterByKey: boolean): CreateTableBuilder<string, string>;
}

const columnTypes: Record<DatabaseKind, ColumnTypes> = {
  sqlite: {
    bytes: sql`blob`,
    integer: sql`integer`,
    // STRICT refuses a text where a number belongs, as PostgreSQL does by itself.
    finishTable: (table, clusterByKey) => table.modifyEnd(clusterByKey ? sql`strict, without rowid` : sql`strict`),
  },
  postgres: {
    bytes: sql`bytea`,
    integer: sql`bigint`,
    finishTable: (table) => table,
  },
};

export function columnTypesOf(kind: DatabaseKind): ColumnTypes {
  return columnTypes[kind];
}
