import type { IncomingMessage } from 'node:http';
import type * as v from 'valibot';
import {
  registerRequest,
  type RegistrarErrorCode,
  registrarChallengeRequest,
  renewRequest,
} from '../../crypto/protocol/messages/registrar-messages.ts';
import type { PublicLog } from '../public-log/public-log.ts';
import type { Publisher } from '../public-log/publisher.ts';
import { readTile } from '../public-log/read-tile.ts';
import { parseTilePath } from '../../crypto/evidence/modal/log-tiles.ts';
import { readJsonMessage } from '../../process/http/json-body.ts';
import { RegistrarError } from '../registrar-error.ts';
import type { StatementDesk } from '../statements/statement-desk.ts';
import type { LimitName } from './rate-limit.ts';
import type { PackedTiles } from './packed-tiles.ts';

export type RouteDependencies = {
  readonly desk: StatementDesk;
  readonly log: PublicLog;
  readonly publisher: Publisher;
  readonly packed: PackedTiles;
};
export type Answer = {
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
};
type Route = {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly limit: LimitName;
  run(request: IncomingMessage, path: string): Answer | Promise<Answer>;
};

/** A token of 8 KiB and a few fields. */
const maximumBodyLength = 12_288;
const neverChanges = 'public, max-age=31536000, immutable';

/** @returns null for a path that is not there. */
export function findRoute(path: string, dependencies: RouteDependencies): Route | null {
  const { desk, publisher } = dependencies;
  const statements = (name: string, answer: (request: IncomingMessage) => Promise<object>): Route => ({
    name,
    method: 'POST',
    limit: 'statements',
    run: async (request) => json(await answer(request)),
  });
  switch (path) {
    case '/v1/challenge':
      return statements('challenge', async (request) => {
        await readJson(request, registrarChallengeRequest);
        return desk.challenge(Date.now());
      });
    case '/v1/register':
      return statements('register', async (request) =>
        desk.register(await readJson(request, registerRequest), Date.now()),
      );
    case '/v1/renew':
      return statements('renew', async (request) => desk.renew(await readJson(request, renewRequest), Date.now()));
    case '/checkpoint':
      return reading('checkpoint', () => checkpoint(publisher));
    case '/healthz':
      return reading('health', () => {
        published(publisher);
        return json({ status: 'ready' });
      });
    default:
      return path.startsWith('/tile/') ? reading('tile', (request) => tile(path, request, dependencies)) : null;
  }
}

function reading(name: string, run: (request: IncomingMessage) => Answer | Promise<Answer>): Route {
  return { name, method: 'GET', limit: 'reading', run };
}

function checkpoint(publisher: Publisher): Answer {
  return {
    body: published(publisher).note,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...forEveryone },
  };
}

async function tile(
  path: string,
  request: IncomingMessage,
  { log, publisher, packed }: RouteDependencies,
): Promise<Answer> {
  const asked = parseTilePath(path);
  const bytes = asked === null ? null : readTile(log.tree, asked, published(publisher).size);
  if (asked === null || bytes === null) throw new RegistrarError('not-found');
  const headers = { 'content-type': 'application/octet-stream', 'cache-control': neverChanges, ...forEveryone };
  if (asked.level !== 'entries') return { body: bytes, headers };
  const takesGzip = /(^|,)\s*gzip\s*(,|$)/.test(String(request.headers['accept-encoding'] ?? ''));
  const vary = { ...headers, vary: 'accept-encoding' };
  return takesGzip
    ? { body: await packed.find(path, bytes), headers: { ...vary, 'content-encoding': 'gzip' } }
    : { body: bytes, headers: vary };
}

function published(publisher: Publisher) {
  if (publisher.published === null) throw new RegistrarError('log-unavailable', 5);
  return publisher.published;
}

/** The log is public: an auditor may be a page. */
const forEveryone = { 'access-control-allow-origin': '*' } as const;

function json(value: object): Answer {
  return {
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  };
}

export function errorAnswer(code: RegistrarErrorCode): Answer {
  return json({ error: code });
}

/** Every answer carries these, whoever writes it. */
export function headersOf({ body, headers }: Answer): Record<string, string> {
  return { ...headers, 'x-content-type-options': 'nosniff', 'content-length': String(Buffer.byteLength(body)) };
}

/** @throws {RegistrarError} `wrong-media-type`, `too-large`, `bad-request`. */
function readJson<Schema extends v.GenericSchema>(
  request: IncomingMessage,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  return readJsonMessage(request, schema, maximumBodyLength, (why) => new RegistrarError(why));
}
