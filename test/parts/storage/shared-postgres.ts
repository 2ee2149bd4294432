import { createServer } from 'node:http';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { startPostgres, type Postgres } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test processes ask for a database. */
    databasesUrl: string;
  }
}

/**
 * An empty PostgreSQL database for the calling test, in the one server of this test run.
 *
 * The server starts with the first call of the run: a run that asks for none pays nothing.
 *
 * @returns its connection URL.
 */
export async function createDatabase(): Promise<string> {
  const response = await fetch(inject('databasesUrl'), { method: 'POST' });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/**
 * For vitest's `globalSetup`: test files run in processes of their own, so the one that owns the server listens on
 * loopback and hands out databases.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<Postgres> | undefined;
  const server = createServer((_request, response) => {
    started ??= startPostgres();
    started
      .then((postgres) => postgres.createDatabase())
      .then(
        (url) => response.end(url),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The listener has no port.');
  project.provide('databasesUrl', `http://127.0.0.1:${address.port}/databases`);
  return async () => {
    server.closeAllConnections();
    server.close();
    await (await started)?.stop();
  };
}
