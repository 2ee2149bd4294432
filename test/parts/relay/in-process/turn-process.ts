import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  type LiveRecordKind,
  LiveRecordSplitter,
  recordKind,
} from '../../../../crypto/protocol/messages/live-record.ts';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { type Bytes, fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { StaticPool } from '../../../../server/pools/static/static-pool.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { LocalChangeFeed, type ChangeFeed } from '../../../../server/live/change-feed.ts';
import { readFrames } from '../../../../server/frames/read-frames.ts';
import { TurnService, type TurnServiceDependencies } from '../../../../server/turns/turn-service.ts';
import { noCollateral } from './no-collateral.ts';
import { quietLog, type QuietLog } from './quiet-log.ts';
import { ScriptedWorker } from '../../worker/scripted-worker.ts';
import { sealedRequestFor } from '../../users/without-keys/unopened-request.ts';
import { makeAccount, type VaultDevice } from '../../users/without-keys/vault-device.ts';
import { rightClock } from '../../machine/clocks/right-clock.ts';

/** The part of one relay process that handles turns, without its HTTP. */
export type TurnProcess = { readonly service: TurnService; readonly log: QuietLog };

export async function startTurnProcess(
  database: Database,
  workers: readonly ScriptedWorker[],
  feed: ChangeFeed = new LocalChangeFeed(),
  clock: TurnServiceDependencies['clock'] = rightClock,
): Promise<TurnProcess> {
  const log = quietLog();
  const pool = new StaticPool(
    workers.map(({ url, token }) => ({ url, token, unreachable: 'enclave-unreachable' as const })),
  );
  const dependencies = { database, clock, pool, collateral: noCollateral, feed, log };
  const service = new TurnService({ ...dependencies, quotaBytes: 1e9 });
  await service.start();
  for (const worker of workers) await until(() => worker.streamCount > 0);
  return { service, log };
}

/** One account, a relay process, and the one enclave that it reaches. */
type TurnScene = {
  readonly worker: ScriptedWorker;
  readonly relay: TurnProcess;
  readonly device: VaultDevice;
  readonly enclaveId: string;
};

export async function openTurnScene(database: Database): Promise<TurnScene> {
  const worker = await new ScriptedWorker().start();
  const relay = await startTurnProcess(database, [worker]);
  const device = await makeAccount(database);
  const [enclave] = await relay.service.pool.choose({ accountId: '', model: '' });
  return { worker, relay, device, enclaveId: enclave!.id };
}

/** Waits as long as it takes on a busy machine, and no longer than a test may. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { interval: 10 }).toBe(true);
}

/** True if it is still open once everything that could go on has gone on; how it ended is another question. */
export async function isWaiting(work: Promise<unknown>): Promise<boolean> {
  const ended = () => false;
  return Promise.race([work.then(ended, ended), sleep(20, true)]);
}

/** A browser's end of a live response. */
export class Watcher {
  readonly #response = new PassThrough({ highWaterMark: 1 << 20 });
  readonly #splitter = new LiveRecordSplitter();
  readonly #records: Uint8Array[] = [];
  ended = false;

  constructor(service: TurnService, accountId: string, sessionId: Bytes = randomBytes(16)) {
    this.#response.on('data', (piece: Buffer) => this.#records.push(...this.#splitter.push(piece)));
    this.#response.on('end', () => (this.ended = true));
    service.connect(this.#response, { accountId, sessionId: toBase64Url(sessionId) });
  }

  /** Records of headers, frames and endings, as they came. */
  get turnRecords(): Uint8Array[] {
    return this.#records.filter(isTurnRecord);
  }

  get kinds(): (LiveRecordKind | null)[] {
    return this.#records.map(recordKind);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.turnRecords);
  }

  leave(): void {
    this.#response.destroy();
  }
}

export function turnStart(
  device: VaultDevice,
  enclaveId: string,
  dependencies: { readonly batch?: TurnStart['batch']; readonly turnId?: Bytes; readonly model?: string } = {},
): TurnStart {
  const { model = 'test-model' } = dependencies;
  const { request, turnId } = sealedRequestFor({ model, ...(dependencies.turnId && { turnId: dependencies.turnId }) });
  return {
    format: 1,
    turnId: toBase64Url(turnId),
    enclaveId,
    nonce: toBase64Url(randomBytes(32)),
    request,
    batch: dependencies.batch === undefined ? device.batch() : dependencies.batch,
  };
}

/** Everything stored of a turn, in one piece. */
export async function storedBytes(database: Database, turnId: string, after = -1): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const query = { turnId: fromBase64Url(turnId), after, transcriptId: null };
  for await (const piece of readFrames(database, query)) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function stateOf(database: Database, turnId: string): Promise<string | undefined> {
  const row = await database.db
    .selectFrom('turns')
    .select('state')
    .where('id', '=', fromBase64Url(turnId))
    .executeTakeFirst();
  return row?.state;
}

/** A header, a frame or an ending. */
export function isTurnRecord(record: Uint8Array): boolean {
  const kind = recordKind(record);
  return kind === 'header' || kind === 'frame' || kind === 'closed';
}
