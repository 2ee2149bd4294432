import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { fromBase64Url, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { type CacheRow, type ChangingRows, type CollectionName, keyOf, numberOf } from '../vault/store/cache.ts';

/** One table a collection: the long bytes of a row as they are, all its other fields as JSON. */
export function tableOf(collection: CollectionName): string {
  return `create table if not exists ${collection} (
    key text primary key, number real, fields text not null, body blob) strict;
    create index if not exists ${collection}_number on ${collection} (number);`;
}

/** The rows of one connection; whoever asks holds it alone. @throws the engine's own errors. */
export class SqliteRows implements ChangingRows {
  readonly #database: DatabaseSync;
  /** True if a whole collection went: its rows are then to leave the disk too. */
  hasEmptied = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async get(collection: CollectionName, key: string): Promise<unknown> {
    const [row = null] = this.#read(`select fields, body from ${collection} where key = ?`, key);
    return row;
  }

  async list(collection: CollectionName, from?: number): Promise<unknown[]> {
    if (from === undefined) return this.#read(`select fields, body from ${collection}`);
    return this.#read(`select fields, body from ${collection} where number >= ?`, from);
  }

  async put(collection: CollectionName, rows: readonly CacheRow[]): Promise<void> {
    const statement = this.#database.prepare(`insert or replace into ${collection} values (?, ?, ?, ?)`);
    for (const row of rows) {
      const { body, ...fields } = row;
      const isBytes = body instanceof Uint8Array;
      const text = JSON.stringify(encode(isBytes ? fields : row));
      statement.run(keyOf(collection, row), numberOf(collection, row), text, isBytes ? body : null);
    }
  }

  async delete(collection: CollectionName, keys: readonly string[] | 'all'): Promise<void> {
    if (keys === 'all') {
      this.#database.exec(`delete from ${collection}`);
      this.hasEmptied = true;
      return;
    }
    const statement = this.#database.prepare(`delete from ${collection} where key = ?`);
    for (const key of keys) statement.run(key);
  }

  #read(sql: string, ...parameters: SQLInputValue[]): unknown[] {
    const stored = this.#database.prepare(sql).all(...parameters);
    return stored.map(({ fields, body }) => {
      const row = parse(fields);
      return body instanceof Uint8Array ? { ...row, body: new Uint8Array(body) } : row;
    });
  }
}

/** A row that is damaged is one without fields: whoever reads it checks it. */
function parse(fields: unknown): Record<string, unknown> {
  try {
    const value = decode(JSON.parse(String(fields)));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Bytes as `{"$bytes": base64url}`. A key of WebCrypto has no other form than its own: nothing is kept of it. */
function encode(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: toBase64Url(value) };
  if (value instanceof CryptoKey) return null;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encode(member)]));
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { $bytes } = value as { $bytes?: unknown };
  if (typeof $bytes === 'string') return fromBase64Url($bytes);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, decode(member)]));
}
