import { StatementSync } from 'node:sqlite';
import pg from 'pg';
import { vi } from 'vitest';

/**
 * SQL that a call costs, on either database, in order.
 *
 * @param tables - Only statements that name one of these: timers of the relay talk to the database as well.
 */
export async function statementsDuring(tables: readonly string[], call: () => Promise<unknown>): Promise<string[]> {
  const sqlite = (['all', 'run'] as const).map((method) => vi.spyOn(StatementSync.prototype, method));
  const postgres = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await call();
    const texts = [
      ...sqlite.flatMap((spy) => spy.mock.contexts.map((statement) => (statement as StatementSync).sourceSQL)),
      ...postgres.mock.calls.map(([text]) => String(text)),
    ];
    return texts.filter((text) => tables.some((table) => text.includes(`"${table}"`)));
  } finally {
    for (const spy of sqlite) spy.mockRestore();
    postgres.mockRestore();
  }
}
