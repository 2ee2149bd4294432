import type { Log } from '../../../../process/event-log.ts';

export type QuietLog = Log & { readonly codes: string[] };

/** Keeps the codes that were logged, for tests that look for them. */
export function quietLog(): QuietLog {
  const codes: string[] = [];
  const note = (code: string) => void codes.push(code);
  return { codes, info: note, warn: note, error: note } as QuietLog;
}
