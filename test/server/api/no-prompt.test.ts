import { expect, test, vi } from 'vitest';
import { parseScannedJson } from '../../../crypto/protocol/json/strict-json.ts';
import { nameTagOf, quickSignUp } from '../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../parts/relay/in-process/test-relay.ts';

vi.mock('../../../crypto/protocol/json/strict-json.ts', { spy: true });

/** Programs that talk to language models ask for these. */
const modelPaths = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/embeddings',
  '/v1/engines/default/completions',
  '/v1/threads',
  '/v1/models',
  '/chat/completions',
  '/completions',
  '/openai/v1/chat/completions',
  '/api/chat',
  '/api/generate',
  '/v1beta/models/default:generateContent',
];
const question = {
  model: 'default',
  messages: [{ role: 'user', content: 'Words in clear' }],
  prompt: 'Words in clear',
};

test.each(modelPaths)('no path takes words in clear: POST %s is refused, and nothing is read', async (path) => {
  const relay = await openTestRelay('sqlite');
  const { accessToken } = (await quickSignUp(relay, 'alice')).session;
  const send = async (to: string, body: unknown) => {
    vi.mocked(parseScannedJson).mockClear();
    const request = new Request(`http://localhost:8787${to}`, {
      method: 'POST',
      headers: {
        host: 'localhost:8787',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/json',
        authorization: `Bearer ${accessToken}`,
      },
      body: JSON.stringify(body),
    });
    const { status } = await relay.relay.app.request(request);
    return { status, isRead: request.bodyUsed, parsed: vi.mocked(parseScannedJson).mock.calls.length };
  };
  const isElsewhere = !path.startsWith('/v1/') || path === '/v1/models';
  expect(await send(path, question)).toEqual({ status: isElsewhere ? 405 : 404, isRead: false, parsed: 0 });
  // Where the relay does read, this test sees it.
  const recovery = { format: 1, nameTag: nameTagOf('alice') };
  expect(await send('/v1/recovery/start', recovery)).toEqual({ status: 200, isRead: true, parsed: 1 });
});

type Schema = {
  readonly type?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
};

/** A text that people write has blanks in it; these characters are all that a field may have. */
const blankless = /^\^(\(0\|\[1-9\]\[0-9\]\*\)|(\[[\w:./@+-]+\][*+]?)+)\$$/;
/** Written by the relay itself, which reads back nothing that it has not authenticated. */
const ownTokens = new Set(['signUpToken', 'passwordToken']);

/** Where a schema takes a text that could be somebody's words. */
function placesForWords(schema: Schema, place: string): string[] {
  const members = Object.entries(schema.properties ?? {});
  const found = members.flatMap(([name, member]) => placesForWords(member, `${place}.${name}`));
  for (const inner of [schema.items ?? [], schema.anyOf ?? [], schema.oneOf ?? []].flat()) {
    found.push(...placesForWords(inner, place));
  }
  if (schema.type === 'object' && schema.additionalProperties !== false) found.push(`${place}.*`);
  const isFixed = schema.enum !== undefined || blankless.test(schema.pattern ?? '');
  const isText = schema.type === 'string' || schema.type === undefined;
  const isComposed = members.length > 0 || schema.anyOf !== undefined || schema.oneOf !== undefined;
  const isToken = ownTokens.has(place.split('.').at(-1) ?? '') && (schema.maxLength ?? Infinity) <= 2048;
  if (isText && !isFixed && !isComposed && schema.const === undefined && !isToken) found.push(place);
  return found;
}

function namesIn(schema: Schema): string[] {
  const inner = [schema.items ?? [], schema.anyOf ?? [], schema.oneOf ?? [], Object.values(schema.properties ?? {})];
  return [...Object.keys(schema.properties ?? {}), ...inner.flat().flatMap(namesIn)];
}

test('the description of the interface has no field for a prompt', async () => {
  const relay = await openTestRelay('sqlite');
  const { paths } = (await relay.call('GET', '/v1/openapi.json')).json as {
    paths: Record<string, Record<string, Operation>>;
  };
  const bodies = Object.entries(paths).flatMap(([path, operations]) =>
    Object.values(operations).flatMap(({ requestBody, parameters }) => [
      ...(requestBody === undefined ? [] : [[path, requestBody.content['application/json'].schema] as const]),
      ...parameters.map(({ name, schema }) => [`${path}?${name}`, schema] as const),
    ]),
  );
  expect(bodies.length).toBeGreaterThan(20);
  expect(bodies.flatMap(([place, schema]) => placesForWords(schema, place))).toEqual([]);
  const names = bodies.flatMap(([place, schema]) => [place, ...namesIn(schema)]);
  expect(names.filter((name) => /prompt|message|content|text|input|instruction|temperature/i.test(name))).toEqual([]);
  expect(names).toContain('recipients');
});

test('placesForWords: finds a prompt wherever it could hide, and accepts what is sealed', () => {
  const sealed: Schema = { type: 'string', pattern: '^[A-Za-z0-9_-]*$' };
  const inside = (member: Schema, more: Partial<Schema> = { additionalProperties: false }) =>
    placesForWords({ type: 'object', properties: { body: sealed, member }, ...more }, '/x');
  expect(inside(sealed)).toEqual([]);
  expect(inside({ enum: ['a', 'b'], type: 'string' })).toEqual([]);
  expect(inside({ type: 'string' })).toEqual(['/x.member']);
  expect(inside({ type: 'string', maxLength: 10 })).toEqual(['/x.member']);
  expect(inside({ type: 'string', pattern: '^.*$' })).toEqual(['/x.member']);
  expect(inside({ type: 'array', items: { type: 'string' } })).toEqual(['/x.member']);
  expect(inside({ anyOf: [sealed, { type: 'string' }] })).toEqual(['/x.member']);
  expect(inside({})).toEqual(['/x.member']);
  expect(inside(sealed, {})).toEqual(['/x.*']);
});

type Operation = {
  readonly parameters: readonly { readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
};
