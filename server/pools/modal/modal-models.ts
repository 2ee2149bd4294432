import type { Kysely } from 'kysely';
import * as v from 'valibot';
import { modelField } from '../../../crypto/protocol/messages/fields.ts';
import type { Schema } from '../../storage/tables/schema.ts';
import type { ModalEnclave } from './modal-enclave.ts';

const storedModels = v.pipe(v.array(modelField), v.minLength(1), v.maxLength(64));
const keptMs = 60_000;

/** Keeps the models of one front door, as one of its containers said last: all of them are of one deployment. */
export class ModalModels {
  readonly #db: Kysely<Schema>;
  readonly #name: string;
  #known: { readonly models: readonly string[]; readonly atMs: number } | null = null;

  constructor(db: Kysely<Schema>, pool: string) {
    this.#db = db;
    this.#name = `enclave-models ${pool}`;
  }

  /** @returns null as long as no container ever answered. */
  async known(): Promise<readonly string[] | null> {
    if (this.#known !== null && performance.now() - this.#known.atMs < keptMs) return this.#known.models;
    const row = await this.#db.selectFrom('metadata').select('value').where('name', '=', this.#name).executeTakeFirst();
    if (row === undefined) return null;
    const parsed = v.safeParse(storedModels, JSON.parse(row.value));
    if (!parsed.success) return null;
    this.#known = { models: parsed.output, atMs: performance.now() };
    return parsed.output;
  }

  /** Asks a container, and remembers for all processes what it says. @throws {RelayError}. */
  async of(enclave: ModalEnclave): Promise<readonly string[]> {
    const models = await enclave.models();
    const value = JSON.stringify(models);
    if (JSON.stringify(this.#known?.models) !== value) {
      await this.#db
        .insertInto('metadata')
        .values({ name: this.#name, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute();
      this.#known = { models, atMs: performance.now() };
    }
    return models;
  }
}
