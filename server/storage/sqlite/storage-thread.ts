import type { StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { openSqliteFile } from './sqlite-file.ts';
import { type ThreadAnswer, type ThreadFailure, type ThreadRequest, unpackParameters } from './thread-messages.ts';

/*
 * The thread that writes frames and moves the write-ahead log into the database: megabytes of copies, checksums and syncs,
 * for which the event loop of the relay would stand still. Nobody else writes meanwhile, and everybody may read.
 */

if (parentPort === null) throw new Error('This file runs as a thread of the relay.');
const port = parentPort;
const { path } = workerData as { readonly path: string };
const file = openSqliteFile(path);
const checkpoint = file.prepare('pragma wal_checkpoint(passive)');
/** Few texts come here. */
const maximumStatements = 64;
const statements = new Map<string, StatementSync>();
const done = { rows: [], changes: null, left: 0 } as const;

port.on('message', (request: ThreadRequest) => {
  let answer: ThreadAnswer;
  try {
    answer = answerTo(request);
  } catch (error) {
    answer = { failure: failureOf(error) };
  }
  port.postMessage(answer);
});

function answerTo(request: ThreadRequest): ThreadAnswer {
  switch (request.kind) {
    case 'move':
      return move();
    case 'begin':
      // One whose rollback failed.
      if (file.isTransaction) file.exec('rollback');
      file.exec('begin immediate');
      return done;
    case 'commit':
      if (!file.isTransaction) throw new Error('The transaction is over.');
      file.exec('commit');
      return done;
    case 'rollback':
      // A full disk or an error of the disk ends a transaction by itself.
      if (file.isTransaction) file.exec('rollback');
      return done;
    case 'run':
      // A statement behind one that ended the transaction must not be written by itself.
      if (!file.isTransaction) throw new Error('The transaction is over.');
      return run(request.sql, unpackParameters(request.parameters, request.bytes));
    case 'close':
      statements.clear();
      file.close();
      return done;
  }
}

function run(sql: string, parameters: ReturnType<typeof unpackParameters>): ThreadAnswer {
  const statement = prepare(sql);
  if (statement.columns().length > 0) return { ...done, rows: statement.all(...parameters) };
  return { ...done, changes: Number(statement.run(...parameters).changes) };
}

function prepare(sql: string): StatementSync {
  const known = statements.get(sql);
  if (known !== undefined) return known;
  if (statements.size >= maximumStatements) statements.clear();
  const statement = file.prepare(sql);
  statements.set(sql, statement);
  return statement;
}

function move(): ThreadAnswer {
  file.exec('pragma synchronous = full');
  try {
    const { log, checkpointed } = checkpoint.get() as { log: number; checkpointed: number };
    return { ...done, left: log - checkpointed };
  } finally {
    file.exec('pragma synchronous = normal');
  }
}

function failureOf(error: unknown): ThreadFailure {
  if (!(error instanceof Error)) return { message: 'unknown' };
  const { code, errcode, message } = error as Error & { code?: unknown; errcode?: unknown };
  return { message, code, errcode };
}
