import type { ErrorCode } from '../../../crypto/protocol/messages/error-codes.ts';
import type { Route } from './route.ts';

const everywhere = [
  'bad-request',
  'https-required',
  'wrong-host',
  'too-many-requests',
  'storage-full',
  'storage-failing',
  'internal-error',
] as const satisfies readonly ErrorCode[];

/** Every code that a route may answer: its own, and those of guards, limits and parsing. */
export function declaredCodes(route: Route): ReadonlySet<ErrorCode> {
  const codes = new Set<ErrorCode>([...everywhere, ...route.errors]);
  if (route.method !== 'GET') codes.add('wrong-origin');
  if (route.body !== null) codes.add('too-large').add('wrong-media-type');
  if (route.access !== 'public') codes.add('not-signed-in').add('session-ended');
  return codes;
}
