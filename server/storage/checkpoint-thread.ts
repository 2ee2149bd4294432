import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/*
 * The thread that moves the write-ahead log into the database: megabytes of reads, writes and syncs, for which the event
 * loop of the relay would stand still. It takes no lock that a writer or reader waits for.
 */

if (parentPort === null) throw new Error('This file runs as a thread of the relay.');
const port = parentPort;
const { path } = workerData as { readonly path: string };
const file = new DatabaseSync(path, { timeout: 5_000 });
file.exec('pragma synchronous = full');
const checkpoint = file.prepare('pragma wal_checkpoint(passive)');

port.on('message', () => {
  try {
    const { log, checkpointed } = checkpoint.get() as { log: number; checkpointed: number };
    port.postMessage({ left: log - checkpointed });
  } catch (error) {
    const { errcode } = error as { errcode?: unknown };
    port.postMessage({ errcode: typeof errcode === 'number' ? errcode : 0 });
  }
});
