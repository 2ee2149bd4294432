import { type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { statementSignedBytes } from '../../../../crypto/evidence/modal/registrar-statement.ts';
import type { ModalPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { RegistrarStatement } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { PublicLog } from '../../../../registrar/public-log/public-log.ts';
import { readTile } from '../../../../registrar/public-log/read-tile.ts';
import { parseTilePath } from '../../../../crypto/evidence/modal/log-tiles.ts';
import { encodeCanonicalJson } from '../../../../crypto/protocol/json/canonical-json.ts';
import { generateRegistrarKeys, parseRegistrarKeys, type RegistrarKeys } from '../../../../registrar/registrar-keys.ts';
import { RegistrarDatabase } from '../../../../registrar/storage/registrar-database.ts';
import { makeTemporaryFolder } from '../../machine/temporary-folder.ts';
import { modalIds } from './modal-identity.ts';
import { checkpointText, paperKeyOfSeed, signNote } from './paper-log.ts';

/** A log holds this at one place in place of what belongs there. */
export type OddEntry = {
  readonly place: number;
  readonly statement?: Partial<RegistrarStatement>;
  readonly entry?: Uint8Array;
};

const startMs = Date.now() - 3_000_000;

/** A registrar's log without the registrar: filled at once, with a fault where one is wanted, and served by this process. */
export class ServedTestLog implements AsyncDisposable {
  static readonly startMs = startMs;
  readonly logOrigin = 'registrar.test/log-1';
  readonly url: string;
  readonly #keys: RegistrarKeys;
  /** OpenSSL signs a whole log in no time. */
  readonly #statementKey: KeyObject;
  readonly #log: PublicLog;
  readonly #database: RegistrarDatabase;
  readonly #close: () => Promise<void>;
  /** Changes an answer on its way. */
  change: (path: string, body: Buffer) => Buffer = (_path, body) => body;

  private constructor(dependencies: {
    keys: RegistrarKeys;
    log: PublicLog;
    database: RegistrarDatabase;
    url: string;
    close: () => Promise<void>;
  }) {
    this.#keys = dependencies.keys;
    this.#statementKey = paperKeyOfSeed(dependencies.keys.statement.secretKey.expose()).privateKey;
    this.#log = dependencies.log;
    this.#database = dependencies.database;
    this.url = dependencies.url;
    this.#close = dependencies.close;
  }

  static async start(keyText: string = generateRegistrarKeys()): Promise<ServedTestLog> {
    const keys = parseRegistrarKeys(keyText);
    const folder = await makeTemporaryFolder('served-log');
    const origin = 'registrar.test/log-1';
    const database = RegistrarDatabase.open(folder.path, {
      origin,
      publicKey: keys.log.publicKey,
      statementPublicKey: keys.statement.publicKey,
    });
    const log = new PublicLog({ database, origin, key: keys.log });
    let served: ServedTestLog | null = null;
    const server = createServer((request, response) => {
      const body = served?.answer(request.url ?? '') ?? null;
      response.writeHead(body === null ? 404 : 200).end(body ?? '');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port.');
    const close = async () => {
      server.closeAllConnections();
      server.close();
      database.close();
      await folder.remove();
    };
    served = new ServedTestLog({ keys, log, database, url: `http://127.0.0.1:${address.port}`, close });
    return served;
  }

  get policySection(): ModalPolicy {
    return {
      registrarPublicKey: toBase64Url(this.#keys.statement.publicKey),
      logOrigin: this.logOrigin,
      logPublicKey: toBase64Url(this.#keys.log.publicKey),
      ...modalIds,
    };
  }

  fill(count: number, odd?: OddEntry): void {
    const identityPublicKey = toBase64Url(randomBytes(32));
    this.#database.transaction(() => {
      for (let index = 0; index < count; index++) {
        const place = this.#log.tree.size;
        const entry = this.#makeEntry(place, identityPublicKey, odd?.place === place ? odd.statement : {});
        const held = odd?.place === place ? (odd.entry ?? entry) : entry;
        // One checkpoint for all of them is enough.
        if (index === count - 1) this.#log.append(held);
        else this.#log.tree.append(held);
      }
    });
  }

  /** Makes what only the log's own key can: another root for a size. */
  lie(size: number, rootHash: Uint8Array): string {
    const { secretKey } = this.#keys.log;
    return signNote(checkpointText(this.logOrigin, size, rootHash), this.logOrigin, paperKeyOfSeed(secretKey.expose()));
  }

  stop(): Promise<void> {
    return this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  answer(path: string): Buffer | null {
    const { note, size } = this.#log.last();
    const tile = parseTilePath(path);
    const bytes =
      path === '/checkpoint' ? Buffer.from(note) : tile === null ? null : readTile(this.#log.tree, tile, size);
    return bytes === null ? null : this.change(path, Buffer.from(bytes));
  }

  #makeEntry(place: number, identityPublicKey: string, changes: Partial<RegistrarStatement> = {}): Uint8Array {
    const issuedAtMs = startMs + place;
    const value: RegistrarStatement = {
      format: 1,
      platform: 'modal',
      identityPublicKey,
      ...modalIds,
      // A container has one key.
      containerId: `ta-${identityPublicKey}`,
      issuedAtMs,
      notAfterMs: issuedAtMs + 3_600_000,
      ...changes,
    };
    const statement = encodeCanonicalJson(value);
    return Buffer.concat([sign(null, statementSignedBytes(statement), this.#statementKey), statement]);
  }
}
