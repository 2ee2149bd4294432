import { createHash, randomUUID } from 'node:crypto';
import type { ItemBatch, ItemWrite } from '../../../../crypto/protocol/messages/item-messages.ts';
import { randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { parseBatch } from '../../../../server/vault/parse-batch.ts';
import { type StoredBatch, writeBatch } from '../../../../server/vault/write-items.ts';

export const day = 86_400_000;

function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** An account with its first head, as sign-up leaves it. */
export async function makeAccount(database: Database): Promise<VaultDevice> {
  const accountId = randomUUID();
  const body = randomBytes(300);
  await database.write(async (trx) => {
    await trx
      .insertInto('accounts')
      .values({
        id: accountId,
        name_hash: randomBytes(32),
        opaque_user_id: randomUUID(),
        opaque_setup_id: 'setup',
        opaque_record: 'record',
        stretching: 'argon2id-64mib-3',
        recovery_public_key: randomBytes(32),
        keyslot_list: randomBytes(64),
        keyring: null,
        head_counter: 1,
        head_hash: sha256(body),
        used_bytes: 0,
        created_at: 1,
      })
      .execute();
    await trx
      .insertInto('heads')
      .values({ account_id: accountId, counter: 1, body, hash: sha256(body), stored_at: 1 })
      .execute();
  });
  return new VaultDevice(database, accountId, { counter: 1, hash: sha256(body) });
}

/** A session of an account, as a sign-in leaves it. */
export async function addSession(
  database: Database,
  accountId: string,
  options: { readonly id?: Uint8Array<ArrayBuffer>; readonly usedAtMs?: number; readonly lifetimeMs?: number } = {},
): Promise<void> {
  const { id = randomBytes(16), usedAtMs = Date.now(), lifetimeMs = 3_600_000 } = options;
  await database.db
    .insertInto('sessions')
    .values({
      id,
      account_id: accountId,
      token_seed: randomBytes(32),
      generation: 1,
      rotated_at: usedAtMs,
      created_at: usedAtMs,
      refreshed_at: usedAtMs,
      expires_at: usedAtMs + lifetimeMs,
    })
    .execute();
}

/** An account that is signed in on one device. */
export async function makeSignedInAccount(database: Database): Promise<VaultDevice> {
  const device = await makeAccount(database);
  await addSession(database, device.accountId);
  return device;
}

export async function signOutEverywhere(database: Database, accountId: string): Promise<void> {
  await database.db.deleteFrom('sessions').where('account_id', '=', accountId).execute();
}

export type Head = { readonly counter: number; readonly hash: Uint8Array<ArrayBuffer> };

/** Sends what one device of an account does; random bytes stand where its seals are, since the relay cannot tell. */
export class VaultDevice {
  readonly database: Database;
  readonly accountId: string;
  head: Head;
  quotaBytes = 1e9;
  nowMs = Date.now();

  constructor(database: Database, accountId: string, head: Head) {
    this.database = database;
    this.accountId = accountId;
    this.head = head;
  }

  /** Another device that knows the same head. */
  twin(): VaultDevice {
    return new VaultDevice(this.database, this.accountId, this.head);
  }

  batch(dependencies: Partial<Pick<ItemBatch, 'items' | 'prune' | 'finishTurns'>> = {}): ItemBatch {
    return {
      format: 1,
      expectedHead: toBase64Url(this.head.hash),
      head: { counter: this.head.counter + 1, body: toBase64Url(randomBytes(300)) },
      items: dependencies.items ?? [],
      prune: dependencies.prune ?? [],
      finishTurns: dependencies.finishTurns ?? [],
    };
  }

  /** Sends a batch and moves on to its head when it is stored. */
  async send(batch: ItemBatch): Promise<StoredBatch> {
    const parsed = await parseBatch(batch);
    const context = {
      kind: this.database.kind,
      space: this.database.space,
      accountId: this.accountId,
      turnId: null,
      nowMs: this.nowMs,
      latestMs: this.nowMs,
      quotaBytes: this.quotaBytes,
    };
    const stored = await this.database.write((trx) => writeBatch(trx, parsed, context));
    this.head = { counter: batch.head.counter, hash: parsed.head.hash };
    return stored;
  }

  async usedBytes(): Promise<number> {
    const account = await this.database.db
      .selectFrom('accounts')
      .select('used_bytes')
      .where('id', '=', this.accountId)
      .executeTakeFirstOrThrow();
    return account.used_bytes;
  }
}

export function newId(): string {
  return toBase64Url(randomBytes(16));
}

export function write(id: string, version = 1, changes: Partial<ItemWrite> = {}): ItemWrite {
  return { id, version, expiresAt: 0, flags: 0, body: toBase64Url(randomBytes(1100)), ...changes };
}

export function tombstone(id: string, version: number): ItemWrite {
  return { id, version, expiresAt: 0, flags: 1, body: '' };
}
