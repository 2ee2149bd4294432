import { monitorEventLoopDelay } from 'node:perf_hooks';
import { coarseMs, type Log } from '../../process/event-log.ts';

const resolutionMs = 20;
const lookEveryMs = 10_000;
/** Nobody should wait longer for others: what takes so long is work that belongs into pieces or elsewhere. */
const markMs = 250;

/**
 * Says when the event loop stood still for so long that callers noticed: one line, however often it did.
 *
 * @returns what ends it.
 */
export function watchLoop(log: Log): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const timer = setInterval(() => {
    const longestMs = delay.max / 1e6 - resolutionMs;
    delay.reset();
    if (longestMs > markMs) log.warn('event-loop-delayed', { ms: coarseMs(longestMs) });
  }, lookEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
