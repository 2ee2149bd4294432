import { createLog as createEventLog, type LogLevel, type LogOutput } from '../process/event-log.ts';
import type { EvidenceProblem } from './evidence/source/evidence-source.ts';

/**
 * All that a worker ever logs: fixed events with counts and codes. There is no field for text, ids, names or errors of
 * others, so nothing that anybody wrote can get into one.
 */
export type LogEvent =
  | { readonly event: 'listening'; readonly port: number }
  | { readonly event: 'stopping'; readonly runningTurns: number }
  | { readonly event: 'stopped' }
  | { readonly event: 'relay-connected' | 'relay-disconnected'; readonly streams: number }
  | { readonly event: 'call-refused'; readonly code: string }
  | { readonly event: 'load'; readonly pacedTurns: number; readonly answeringTurns: number; readonly heldBytes: number }
  | { readonly event: 'evidence-problem'; readonly problem: EvidenceProblem }
  | { readonly event: 'evidence-ready' }
  /** `reason` and `code` are of fixed lists; status 0: there was no answer. `unsaid`: equal ones since the last line. */
  | {
      readonly event: 'model-server-problem';
      readonly reason: string;
      readonly status: number;
      readonly code: string | null;
      readonly unsaid: number;
    }
  | { readonly event: 'keys-lost' }
  | { readonly event: 'internal-error'; readonly kind: string };

export type Log = (level: LogLevel, event: LogEvent) => void;

export function createLog(threshold: LogLevel, output?: LogOutput): Log {
  const log = createEventLog(threshold, output, 'worker');
  return (level, { event, ...fields }) => log[level](event, fields);
}
