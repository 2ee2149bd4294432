import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { callRelayJson } from '../../../client/relay/http-call.ts';
import { ManualClock, settle } from '../../parts/manual-clock.ts';

const answer = v.strictObject({ said: v.string() });
const text = JSON.stringify({ said: 'It took its time, and then some.' });

/** Calls a relay that answers at once and sends `perSecond` bytes of its answer a second. */
async function callSlowly(perSecond: number) {
  const clock = new ManualClock();
  let sent = 0;
  const slowly: typeof fetch = (_input, init) => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        init?.signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
        const send = () => {
          if (init?.signal?.aborted === true) return;
          controller.enqueue(new TextEncoder().encode(text.slice(sent, sent + perSecond)));
          sent += perSecond;
          if (sent < text.length) clock.after(1_000, send);
          else controller.close();
        };
        clock.after(1_000, send);
      },
    });
    return Promise.resolve(new Response(body));
  };
  const call = callRelayJson({ fetch: slowly, origin: '', clock }, { method: 'GET', path: '/' }, answer, 1_000);
  const outcome = call.then(
    (value) => value.said,
    (error: unknown) => (error as Error).message,
  );
  await settle();
  return { clock, outcome, sent: () => sent };
}

describe('callRelayJson', () => {
  it('ends with an answer that drips a byte a second when its time is over, not later (M36)', async () => {
    const { clock, outcome, sent } = await callSlowly(1);
    await clock.pass(31_000);
    expect(sent()).toBeLessThan(text.length);
    expect(await outcome).toBe('relay-unreachable');
    expect(clock.waiting).toBe(0);
  });

  it('waits for an answer that is slow and comes in time', async () => {
    const { clock, outcome } = await callSlowly(2);
    await clock.pass(31_000);
    expect(await outcome).toBe('It took its time, and then some.');
    expect(clock.waiting).toBe(0);
  });
});
