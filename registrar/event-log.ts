import type { Writable } from 'node:stream';

export type EventFields = Readonly<Record<string, string | number | boolean | null>>;

/** One JSON object a line: fixed words of ours, codes and counts; no token, key, address or text from outside. */
export interface EventLog {
  info(event: string, fields?: EventFields): void;
  /** Of an error only kind, code and place are written: its message may quote what came in. */
  error(event: string, error: unknown): void;
}

export function createEventLog(output: Writable = process.stdout): EventLog {
  const write = (level: string, event: string, fields: object) => {
    output.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
  };
  return {
    info: (event, fields = {}) => write('info', event, fields),
    error: (event, error) => write('error', event, describe(error)),
  };
}

function describe(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  const known = errcode ?? code;
  const { message, stack = '' } = error;
  // The message stands before the places, and may have lines that look like them.
  const places = stack.slice(Math.max(0, stack.indexOf(message)) + message.length);
  const lines = places.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    code: typeof known === 'string' || typeof known === 'number' ? known : null,
    at: lines.slice(0, 6).map((line) => /[^/\\]+:\d+:\d+/.exec(line)?.[0] ?? ''),
  };
}
