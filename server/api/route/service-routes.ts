import * as v from 'valibot';
import { stretchingProfiles } from '../../../crypto/protocol/messages/account-messages.ts';
import { formatField } from '../../../crypto/protocol/messages/fields.ts';
import { describeApi } from './openapi.ts';
import { refuseTwins } from './refuse-twins.ts';
import { answer, defineRoute, type Route } from './route.ts';

const versionAnswer = v.strictObject({
  format: formatField,
  version: v.pipe(v.string(), v.maxLength(64)),
  /** Hash over the sources of the client that is served; null when none is built. */
  build: v.nullable(v.pipe(v.string(), v.maxLength(64))),
  signUp: v.picklist(['open', 'closed']),
  stretching: v.picklist(stretchingProfiles),
});

export type ServiceFacts = {
  readonly version: string;
  readonly build: string | null;
  readonly signUp: 'open' | 'closed';
};

/**
 * Adds what the relay says about itself, and the description of all routes, these included.
 *
 * @throws {Error} when two routes have one name, or answer one call: the later would never be reached.
 */
export function withServiceRoutes(others: readonly Route[], facts: ServiceFacts): readonly Route[] {
  let described: unknown = null;
  const newest = stretchingProfiles[stretchingProfiles.length - 1] ?? stretchingProfiles[0];
  const routes: readonly Route[] = [
    ...others,
    defineRoute({
      name: 'readVersion',
      summary: 'Version and build of what is served here.',
      method: 'GET',
      url: '/v1/version',
      access: 'public',
      answers: { 200: versionAnswer },
      handle: () => answer({ format: 1, ...facts, stretching: newest }),
    }),
    defineRoute({
      name: 'describeApi',
      summary: 'This description.',
      method: 'GET',
      url: '/v1/openapi.json',
      access: 'public',
      answers: { 200: v.looseObject({}) },
      handle: () => answer((described ??= describeApi(routes, facts.version))),
    }),
  ];
  const calls = ({ method, url }: Route) => [`${method} ${url.replace(/\{\w+\}/g, '{}')}`];
  for (const claimsOf of [({ name }: Route) => [name], calls]) {
    refuseTwins(routes, claimsOf, (claim) => `Two routes claim ${claim}.`);
  }
  return routes;
}
