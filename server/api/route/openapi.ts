import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { asksToWait, errorCodes, errorAnswer } from '../../../crypto/protocol/messages/error-codes.ts';
import { declaredCodes } from './declared-codes.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

/** OpenAPI 3.1 of the routes, from the schemas that parse the very same messages. */
export function describeApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const operations = (paths[route.url] ??= {});
    operations[route.method.toLowerCase()] = describeRoute(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sotto relay',
      version,
      description:
        'Everything that crosses this interface is sealed by the client or is no secret of it. Bytes in JSON are unpadded base64url.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: {
        session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-sotto-…' },
      },
      schemas: { Error: schemaOf(errorAnswer) },
    },
  };
}

function describeRoute(route: Route): Json {
  return {
    operationId: route.name,
    summary: route.summary,
    security: route.access === 'public' ? [] : [{ [route.access]: [] }],
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...(route.body === null
      ? {}
      : {
          requestBody: {
            required: true,
            description: `At most ${route.maximumBodyLength} bytes.`,
            content: { 'application/json': { schema: schemaOf(route.body) } },
          },
        }),
    responses: { ...successes(route), ...failures(route) },
  };
}

function pathParameters(route: Route): Json[] {
  return Object.entries(route.path).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemaOf(schema),
  }));
}

function queryParameters(route: Route): Json[] {
  if (route.query === null) return [];
  const { properties = {}, required = [] } = schemaOf(route.query) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function successes(route: Route): Json {
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, schema]) => [
      status,
      {
        description: status.startsWith('2') ? 'Done.' : 'Refused, with more than a code.',
        content:
          schema === 'bytes'
            ? { 'application/octet-stream': {} }
            : { 'application/json': { schema: schemaOf(schema) } },
      },
    ]),
  );
}

const retryAfter = {
  description: 'Seconds after which to come back.',
  required: true,
  schema: { type: 'integer', minimum: 1 },
};

function failures(route: Route): Json {
  const byStatus = Map.groupBy(declaredCodes(route), (code) => errorCodes[code].status);
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => !(status in route.answers))
      .map(([status, codes]) => [
        String(status),
        {
          description: codes.join(', '),
          ...(codes.some(asksToWait) ? { headers: { 'Retry-After': retryAfter } } : {}),
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      ]),
  );
}

function schemaOf(schema: v.GenericSchema): Json {
  // `input` is what travels; what JSON Schema cannot say (canonical spelling, conversions) is left out.
  const { $schema, ...described } = toJsonSchema(schema, {
    typeMode: 'input',
    errorMode: 'ignore',
    target: 'draft-2020-12',
  }) as Json;
  void $schema;
  return described;
}
