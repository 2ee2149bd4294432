import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as v from 'valibot';
import type { ErrorCode } from '../../../crypto/protocol/messages/error-codes.ts';
import { type JsonBudget, jsonBudgetOf } from '../../../crypto/protocol/json/json-budget.ts';

/** Who is calling, once the access token was verified and its session found alive. */
export type Session = {
  readonly accountId: string;
  /** 22 characters of base64url, as in messages. */
  readonly sessionId: string;
};

/**
 * - `public`: nobody is known; no cookie says who is calling.
 * - `cookie`: the refresh cookie decides, so the call must come from our own pages.
 * - `session`: `Authorization: Bearer` with a living session.
 */
export type Access = 'public' | 'cookie' | 'session';

/** Things that are limited besides calls in all (guards/rate-limit.ts says how much of each, and of whom). */
export type LimitName = 'sign-in' | 'sign-up' | 'refresh' | 'turns' | 'bytes' | 'reads' | 'evidence' | 'fresh-evidence';

type AnySchema = v.GenericSchema;
type PathSchemas = Readonly<Record<string, v.GenericSchema<string, string>>>;

export type RouteContext<Body, Query, Path, Who extends Access> = {
  readonly session: Who extends 'session' ? Session : null;
  readonly body: Body;
  readonly query: Query;
  readonly path: Path;
  readonly nowMs: number;
  /** The client's network address as far as it is known: for limits in memory, never stored or logged. */
  readonly address: string;
  /**
   * Counts what only the handler can know that it was asked for.
   *
   * @throws {RelayError} `too-many-requests`.
   */
  readonly takeLimit: (name: LimitName) => void;
  /** Counts bytes of an answer that the handler writes itself. */
  readonly countRead: (length: number) => void;
  /** The refresh cookie's value, which only `cookie` routes may trust for who is calling. */
  readonly cookie: string | null;
  /** The device cookie's value: it decides nothing but whose attempts are counted (accounts/attempts/known-device.ts). */
  readonly device: string | null;
};

/** A handler gives this back. Errors are thrown as `RelayError`. */
export type Answer = {
  readonly status: number;
  /** A JSON value, or bytes that go out as `application/octet-stream`. */
  readonly body: unknown;
  /** For the refresh cookie; null takes it away, left out it stays. */
  readonly refreshToken?: string | null;
  /** For the device cookie. */
  readonly device?: string;
};

export function answer(body: unknown, status = 200): Answer {
  return { status, body };
}

/** Node's response under HTTP/1.1 and HTTP/2 alike. Security headers are on it already; only a type and a status are missing. */
export type RawResponse = ServerResponse;

/**
 * One route of the API: the router, the limits, the guards and `openapi.json` are all made from this.
 *
 * Declare it with `defineRoute`, which ties the handler's types to the schemas.
 */
export type Route = {
  /** For logs and as `operationId`: camelCase verb and noun. */
  readonly name: string;
  /** One line for `openapi.json`. */
  readonly summary: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Parameters in braces: `/v1/turns/{turnId}/stop`. */
  readonly url: string;
  readonly access: Access;
  readonly path: PathSchemas;
  /** Its values are text: numbers come through `v.pipe(v.string(), …, v.toNumber())`. Null: no query is allowed. */
  readonly query: AnySchema | null;
  readonly body: AnySchema | null;
  /** Most that a body of the schema can hold; what holds more is refused while it arrives. */
  readonly bodyBudget: JsonBudget | null;
  /** Bytes of the JSON text; a longer one is refused while it arrives. */
  readonly maximumBodyLength: number;
  /** Status and schema of each success; `bytes` is an octet stream. */
  readonly answers: Readonly<Record<number, AnySchema | 'bytes'>>;
  /** The codes of its own; those of guards, limits and parsing are added. */
  readonly errors: readonly ErrorCode[];
  readonly limits: readonly LimitName[];
  readonly handle:
    | {
        readonly kind: 'answer';
        run(context: RouteContext<unknown, unknown, unknown, Access>): Promise<Answer> | Answer;
      }
    | {
        readonly kind: 'raw';
        run(
          response: RawResponse,
          context: RouteContext<unknown, unknown, unknown, Access>,
          request: IncomingMessage,
        ): Promise<void> | void;
      };
};

type Output<Schema> = Schema extends AnySchema ? v.InferOutput<Schema> : null;
type PathOutput<Schemas extends PathSchemas> = { readonly [Name in keyof Schemas]: string };

export type RouteDefinition<
  Who extends Access,
  Path extends PathSchemas,
  Query extends AnySchema | null,
  Body extends AnySchema | null,
> = Pick<Route, 'name' | 'summary' | 'method' | 'url' | 'answers'> & {
  readonly access: Who;
  readonly path?: Path;
  readonly query?: Query;
  readonly body?: Body;
  /** Left out: 64 KiB. */
  readonly maximumBodyLength?: number;
  readonly errors?: readonly ErrorCode[];
  readonly limits?: readonly LimitName[];
} & (
    | { handle(context: RouteContext<Output<Body>, Output<Query>, PathOutput<Path>, Who>): Promise<Answer> | Answer }
    | {
        /**
         * Writes to the raw response itself, headers and end included. An error that it throws before the headers are sent
         * becomes an error answer; afterwards the connection is cut.
         */
        raw(
          response: RawResponse,
          context: RouteContext<Output<Body>, Output<Query>, PathOutput<Path>, Who>,
          request: IncomingMessage,
        ): Promise<void> | void;
      }
  );

const usualBodyLength = 64 * 1024;

export function defineRoute<
  const Who extends Access,
  const Path extends PathSchemas = Record<never, never>,
  Query extends AnySchema | null = null,
  Body extends AnySchema | null = null,
>(definition: RouteDefinition<Who, Path, Query, Body>): Route {
  const { path, query, body, maximumBodyLength, errors, limits, ...fixed } = definition;
  const { name, summary, method, url, answers, access } = fixed;
  return {
    name,
    summary,
    method,
    url,
    answers,
    access,
    path: path ?? {},
    query: query ?? null,
    body: body ?? null,
    bodyBudget: body === null || body === undefined ? null : jsonBudgetOf(body),
    maximumBodyLength: maximumBodyLength ?? usualBodyLength,
    errors: errors ?? [],
    limits: limits ?? [],
    // The dispatcher hands over what these very schemas have parsed.
    handle: ('raw' in fixed
      ? { kind: 'raw', run: fixed.raw.bind(fixed) }
      : { kind: 'answer', run: fixed.handle.bind(fixed) }) as Route['handle'],
  };
}
