import * as v from 'valibot';
import type { BatchInProgress } from './batch-in-progress.ts';
import {
  applyPreference,
  applyToConversation,
  applyToSettings,
  type ConversationChange,
  type PreferenceChange,
  type SettingsChange,
} from './item-changes.ts';

/** One thing that a person did, as it waits in the outbox. */
export type AnyOperation = { readonly kind: string };

export type Circumstances = {
  /** Conversations that only a question still on its way will bring. */
  readonly waiting: ReadonlySet<string>;
  /** Decides only how old a tombstone must be to be forgotten. */
  readonly nowMs: number;
};

/** One kind of operation: what is kept of it, and what it does to the vault. */
export type OperationType<Operation extends AnyOperation = AnyOperation> = {
  readonly kind: Operation['kind'];
  readonly schema: v.GenericSchema<unknown, Operation>;
  /** One at a time for each thing: a later one of the same name takes the place of the earlier. */
  idOf(operation: Operation): string;
  /**
   * Puts it into a batch. Pure, and run again on newer contents after each conflict.
   *
   * @returns whether nothing more is to be done for it.
   */
  apply(plan: BatchInProgress, operation: Operation, circumstances: Circumstances): boolean;
  /** Told where people see it before the relay has it. */
  conversation?(operation: Operation): ConversationChange;
  settings?(operation: Operation): SettingsChange;
  preference?(operation: Operation): PreferenceChange;
  /** The conversation that it takes away: planned first, since nothing of the same batch may write into it. */
  deletes?(operation: Operation): string;
};

type Entries = v.ObjectEntries;
/** An operation of one kind with these fields. */
export type OperationOf<Kind extends string, Fields extends Entries> = { readonly kind: Kind } & v.InferOutput<
  v.StrictObjectSchema<Fields, undefined>
>;
type Definition<Operation extends AnyOperation> =
  | Pick<OperationType<Operation>, 'apply' | 'deletes'>
  | Required<Pick<OperationType<Operation>, 'conversation'>>
  | Required<Pick<OperationType<Operation>, 'settings'>>
  | Required<Pick<OperationType<Operation>, 'preference'>>;

/**
 * Defines a kind of operation.
 *
 * @param definition - `idOf` is the kind itself where it is left out. A change of a conversation or of the settings is applied
 * and shown by what it says; any other says itself how it is applied.
 */
export function operationType<const Kind extends string, const Fields extends Entries>(
  definition: {
    readonly kind: Kind;
    readonly fields: Fields;
    readonly idOf?: (operation: OperationOf<Kind, Fields>) => string;
  } & Definition<OperationOf<Kind, Fields>>,
): OperationType<OperationOf<Kind, Fields>> {
  type Declared = OperationType<OperationOf<Kind, Fields>>;
  const { kind, fields, idOf = () => kind, ...rest } = definition;
  const schema = v.strictObject({ ...fields, kind: v.literal(kind) });
  const named = { kind: kind as Declared['kind'], schema: schema as unknown as Declared['schema'], idOf };
  if ('conversation' in rest) {
    const { conversation } = rest;
    return {
      ...named,
      conversation,
      apply: (plan, operation, { waiting }) => applyToConversation(plan, conversation(operation), waiting),
    };
  }
  if ('settings' in rest) {
    const { settings } = rest;
    return { ...named, settings, apply: (plan, operation) => applyToSettings(plan, settings(operation)) };
  }
  if ('preference' in rest) {
    const { preference } = rest;
    return { ...named, preference, apply: (plan, operation) => applyPreference(plan, preference(operation)) };
  }
  return { ...named, ...rest } as Declared;
}

/** The kinds of operation that this build knows. */
export class OperationTypes {
  readonly #types: ReadonlyMap<string, OperationType>;

  /** @throws {Error} for two of one kind. */
  constructor(types: readonly OperationType[]) {
    this.#types = new Map(types.map((type) => [type.kind, type]));
    if (this.#types.size !== types.length) throw new Error('two operations of one kind');
  }

  /** @throws {Error} for a kind that no feature brings. */
  of({ kind }: AnyOperation): OperationType {
    const type = this.#types.get(kind);
    if (type === undefined) throw new Error('an operation that no feature brings');
    return type;
  }

  /** @throws for anything that this build did not write. */
  parse(text: string): { readonly type: OperationType; readonly operation: AnyOperation } {
    const read = JSON.parse(text) as AnyOperation;
    const type = this.of(read);
    return { type, operation: v.parse(type.schema, read) };
  }
}
