import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { parseScannedJson } from '../../../crypto/protocol/json/strict-json.ts';
import { RelayError } from '../route/relay-error.ts';
import type { Route } from '../route/route.ts';
import type { BodyShare } from './body-memory.ts';
import { LargeBodies } from './large-bodies.ts';
import { type Caller, RateLimiter } from '../guards/rate-limit.ts';
import { announcedLength, readBody, requireJson } from './read-body.ts';

export type BodyDependencies = {
  readonly limiter: RateLimiter;
  readonly large: LargeBodies;
  /** The body's share of the memory for all bodies. */
  readonly share: BodyShare;
  readonly caller: Caller;
};

/**
 * Reads the body of a call as its route's message, and counts it for the caller before it is in memory.
 *
 * @returns null for a route without one.
 * @throws {RelayError} `wrong-media-type`, `too-large`, `too-many-requests`, `bad-request`.
 */
export async function parseBody(
  request: Request,
  incoming: IncomingMessage | undefined,
  route: Route,
  { limiter, large, share, caller }: BodyDependencies,
): Promise<unknown> {
  const { body, bodyBudget, maximumBodyLength: maximumLength } = route;
  if (body === null || bodyBudget === null) return null;
  requireJson(request);
  const announced = announcedLength(request);
  if (announced > maximumLength) throw new RelayError('too-large');
  const limits = route.limits.filter((limit) => RateLimiter.isPerAccount(limit));
  const takeBytes = (length: number) => {
    if (limits.includes('bytes')) limiter.take('bytes', caller, Math.ceil(length / 1024));
  };
  for (const limit of limits) if (limit !== 'bytes') limiter.take(limit, caller);
  if (announced > 0) takeBytes(announced);
  const bytes = await readBody(request, incoming, {
    maximumLength,
    budget: bodyBudget,
    // A body of unknown length pays as it comes, not when it is in memory.
    onLength: announced === 0 ? takeBytes : () => undefined,
    onGrowth: (added) => share.take(added),
  });
  return LargeBodies.isLarge(bytes) ? large.read(route.name, bytes) : parseOrRefuse(body, readJson(bytes));
}

/** @throws {RelayError} `bad-request` for what is not JSON. */
function readJson(bytes: Bytes): unknown {
  try {
    return parseScannedJson(bytes);
  } catch {
    throw new RelayError('bad-request');
  }
}

/** @throws {RelayError} `bad-request`. */
export function parseOrRefuse(schema: v.GenericSchema, value: unknown): unknown {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) throw new RelayError('bad-request');
  return parsed.output;
}
