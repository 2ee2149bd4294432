import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { nameEnclave } from '../../../../server/pools/enclave-client.ts';
import type { DatabaseKind } from '../../../../server/storage/tables/column-types.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { openDatabase } from '../../../../server/storage/open-database.ts';
import { openPostgres } from '../../../../server/storage/postgres/postgres.ts';
import { CuttableProxy } from '../../../parts/network/cuttable-proxy.ts';
import { startPostgres } from '../../../parts/storage/postgres.ts';
import { makeDatabase, type TestDatabase } from '../../../parts/storage/relay-database.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { ScriptedWorker, type ScriptedTranscript } from '../../../parts/worker/scripted-worker.ts';
import { turnStart, until } from '../../../parts/relay/in-process/turn-process.ts';
import { sealedRequestFor } from '../../../parts/users/without-keys/unopened-request.ts';
import { makeAccount, type VaultDevice } from '../../../parts/users/without-keys/vault-device.ts';
import { mountSmall, RelayMember } from './relay-crowd.ts';

/** Four of each account, which may have eight requests under way. */
const turnCount = 60;

/** Mulberry32: the same seed is the same order of events, though not the same moments. */
function drawFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export type ChaosTurn = { readonly device: VaultDevice; readonly start: TurnStart; requests: number };

/** Relays on one database, one enclave, and everything that happens to them; the order is the seed's. */
export class Turmoil {
  readonly kind: DatabaseKind;
  readonly #turmoilMs: number;
  readonly draw: (below: number) => number;
  readonly worker = new ScriptedWorker();
  readonly turns: ChaosTurn[] = [];
  readonly relays: RelayMember[] = [];
  readonly #lengths = new Map<ScriptedTranscript, number>();
  readonly #undo: (() => unknown)[] = [];
  readonly #mending: Promise<unknown>[] = [];
  #network: CuttableProxy | null = null;
  #databaseNetworks: CuttableProxy[] = [];
  #disk: ReturnType<typeof mountSmall> = null;
  #place: Parameters<typeof openDatabase>[0] | null = null;
  /** This process looks into this database; null with SQLite, whose folder has one process. */
  #database: Database | null = null;

  constructor(kind: DatabaseKind, seed: number, turmoilMs: number) {
    this.kind = kind;
    this.#turmoilMs = turmoilMs;
    this.draw = drawFrom(seed);
  }

  async begin(): Promise<void> {
    await this.worker.start();
    this.#undo.push(() => this.worker.stop());
    const made = this.kind === 'sqlite' ? await makeDatabase('sqlite') : await this.#ownServer();
    this.#undo.push(() => made.remove());
    if (this.kind === 'sqlite') {
      await made.close();
      this.#disk = mountSmall(made.place.dataFolder, '48m');
      if (this.#disk !== null) this.#undo.push(() => this.#disk?.unmount());
    }
    const { place } = made;
    this.#place = place;
    const setUp = this.kind === 'sqlite' ? await openDatabase(place) : made;
    const devices: VaultDevice[] = [];
    for (let count = 0; count < turnCount / 4; count++) devices.push(await makeAccount(setUp));
    if (this.kind === 'sqlite') await setUp.close();
    else {
      this.#database = made;
      this.#undo.push(() => made.close());
    }
    this.#network = await CuttableProxy.start(Number(new URL(this.worker.url).port));
    const network = this.#network;
    this.#undo.push(() => network[Symbol.asyncDispose]());
    const url = `http://127.0.0.1:${this.#network.port}`;
    const enclaveId = nameEnclave(`${url}/`);
    for (let count = 0; count < turnCount; count++) {
      const device = devices[count % devices.length]!;
      this.turns.push({ device, start: turnStart(device, enclaveId, { batch: null }), requests: 1 });
    }
    for (let count = 0; count < (this.kind === 'sqlite' ? 1 : 3); count++) {
      const settings = {
        ...place,
        postgres: await this.#throughProxy(place.postgres),
        worker: { url, token: this.worker.token },
      };
      this.relays.push(new RelayMember(settings));
    }
    this.#undo.push(() => Promise.all(this.relays.map((relay) => relay.kill())));
    await Promise.all(this.relays.map((relay) => relay.start()));
  }

  /** One whose processes may be killed: the server of the run has other tests' databases. */
  async #ownServer(): Promise<TestDatabase> {
    const server = await startPostgres();
    this.#undo.push(() => server.stop());
    const postgres = { url: await server.createDatabase(), ca: null, connections: 8 } as const;
    const folder = await makeTemporaryFolder('chaos');
    return {
      ...(await openPostgres(postgres)),
      place: { dataFolder: folder.path, postgres },
      remove: () => folder.remove(),
    };
  }

  async #throughProxy(postgres: { readonly url: string } | null): Promise<object | null> {
    if (postgres === null) return null;
    const url = new URL(postgres.url);
    const proxy = await CuttableProxy.start(Number(url.port));
    this.#databaseNetworks.push(proxy);
    this.#undo.push(() => proxy[Symbol.asyncDispose]());
    url.port = String(proxy.port);
    return { ...postgres, url: url.href };
  }

  /** Starts every turn, lets the enclave speak, and breaks things meanwhile. */
  async rage(): Promise<void> {
    const until = Date.now() + this.#turmoilMs;
    let unstarted = this.turns.length;
    while (Date.now() < until || unstarted > 0) {
      if (unstarted > 0 && this.draw(4) === 0) this.#startAgain(this.turns[--unstarted]!);
      this.#speak(2);
      if (this.draw(6) === 0) this.#break();
      await sleep(40);
    }
    await Promise.all(this.#mending);
  }

  #relay(): RelayMember {
    return this.relays[this.draw(this.relays.length)]!;
  }

  /** Answers get lost, so the call comes again at once, at other relays too. */
  #startAgain(turn: ChaosTurn): void {
    void this.#order(turn);
    for (let times = this.draw(4); times > 0; times--) {
      this.#mending.push(sleep(this.draw(120)).then(() => this.#order(turn)));
    }
  }

  #order({ device, start }: ChaosTurn): Promise<unknown> {
    return this.#relay().ask({ accountId: device.accountId, start });
  }

  #speak(most: number): void {
    for (const transcript of this.worker.transcripts) {
      if (transcript.closed !== null) continue;
      const length = this.#lengths.get(transcript) ?? 20 + this.draw(60);
      this.#lengths.set(transcript, length);
      this.worker.speak(transcript, this.draw(most));
      if (transcript.frames.length >= length) this.worker.close(transcript);
    }
  }

  #break(): void {
    const turn = this.turns[this.draw(this.turns.length)]!;
    const relay = this.#relay();
    const later = (work: () => unknown, afterMs: number) => this.#mending.push(sleep(afterMs).then(work));
    switch (this.draw(this.kind === 'sqlite' ? 9 : 11)) {
      case 0:
        return void this.#order(turn);
      case 1:
        return void this.#attempt(turn, relay);
      case 2:
      case 3:
      case 4:
        return void this.#mending.push(this.#killFor(relay, this.draw(800)));
      case 5:
        relay.freeze();
        if (this.draw(2) === 0) this.#passLeases();
        return void later(() => relay.thaw(), 500 + this.draw(this.#turmoilMs / 2));
      case 6:
        return this.#network?.cut(() => this.draw(2) === 0);
      case 7:
        return void this.#fillDisk(later);
      case 8:
        return void this.#mending.push(this.#restart(relay));
      case 9:
        return void this.#crashDatabase();
      default: {
        const proxy = this.#databaseNetworks[this.draw(this.#databaseNetworks.length)]!;
        proxy.isDown = this.draw(2) === 0;
        proxy.cut();
        return void later(() => (proxy.isDown = false), this.draw(2_000));
      }
    }
  }

  async #attempt(turn: ChaosTurn, relay: RelayMember): Promise<void> {
    const { device, start } = turn;
    if (turn.requests > 2 || !this.worker.starts.some(({ request }) => request.header === start.request.header)) return;
    turn.requests += 1;
    const { request } = sealedRequestFor({ model: 'test-model', turnId: fromBase64Url(start.turnId) });
    const message = { format: 1, enclaveId: start.enclaveId, nonce: start.nonce, request } as const;
    await relay.ask({ accountId: device.accountId, attempt: { turnId: start.turnId, message } });
  }

  async #killFor(relay: RelayMember, ms: number): Promise<void> {
    await relay.kill();
    if (this.draw(2) === 0) this.#passLeases();
    await sleep(ms);
    await relay.start();
  }

  async #restart(relay: RelayMember): Promise<void> {
    await relay.stop();
    await relay.start();
  }

  /** PostgreSQL ends all its processes when one was killed, and recovers. */
  async #crashDatabase(): Promise<void> {
    const found = this.#database?.db.selectNoFrom(sql<number>`pg_backend_pid()`.as('pid')).executeTakeFirst();
    const row = await found?.catch(() => undefined);
    if (row !== undefined) process.kill(row.pid, 'SIGKILL');
  }

  /** Time passes for leases: whoever sleeps or is dead is taken over from at the next look. */
  #passLeases(): void {
    const passing = this.#database?.db
      .updateTable('turns')
      .set({ lease_until: 1 })
      .where('state', '=', 'running')
      .execute();
    passing?.catch(() => undefined);
  }

  async #fillDisk(later: (work: () => unknown, afterMs: number) => void): Promise<void> {
    if (this.kind !== 'sqlite') return;
    const disk = this.#disk;
    if (disk !== null) {
      await disk.fill();
      later(() => disk.empty(), 500 + this.draw(2_000));
      return;
    }
    const relay = this.relays[0]!;
    await relay.ask({ accountId: '', pages: 1 });
    later(() => relay.ask({ accountId: '', pages: 1_000_000 }), 500 + this.draw(2_000));
  }

  /** Everything works again; the enclave says what it still had to say. */
  async mend(): Promise<void> {
    for (const proxy of this.#databaseNetworks) proxy.isDown = false;
    await this.#disk?.empty();
    for (const relay of this.relays) relay.thaw();
    for (const relay of this.relays) await until(() => relay.start());
    if (this.#disk === null && this.kind === 'sqlite') await this.relays[0]?.ask({ accountId: '', pages: 1_000_000 });
    for (const turn of this.turns) {
      const isTaken = () => this.worker.starts.some(({ request }) => request.header === turn.start.request.header);
      if (!isTaken()) await until(async () => (await this.#order(turn)) !== null && isTaken());
    }
    this.#passLeases();
    while (this.worker.transcripts.some((transcript) => transcript.closed === null)) {
      this.#speak(8);
      await sleep(20);
    }
  }

  /** Turns that still run, as the database says; with SQLite the relay is looked at when it has gone. */
  async settled(): Promise<Database> {
    const database = this.#database;
    if (database !== null) {
      const running = () => database.db.selectFrom('turns').select('id').where('state', '=', 'running').execute();
      await until(async () => (await running()).length === 0);
      return database;
    }
    for (let look = 0; look < 30; look++) {
      await sleep(1_500);
      await this.relays[0]?.kill();
      const opened = await openDatabase(this.#place!);
      const running = await opened.db.selectFrom('turns').select('id').where('state', '=', 'running').execute();
      if (running.length === 0) {
        this.#undo.push(() => opened.close());
        return opened;
      }
      await opened.close();
      await this.relays[0]?.start();
    }
    throw new Error('A turn still runs.');
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.toReversed()) await undo();
  }
}
