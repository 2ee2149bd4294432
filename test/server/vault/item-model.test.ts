import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ItemWrite } from '../../../crypto/protocol/messages/item-messages.ts';
import { RelayError } from '../../../server/api/route/relay-error.ts';
import { readItems } from '../../../server/vault/read-items.ts';
import { databaseKinds, makeDatabase, type TestDatabase } from '../../parts/storage/relay-database.ts';
import { day, makeAccount, newId, type VaultDevice } from '../../parts/users/without-keys/vault-device.ts';

/** Says in the fewest words what a vault must be: a map, and a rule for each write. */
class ModelVault {
  readonly items = new Map<string, Omit<ItemWrite, 'id'>>();
  readonly today = Math.floor(Date.now() / day);

  /** @returns null when the batch is stored, else the code that refuses it. */
  apply(writes: readonly ItemWrite[], prune: readonly string[]): string | null {
    const ids = [...writes.map((write) => write.id), ...prune];
    if (new Set(ids).size < ids.length) return 'bad-request';
    if (writes.some((write) => (write.flags === 1) !== (write.body === ''))) return 'bad-request';
    const fits = writes.every(({ id, version }) => {
      const stored = this.items.get(id);
      return stored === undefined ? version === 1 : stored.flags === 0 && version === stored.version + 1;
    });
    const prunable = prune.every((id) => {
      const stored = this.items.get(id);
      return stored !== undefined && (stored.flags === 1 || (stored.expiresAt > 0 && stored.expiresAt <= this.today));
    });
    if (!fits || !prunable) return 'item-conflict';
    for (const { id, ...rest } of writes) this.items.set(id, rest);
    for (const id of prune) this.items.delete(id);
    return null;
  }
}

const poolSize = 5;
const today = Math.floor(Date.now() / day);

const writeOf = fc.record({
  item: fc.nat(poolSize - 1),
  /** Mostly the right version, so that long histories happen. */
  versionStep: fc.oneof(
    { weight: 8, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) },
  ),
  flags: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  expiresAt: fc.constantFrom(0, today - 1, today + 1),
  bodyMatchesFlags: fc.oneof(
    { weight: 12, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
});
const step = fc.record({
  writes: fc.array(writeOf, { maxLength: 3 }),
  prune: fc.array(fc.nat(poolSize - 1), { maxLength: 2 }),
  staleHead: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

describe.each(databaseKinds)('the vault on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeDatabase(kind);
  });
  afterAll(async () => {
    await database.close();
    await database.remove();
  });

  async function pull(device: VaultDevice): Promise<Map<string, Omit<ItemWrite, 'id'>>> {
    const page = await database.read((trx) => readItems(trx, device.accountId, { afterCounter: 0, limit: 500 }));
    return new Map(
      page.items.map(({ id, version, flags, expiresAt, body }) => [
        id,
        { version, flags, expiresAt, body: body ?? '-' },
      ]),
    );
  }

  test('does what a map with rules does, for any history of batches', async () => {
    let stored = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const device = await makeAccount(database);
        const model = new ModelVault();
        const ids = Array.from({ length: poolSize }, newId);
        const firstHead = device.head;
        for (const { writes, prune, staleHead } of steps) {
          const items = writes.map(({ item, versionStep, flags, expiresAt, bodyMatchesFlags }): ItemWrite => {
            const id = ids[item]!;
            const version = Math.max(1, (model.items.get(id)?.version ?? 0) + versionStep);
            return { id, version, flags, expiresAt, body: (flags === 1) === bodyMatchesFlags ? '' : newId() };
          });
          const pruned = prune.map((item) => ids[item]!);
          const sender = staleHead ? device.twin() : device;
          if (staleHead) sender.head = { counter: firstHead.counter + 1, hash: new Uint8Array(32) };
          const code = await sender.send(sender.batch({ items, prune: pruned })).then(
            () => null,
            (error: unknown) => (error instanceof RelayError ? error.code : Promise.reject(error as Error)),
          );
          const isMalformed = new ModelVault().apply(items, pruned) === 'bad-request';
          const wrongHead = isMalformed ? 'bad-request' : 'head-conflict';
          expect(code).toBe(staleHead ? wrongHead : model.apply(items, pruned));
          if (code === null) stored += 1;
          else refused += 1;
        }
        expect(await pull(device)).toEqual(model.items);
      }),
      { numRuns: 100 },
    );
    // Both kinds of step happened, or the property said little.
    expect(Math.min(stored, refused)).toBeGreaterThan(50);
  });
});
