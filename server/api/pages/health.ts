import type { Database } from '../../storage/tables/database.ts';
import type { StaticFiles } from './static-files.ts';

/** A database that does not answer must not keep whoever asks for the relay's health waiting. */
const deadlineMs = 1_500;
const rememberedForMs = 1_000;

/** They answer under any name, and where none is given: probes ask by address, and learn no more than that the process is there. */
export const livePath = '/livez';
export const readyPaths = ['/healthz', '/readyz'] as const;

export type Health = {
  /** True if a turn could be taken now. */
  readonly isReady: boolean;
  /** Codes of what an operator should look at, although all works. */
  readonly marks: readonly string[];
};

export type HealthDependencies = {
  readonly database: Pick<Database, 'db' | 'space'>;
  readonly files: Pick<StaticFiles, 'isBuilt'>;
  readonly pool: { isReady(): Promise<boolean> };
};

/** Looks at database, client and enclaves. Anyone may ask: many questions at once are one look. */
export class HealthCheck {
  readonly #dependencies: HealthDependencies;
  /** One question to the database at a time: those that it does not answer must not take all connections. */
  #asking: Promise<boolean> | null = null;
  #looked: { readonly health: Promise<Health>; readonly atMs: number } | null = null;

  #isLeaving = false;

  constructor(dependencies: HealthDependencies) {
    this.#dependencies = dependencies;
  }

  /** The relay stops: from now on it is not ready, whatever was remembered. */
  leave(): void {
    this.#isLeaving = true;
  }

  async look(): Promise<Health> {
    if (this.#isLeaving) return { isReady: false, marks: [] };
    const nowMs = performance.now();
    if (this.#looked === null || nowMs - this.#looked.atMs > rememberedForMs) {
      this.#looked = { health: this.#look(), atMs: nowMs };
    }
    const health = await this.#looked.health;
    return this.#isLeaving ? { ...health, isReady: false } : health;
  }

  async #look(): Promise<Health> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), deadlineMs);
    try {
      return { isReady: await Promise.race([this.#isReady(), late]), marks: this.#marks() };
    } finally {
      clearTimeout(timer);
    }
  }

  async #isReady(): Promise<boolean> {
    const { files, pool } = this.#dependencies;
    if (!files.isBuilt) return false;
    const [answers, hasEnclave] = await Promise.all([this.#databaseAnswers(), pool.isReady().catch(() => false)]);
    return answers && hasEnclave;
  }

  #databaseAnswers(): Promise<boolean> {
    this.#asking ??= this.#dependencies.database.db
      .selectFrom('metadata')
      .select('name')
      .limit(1)
      .execute()
      .then(
        () => true,
        () => false,
      )
      .finally(() => (this.#asking = null));
    return this.#asking;
  }

  #marks(): string[] {
    try {
      const { level } = this.#dependencies.database.space;
      return level === 'ample' ? [] : [`storage-${level}`];
    } catch {
      // Neither the disk nor the file can be read: the question to the database says so.
      return [];
    }
  }
}
