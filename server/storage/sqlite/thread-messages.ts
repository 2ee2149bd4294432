import type { SQLInputValue } from 'node:sqlite';

/** A parameter of a statement; bytes stand behind each other in one buffer and are named by where they begin and end. */
export type PackedParameter = string | number | bigint | null | readonly [start: number, end: number];

/** The event loop asks this of the storage thread. */
export type ThreadRequest =
  /** Moves the write-ahead log into the database. */
  | { readonly kind: 'move' }
  | { readonly kind: 'begin' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rollback' }
  /** One statement of the transaction that is open. */
  | {
      readonly kind: 'run';
      readonly sql: string;
      readonly parameters: readonly PackedParameter[];
      readonly bytes: ArrayBuffer;
    }
  | { readonly kind: 'close' };

export type ThreadFailure = { readonly message: string; readonly code?: unknown; readonly errcode?: unknown };

/** Answers come in the order of the requests. */
export type ThreadAnswer =
  | { readonly failure: ThreadFailure }
  | {
      readonly rows: readonly Record<string, unknown>[];
      /** Rows that were written; null of a statement that reads. */
      readonly changes: number | null;
      /** Pages of the log that are not in the database yet. */
      readonly left: number;
    };

/** Copies parameters into a buffer that can be given away: a view may be a small part of a large one. */
export function packParameters(parameters: readonly unknown[]): {
  readonly parameters: readonly PackedParameter[];
  readonly bytes: ArrayBuffer;
} {
  let length = 0;
  for (const parameter of parameters) if (parameter instanceof Uint8Array) length += parameter.length;
  const bytes = new Uint8Array(length);
  let end = 0;
  const packed = parameters.map((parameter): PackedParameter => {
    if (!(parameter instanceof Uint8Array)) return parameter as Exclude<PackedParameter, readonly unknown[]>;
    bytes.set(parameter, end);
    end += parameter.length;
    return [end - parameter.length, end];
  });
  return { parameters: packed, bytes: bytes.buffer };
}

export function unpackParameters(parameters: readonly PackedParameter[], bytes: ArrayBuffer): SQLInputValue[] {
  return parameters.map((parameter) => {
    if (typeof parameter !== 'object' || parameter === null) return parameter;
    const [start, end] = parameter;
    return new Uint8Array(bytes, start, end - start);
  });
}
