import type { Keyring } from '../../crypto/account/keyring.ts';
import { openDraft, sealDraft } from '../../crypto/vault/draft.ts';
import type { CiphertextCache, SealedOperation } from './ciphertext-cache.ts';
import { type Operation, operationId, parseOperation, type TurnOperation } from './operation.ts';

/** An operation as it stands in this browser; `order` names this very revision of it. */
export type QueuedOperation<Kind extends Operation = Operation> = {
  readonly id: string;
  readonly order: number;
  readonly operation: Kind;
};

/**
 * What was done here and the relay does not have yet, in order, sealed in IndexedDB before anything is sent: a reload,
 * a dead relay or a closed lid loses nothing.
 */
export class Outbox {
  readonly #cache: CiphertextCache;
  readonly #keyring: Keyring;
  readonly #onChange: () => void;
  #operations: readonly QueuedOperation[] = [];
  #loading: Promise<void> = Promise.resolve();

  /** @param onChange - Called when this tab changed it; the other tabs are to load again. */
  constructor(cache: CiphertextCache, keyring: Keyring, onChange: () => void) {
    this.#cache = cache;
    this.#keyring = keyring;
    this.#onChange = onChange;
  }

  get all(): readonly QueuedOperation[] {
    return this.#operations;
  }

  get turns(): readonly QueuedOperation<TurnOperation>[] {
    return this.#operations.filter(
      (queued): queued is QueuedOperation<TurnOperation> => queued.operation.kind === 'turn',
    );
  }

  turn(turnId: string): QueuedOperation<TurnOperation> | null {
    return this.turns.find(({ operation }) => operation.turnId === turnId) ?? null;
  }

  /** Reads what all tabs wrote; one reading after another, so that an older one never comes last. */
  load(): Promise<void> {
    const loaded = this.#loading.then(() => this.#read());
    this.#loading = loaded.catch(() => undefined);
    return loaded;
  }

  async #read(): Promise<void> {
    const sealed = await this.#cache.readOutbox();
    const known = new Map(this.#operations.map((queued) => [queued.id, queued]));
    this.#operations = sealed.flatMap((row) => {
      const before = known.get(row.id);
      // A turn is rewritten in its place, everything else gets a new one.
      if (before?.order === row.order && before.operation.kind !== 'turn') return [before];
      const operation = this.#open(row);
      return operation === null ? [] : [{ id: row.id, order: row.order, operation }];
    });
  }

  /** @param replaced - Ids that go in the same transaction. */
  async put(operation: Operation, replaced: readonly string[] = []): Promise<void> {
    const id = operationId(operation);
    await this.#cache.putOperation(id, this.#seal(id, operation), replaced);
    await this.#reload();
  }

  /** Changes a turn where it stands. @returns false if it is gone. */
  async rewrite(queued: QueuedOperation<TurnOperation>, operation: TurnOperation): Promise<boolean> {
    const { id, order } = queued;
    const isThere = await this.#cache.rewriteOperation({ id, order, body: this.#seal(id, operation) });
    await this.#reload();
    return isThere;
  }

  /** Takes out these revisions; a newer one of the same name stays. */
  async remove(done: readonly QueuedOperation[]): Promise<void> {
    if (done.length === 0) return;
    await this.#cache.removeOperations(done.map(({ order }) => order));
    await this.#reload();
  }

  async #reload(): Promise<void> {
    await this.load();
    this.#onChange();
  }

  #seal(id: string, operation: Operation) {
    return sealDraft({ keyring: this.#keyring, draftId: `outbox/${id}`, text: JSON.stringify(operation) });
  }

  /** One that does not open was not written by this account's keys: it is left alone. */
  #open(row: SealedOperation): Operation | null {
    try {
      return parseOperation(openDraft({ keyring: this.#keyring, draftId: `outbox/${row.id}`, body: row.body }));
    } catch {
      return null;
    }
  }
}
