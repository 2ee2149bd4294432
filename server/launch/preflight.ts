import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, resolve } from 'node:path';
import { StartError } from '../../process/start-error.ts';

/**
 * @returns the port, or a free one where none was asked for (0).
 * @throws {StartError} unless somebody can listen there now.
 */
export async function checkPortIsFree(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise<number>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => fail(portComplaint(error.code, host, port)));
    server.listen(port, host, () => {
      const free = portOf(server) ?? port;
      server.close(() => done(free));
    });
  });
}

/** Says what a person can do about an address that cannot be listened on. */
export function portComplaint(code: string | undefined, host: string, port: number): StartError {
  if (code === 'EADDRINUSE') {
    const another = port < 65_535 ? port + 1 : 8787;
    return new StartError(
      `Port ${port} is in use: stop the program that has it, or choose another port with PORT=${another}.`,
    );
  }
  if (code === 'EACCES') {
    return new StartError(`Port ${port} is not for this user: choose one above 1023 with PORT=8787.`);
  }
  return new StartError(
    `Nothing can listen on HOST=${host} (${code ?? 'unknown reason'}): give an address of this machine.`,
  );
}

/** How a browser on this machine calls somebody who listens on `host`: all addresses are no address. */
export function nameOnThisMachine(host: string): string {
  if (['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host.replace(/%.*$/, '')}]` : host;
}

/** One by one: Node's own `recursive` never ends where a file system (`/proc`) says that there is no such folder for all that is to be made. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  mkdirSync(folder, { mode: 0o700 });
}

/** @throws {StartError} unless the folder is there, or can be made, and takes files. */
export function checkFolderIsWritable(folder: string): void {
  try {
    makeFolder(resolve(folder));
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new StartError(`The data folder ${resolve(folder)} cannot be written: choose another with DATA_DIR.`);
  }
}

/** A loopback port for a child; nobody else of ours takes one between here and its start. */
export function findLoopbackPort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const port = portOf(server);
      server.close(() => {
        if (port === null) fail(new Error('The listener has no port.'));
        else done(port);
      });
    });
  });
}

function portOf(server: Server): number | null {
  const address = server.address();
  return address === null || typeof address === 'string' ? null : address.port;
}

/** The secret that relay and worker share for the life of this launcher. */
export function drawToken(): string {
  return randomBytes(32).toString('base64url');
}
