/**
 * Why the database cannot do its work now, which is no defect of ours and no fault of the caller:
 * - `full`: no room is left on the disk, or within a limit that somebody set;
 * - `busy`: somebody else holds what is needed for too long;
 * - `no-connection`: all connections that the server grants are in use;
 * - `no-answer`: it is silent, frozen or too slow;
 * - `unreachable`: it is not there, stops, or the connection to it broke;
 * - `io-error`, `no-memory`, `corrupt`, `read-only`: the machine beneath it.
 */
export type TroubleCause =
  | 'full'
  | 'busy'
  | 'no-connection'
  | 'no-answer'
  | 'unreachable'
  | 'io-error'
  | 'no-memory'
  | 'corrupt'
  | 'read-only';

/** A trouble that no driver has a code for. */
export class StorageTrouble extends Error {
  override readonly name = 'StorageTrouble';
  readonly trouble: TroubleCause;
  /** For the log. */
  readonly code: string;

  constructor(trouble: TroubleCause, message: string, cause?: unknown) {
    super(message, { cause });
    this.trouble = trouble;
    this.code = trouble;
  }
}

/** SQLite's primary result codes: extended ones keep them in the low byte. */
const sqliteCauses: Readonly<Record<number, TroubleCause>> = {
  5: 'busy',
  6: 'busy',
  7: 'no-memory',
  8: 'read-only',
  10: 'io-error',
  11: 'corrupt',
  13: 'full',
  // The file, its log or its index cannot be opened: file handles, rights, a volume that went.
  14: 'io-error',
  26: 'corrupt',
};
/** Extended codes that SQLite counts as errors of input and output, and that have a cause of their own. */
const sqliteExtendedCauses: Readonly<Record<number, TroubleCause>> = {
  3082: 'no-memory',
  // The index beside the log could not grow, as on a full disk.
  4874: 'full',
};

const postgresCauses: Readonly<Record<string, TroubleCause>> = {
  '25006': 'read-only',
  '25P03': 'no-answer',
  '40001': 'busy',
  '40P01': 'busy',
  '53100': 'full',
  '53200': 'no-memory',
  '53300': 'no-connection',
  '53400': 'full',
  '55P03': 'busy',
  '57014': 'no-answer',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
  '57P05': 'unreachable',
  '58030': 'io-error',
  XX001: 'corrupt',
  XX002: 'corrupt',
};

/** Null for everything that is not the database's trouble. */
export function troubleOf(error: unknown): TroubleCause | null {
  if (error instanceof StorageTrouble) return error.trouble;
  if (!(error instanceof Error)) return null;
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') {
    return sqliteExtendedCauses[errcode] ?? sqliteCauses[errcode & 255] ?? null;
  }
  // The system's codes are longer, and may be another connection's.
  if (typeof code !== 'string' || !('severity' in error)) return null;
  return code.startsWith('08') ? 'unreachable' : (postgresCauses[code] ?? null);
}

/** When it is worth coming back: what heals by itself sooner than what waits for a person. */
const waitSeconds: Readonly<Record<TroubleCause, number>> = {
  busy: 2,
  'no-connection': 5,
  'no-answer': 5,
  unreachable: 5,
  'no-memory': 10,
  'io-error': 30,
  full: 60,
  'read-only': 60,
  corrupt: 300,
};

export function waitSecondsOf(cause: TroubleCause): number {
  return waitSeconds[cause];
}
