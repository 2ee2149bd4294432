import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { callRelay, callRelayJson } from '../../../../../client/vault/relay/http/http-call.ts';
import { ManualClock, settle } from '../../../../parts/machine/clocks/manual-clock.ts';

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

/** The code of a call that is answered so. */
async function codeOf(body: string, status: number, type: string): Promise<string> {
  const fetch = () => Promise.resolve(new Response(body, { status, headers: { 'content-type': type } }));
  const call = callRelay({ fetch, origin: '', clock: new ManualClock() }, { method: 'GET', path: '/' }, 10_000);
  return call.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );
}

describe('an answer that no relay wrote', () => {
  const page = '<html><head><title>413 Request Entity Too Large</title></head></html>';

  it.each([
    [413, 'too-large-on-the-way'],
    [429, 'too-many-on-the-way'],
    [403, 'foreign-answer'],
    [404, 'foreign-answer'],
    [501, 'foreign-answer'],
    [511, 'foreign-answer'],
    [200, 'foreign-answer'],
  ])('a page of status %i is %s', async (status, code) => {
    expect(await codeOf(page, status, 'text/html')).toBe(code);
  });

  it.each([408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 530])(
    'a page of status %i is of a proxy that does not reach the relay',
    async (status) => {
      expect(await codeOf(page, status, 'text/html')).toBe('relay-unreachable');
    },
  );

  it('is told by what it holds where no type is named', async () => {
    expect(await codeOf(page, 413, 'application/octet-stream')).toBe('too-large-on-the-way');
    expect(await codeOf('Bad gateway', 502, 'text/plain')).toBe('relay-unreachable');
    expect(await codeOf('', 520, '')).toBe('relay-unreachable');
  });

  it.each([
    ['{"error":"too-large"}', 413, 'too-large'],
    ['{"error":"too-many-requests"}', 429, 'too-many-requests'],
    ['{"message":"API rate limit exceeded"}', 429, 'too-many-on-the-way'],
    ['{"error":"internal-error"}', 500, 'internal-error'],
    ['{"error":"made-up"}', 500, 'malformed-answer'],
    ['{"error":"made-up"}', 422, 'malformed-answer'],
    ['{"error":"made-up"}', 502, 'relay-unreachable'],
    ['{"error":{"code":"524"}}', 524, 'relay-unreachable'],
    ['{"message":"Internal server error"}', 500, 'relay-unreachable'],
    ['{"message":"Forbidden"}', 403, 'foreign-answer'],
    ['{"said":"something"}', 200, 'no error'],
  ])('is told from the relay’s own: %s', async (body, status, code) => {
    expect(await codeOf(body, status, 'application/json')).toBe(code);
  });
});
