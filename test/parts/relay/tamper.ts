import {
  decodeLiveRecord,
  encodeLiveRecord,
  type LiveRecord,
  LiveRecordSplitter,
} from '../../../crypto/protocol/messages/live-record.ts';
import { concat, fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import type { BrowserProfile, Interceptor } from '../users/vaults/browser-profile.ts';
import type { VaultTab } from '../users/vaults/vault-tab.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what a lying relay says has no type.
type Json = any;

/** Changes the JSON answers of one path; `change` may alter what it is given or return something else. */
export function changeJson(path: RegExp, change: (answer: Json, request: Request) => unknown): Interceptor {
  return async (request, next) => {
    const response = await next(request);
    if (!path.test(pathOf(request)) || !response.ok) return response;
    const answer: Json = await response.json();
    return jsonResponse(change(answer, request) ?? answer);
  };
}

/** Changes the JSON that the client sends before the relay gets it. */
export function changeRequest(path: RegExp, change: (body: Json) => void): Interceptor {
  return async (request, next) => {
    if (!path.test(pathOf(request)) || request.method !== 'POST') return next(request);
    const body: Json = await request.json();
    change(body);
    const { headers, method, signal } = request;
    return next(new Request(request.url, { method, headers, signal, body: JSON.stringify(body) }));
  };
}

/** Answers one path itself. */
export function answerInstead(path: RegExp, answer: (request: Request) => Response | Promise<Response>): Interceptor {
  return async (request, next) => (path.test(pathOf(request)) ? answer(request) : next(request));
}

/** Several at once, the first outermost. */
export function allOf(...interceptors: Interceptor[]): Interceptor {
  return (request, next) =>
    interceptors.reduceRight<(passed: Request) => Promise<Response>>(
      (inner, interceptor) => (passed) => interceptor(passed, inner),
      next,
    )(request);
}

/** Changes live records, in the held response and in the ones that are fetched. */
export function changeRecords(
  change: (record: LiveRecord, from: 'live' | 'fetch') => readonly LiveRecord[],
): Interceptor {
  return async (request, next) => {
    const path = pathOf(request);
    const from = /^\/v1\/live$/.test(path) ? 'live' : /^\/v1\/turns\/[^/]+\/frames$/.test(path) ? 'fetch' : null;
    const response = await next(request);
    if (from === null || response.body === null || !response.ok) return response;
    const splitter = new LiveRecordSplitter();
    const changed = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          const records = splitter.push(piece).flatMap((bytes) => change(decodeLiveRecord(bytes), from));
          if (records.length > 0) controller.enqueue(concat(...records.map((record) => encodeLiveRecord(record))));
        },
      }),
    );
    return new Response(changed, { headers: response.headers });
  };
}

/** An answer that comes a byte a second and never ends. */
export function dripping(signal: AbortSignal): Response {
  let timer: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 1_000).unref();
      signal.addEventListener('abort', () => {
        clearInterval(timer);
        controller.error(signal.reason);
      });
    },
    cancel() {
      clearInterval(timer);
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/octet-stream' } });
}

export function jsonResponse(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

/** Another byte in the middle of base64url, of the same length. */
export function flip(text: string, place = Math.floor((text.length * 3) / 8)): string {
  const bytes = fromBase64Url(text);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return toBase64Url(bytes);
}

export function pathOf(request: Request): string {
  return new URL(request.url).pathname;
}

/** Stores a question with an empty answer, for tests that need items and no enclave. @returns its conversation. */
export async function storeConversation(tab: VaultTab, text: string): Promise<string> {
  const { conversationId, turnId } = await tab.ask(text);
  await tab.vault.stop({ turnId });
  await tab.until(() => tab.question(turnId).stored);
  return conversationId;
}

/** Makes a device look at the relay again. */
export async function reconnect(profile: BrowserProfile, tab: VaultTab): Promise<void> {
  profile.setOnline(false);
  await tab.until(() => tab.connection !== 'connected');
  profile.setOnline(true);
}
