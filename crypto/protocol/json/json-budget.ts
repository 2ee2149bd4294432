import type * as v from 'valibot';
import { CryptoError } from '../bytes/errors.ts';

/** How much of everything a JSON text may hold: what is beyond it is refused before anything is built (SPEC.md §1.4). */
export type JsonBudget = {
  /** Deepest nesting of objects and arrays; the outermost counts as 1. */
  readonly depth: number;
  /** Objects, arrays, strings, numbers and literals together. */
  readonly values: number;
  /** Characters of the longest key. */
  readonly keyLength: number;
  /** Characters of the longest string that is no key. */
  readonly textLength: number;
};

/** Deepest nesting of any JSON (SPEC.md §1.4). */
export const maximumJsonDepth = 16;

/** For small answers whose members are not all named by the schema, as those of errors and of vendors. */
export const looseJsonBudget: JsonBudget = {
  depth: maximumJsonDepth,
  values: 8_192,
  keyLength: 128,
  textLength: 1_048_576,
};

const nothing: JsonBudget = { depth: 0, values: 0, keyLength: 0, textLength: 0 };
const one: JsonBudget = { ...nothing, values: 1 };
/** Longest texts of what is written as a number or a literal word are the scanner's own. */
const plainTypes: ReadonlySet<string> = new Set(['number', 'boolean', 'null']);
/** Validations that say how long a text or list is, and how many members a record has. */
const limitTypes: ReadonlySet<string> = new Set(['max_length', 'length', 'max_entries']);
const wrappers: ReadonlySet<string> = new Set(['nullable', 'nullish', 'optional', 'exact_optional', 'non_nullable']);

const budgets = new WeakMap<v.GenericSchema, JsonBudget>();

/**
 * The most that any value of a schema can need, so that whoever declares a message has said its limits too.
 *
 * @throws {CryptoError} `invalid-argument` for a schema without a maximum: a text or list of any length, or unnamed members.
 */
export function jsonBudgetOf(schema: v.GenericSchema): JsonBudget {
  const known = budgets.get(schema);
  if (known !== undefined) return known;
  const found = measure(schema as Described);
  if (found.depth > maximumJsonDepth) throw new CryptoError('invalid-argument');
  budgets.set(schema, found);
  return found;
}

/** The same for a schema that names no maximum somewhere: then there may be no more than in a small answer. */
export function jsonBudgetOrLoose(schema: v.GenericSchema): JsonBudget {
  try {
    return jsonBudgetOf(schema);
  } catch {
    return looseJsonBudget;
  }
}

/** The budget needs this much of valibot's own description of a schema. */
type Described = {
  readonly type: string;
  readonly pipe?: readonly (Described & {
    readonly kind: string;
    readonly requirement?: unknown;
    readonly metadata?: Readonly<Record<string, unknown>>;
  })[];
  readonly entries?: Readonly<Record<string, Described>>;
  readonly items?: readonly Described[];
  readonly item?: Described;
  readonly wrapped?: Described;
  readonly key?: Described;
  readonly value?: Described;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
};

function measure(schema: Described): JsonBudget {
  const { type } = schema;
  if (plainTypes.has(type)) return one;
  if (wrappers.has(type) && schema.wrapped !== undefined) return widest([one, measure(schema.wrapped)]);
  switch (type) {
    case 'string':
      return { ...one, textLength: longestOf(schema) };
    case 'literal':
      return { ...one, textLength: String(schema.literal).length };
    case 'picklist':
      return { ...one, textLength: Math.max(...(schema.options ?? []).map((option) => String(option).length)) };
    case 'array':
      return atMost(inside(times(measure(schema.item ?? unbounded()), longestOf(schema))), schema);
    case 'strict_tuple':
      return inside(sum((schema.items ?? unbounded()).map(measure)));
    case 'record':
      return measureRecord(schema);
    case 'strict_object':
      return measureObject(schema.entries ?? unbounded());
    case 'union':
    case 'variant':
      return widest((schema.options ?? []).map((option) => measure(option as Described)));
    default:
      return unbounded();
  }
}

function measureObject(entries: Readonly<Record<string, Described>>): JsonBudget {
  const members = inside(sum(Object.values(entries).map(measure)));
  return { ...members, keyLength: Math.max(members.keyLength, ...Object.keys(entries).map((key) => key.length)) };
}

function measureRecord(schema: Described): JsonBudget {
  const members = inside(times(measure(schema.value ?? unbounded()), longestOf(schema)));
  return { ...members, keyLength: Math.max(members.keyLength, longestOf(schema.key ?? unbounded())) };
}

function longestOf({ pipe = [] }: Described): number {
  const limits = pipe.flatMap(({ kind, type, requirement }) =>
    kind === 'validation' && limitTypes.has(type) ? [Number(requirement)] : [],
  );
  return limits.length === 0 ? unbounded() : Math.min(...limits);
}

/** Lists within lists: where a check bounds them together, the metadata `mostValues` says by how much. */
function atMost(measured: JsonBudget, { pipe = [] }: Described): JsonBudget {
  const named = pipe.flatMap(({ kind, metadata }) => {
    const most = kind === 'metadata' ? metadata?.['mostValues'] : undefined;
    return typeof most === 'number' ? [most] : [];
  });
  return { ...measured, values: Math.min(measured.values, ...named) };
}

function unbounded(): never {
  throw new CryptoError('invalid-argument');
}

const widest = (all: readonly JsonBudget[]): JsonBudget => ({
  depth: Math.max(...all.map(({ depth }) => depth)),
  values: Math.max(...all.map(({ values }) => values)),
  keyLength: Math.max(...all.map(({ keyLength }) => keyLength)),
  textLength: Math.max(...all.map(({ textLength }) => textLength)),
});
const sum = (all: readonly JsonBudget[]): JsonBudget => ({
  ...widest([nothing, ...all]),
  values: all.reduce((total, { values }) => total + values, 0),
});
const times = (item: JsonBudget, count: number): JsonBudget => ({ ...item, values: item.values * count });
const inside = (members: JsonBudget): JsonBudget => ({
  ...members,
  depth: members.depth + 1,
  values: members.values + 1,
});
