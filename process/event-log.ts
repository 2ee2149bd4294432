import type { Writable } from 'node:stream';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A line may carry numbers, fixed words of ours, and errors, of which only kind and place are written. Nothing else is. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * One JSON object a line, without anything of a user: no ids, names, addresses, paths or texts from outside.
 *
 * Field values are words of this code (route names, codes) or coarse numbers.
 */
export interface Log {
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
}

/** Where lines go. */
export type LogOutput = Pick<Writable, 'write'>;

/** @param part - A part of the product, where several write to one terminal. */
export function createLog(level: LogLevel, output: LogOutput = process.stdout, part?: string): Log {
  const limit = logLevels.indexOf(level);
  const writer = (own: LogLevel) =>
    logLevels.indexOf(own) > limit
      ? () => undefined
      : (event: string, fields: LogFields = {}) => {
          output.write(
            `${JSON.stringify({ time: new Date().toISOString(), level: own, part, event, ...describe(fields) })}\n`,
          );
        };
  return { error: writer('error'), warn: writer('warn'), info: writer('info'), debug: writer('debug') };
}

const plainTypes: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'undefined']);

function describe(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (value instanceof Error) return [name, describeError(value)];
      // Anything may be thrown, a text from outside too.
      const isPlain = name !== 'error' && (value === null || plainTypes.has(typeof value));
      return [name, isPlain ? value : typeof value];
    }),
  );
}

/** Messages may quote what a user sent (a duplicate key, a parsed text), so only kind, code and place are kept. */
function describeError(error: Error): { name: string; code: string | number | null; at: string[] } {
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  const known = errcode ?? code;
  const { message, stack = '' } = error;
  // The message stands before the places, and may have lines that look like them.
  const places = stack.slice(Math.max(0, stack.indexOf(message)) + message.length);
  return {
    name: error.name,
    code: typeof known === 'string' || typeof known === 'number' ? known : null,
    at: places
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 6)
      .map((line) =>
        line
          .trim()
          .replace(/^at .*?(?=[^/\\]+:\d+:\d+\)?$)/, '')
          .replace(/\)$/, ''),
      ),
  };
}

/** A duration as the nearest power of two in milliseconds, so that a log holds no fine timing of anyone's requests. */
export function coarseMs(durationMs: number): number {
  return durationMs < 1 ? 1 : 2 ** Math.round(Math.log2(durationMs));
}
