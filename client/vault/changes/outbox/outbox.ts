import type { Keyring } from '../../../../crypto/account/keyring.ts';
import { openUnsentText, sealUnsentText } from '../../../../crypto/vault/unsent-text.ts';
import type { SealedOperation } from '../../store/cached-shapes.ts';
import { type CiphertextCache, revisionOf } from '../../store/ciphertext-cache.ts';
import type { AnyOperation, OperationType, OperationTypes } from '../operations/operation.ts';
import type { TurnOperation } from '../operations/turn-operation.ts';

/** Words that were never sent, and whose conversation was deleted meanwhile. */
export type ReturnedWords = { readonly turnId: string; readonly text: string };

/** The fields of an operation beside its kind. */
export type FieldsOf<Operation extends AnyOperation> = NoInfer<Omit<Operation, 'kind'>>;

/** An operation as it stood in this browser when it was read; a change of it names this very revision. */
export type QueuedOperation<Operation extends AnyOperation = AnyOperation> = {
  readonly type: OperationType;
  readonly id: string;
  readonly revision: string;
  readonly operation: Operation;
};

/**
 * Keeps, in order, the changes made here that the relay does not have yet. They lie sealed in IndexedDB before anything is
 * sent, so a reload, a dead relay or a closed lid loses nothing.
 */
export class Outbox {
  readonly #cache: CiphertextCache;
  readonly #keyring: Keyring;
  readonly #types: OperationTypes;
  readonly #onChange: () => void;
  #operations: readonly QueuedOperation[] = [];
  #loading: Promise<void> = Promise.resolve();

  /** @param onChange - Called when this tab changed it; the other tabs are to load again. */
  constructor(cache: CiphertextCache, keyring: Keyring, types: OperationTypes, onChange: () => void) {
    this.#cache = cache;
    this.#keyring = keyring;
    this.#types = types;
    this.#onChange = onChange;
  }

  get all(): readonly QueuedOperation[] {
    return this.#operations.filter((queued) => !isReturned(queued));
  }

  /** Questions that can no longer go where they were meant to: nothing of them is left but words, which a draft takes. */
  get returned(): readonly QueuedOperation<TurnOperation>[] {
    return this.#operations.filter(isReturned);
  }

  get turns(): readonly QueuedOperation<TurnOperation>[] {
    return this.all.filter(isTurn);
  }

  /** All waiting operations of one kind. */
  of<Operation extends AnyOperation>(type: OperationType<Operation>): readonly QueuedOperation<Operation>[] {
    return this.all.filter((queued) => isOf(type, queued));
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
      const revision = revisionOf(row);
      const before = known.get(row.id);
      if (before?.revision === revision) return [before];
      const read = this.#open(row);
      return read === null ? [] : [{ ...read, id: row.id, revision }];
    });
  }

  /** At the end; one of the same name gives way to it. @throws for fields that this build would not read back. */
  async put<Operation extends AnyOperation>(
    type: OperationType<Operation>,
    fields: FieldsOf<Operation>,
  ): Promise<void> {
    await this.replace([], type, fields);
  }

  /** Works as `put`, in place of other operations. @returns false, and changes nothing, if one of those has changed since. */
  async replace<Operation extends AnyOperation>(
    replaced: readonly QueuedOperation[],
    type: OperationType<Operation>,
    fields: FieldsOf<Operation>,
  ): Promise<boolean> {
    const operation = { ...fields, kind: type.kind } as unknown as Operation;
    const id = type.idOf(operation);
    const isDone = await this.#cache.putOperation({ id, body: this.#seal(id, operation) }, replaced);
    await this.reload();
    return isDone;
  }

  /** Changes a turn where it stands. @returns false, and nothing is changed, if it is another by now, or gone. */
  async rewrite(queued: QueuedOperation<TurnOperation>, operation: TurnOperation): Promise<boolean> {
    const isDone = await this.#cache.rewriteOperation(queued, this.#seal(queued.id, operation));
    await this.reload();
    return isDone;
  }

  /** Its conversation is gone: the words wait here for a draft to take them. @returns as `rewrite`. */
  giveBack(queued: QueuedOperation<TurnOperation>): Promise<boolean> {
    return this.rewrite(queued, { ...queued.operation, stage: { name: 'returned' } });
  }

  /** Takes out these revisions; what is another by now stays. */
  async remove(done: readonly QueuedOperation[]): Promise<void> {
    if (done.length === 0) return;
    await this.#cache.removeOperations(done);
    await this.reload();
  }

  /** After a change that was not made through here. */
  async reload(): Promise<void> {
    await this.load();
    this.#onChange();
  }

  /** @throws for one that would not be read back: it would wait here for ever, and nobody would see it. */
  #seal(id: string, operation: AnyOperation) {
    const text = JSON.stringify(operation);
    this.#types.parse(text);
    return sealUnsentText({ keyring: this.#keyring, placeId: `outbox/${id}`, text });
  }

  /** One that does not open was not written by this account's keys: it is left alone. */
  #open(row: SealedOperation): ReturnType<OperationTypes['parse']> | null {
    try {
      return this.#types.parse(openUnsentText({ keyring: this.#keyring, placeId: `outbox/${row.id}`, body: row.body }));
    } catch {
      return null;
    }
  }
}

/** True for an operation of this kind. */
export function isOf<Operation extends AnyOperation>(
  type: OperationType<Operation>,
  queued: QueuedOperation,
): queued is QueuedOperation<Operation> {
  return queued.operation.kind === type.kind;
}

/** A question. */
export function isTurn(queued: QueuedOperation): queued is QueuedOperation<TurnOperation> {
  return queued.operation.kind === 'turn';
}

function isReturned(queued: QueuedOperation): queued is QueuedOperation<TurnOperation> {
  return isTurn(queued) && queued.operation.stage.name === 'returned';
}
