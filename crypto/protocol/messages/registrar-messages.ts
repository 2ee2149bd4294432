import * as v from 'valibot';
import type { Advice } from '../bytes/errors.ts';
import { errorCodes } from './error-codes.ts';
import { modalEvidence } from './evidence-messages.ts';
import { bytesField, formatField, hashField, timeMsField } from './fields.ts';

/*
 * A worker asks the registrar this, and gets these answers (SPEC.md §9.6). They travel as JSON over https, from worker to
 * registrar and never by way of the relay, since the identity token is a bearer secret.
 */

/** A JWT in its compact form. */
const identityTokenField = v.pipe(
  v.string(),
  v.maxLength(8192),
  v.regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/),
);

/** Says under which key, and shows that it is held: a signature over the registrar's challenge. */
const possessionEntries = {
  identityPublicKey: bytesField(32),
  challenge: hashField,
  signature: bytesField(64),
};

/** POST /v1/challenge */
export const registrarChallengeRequest = v.strictObject({ format: formatField });
/** For one call of either sort, within two minutes. */
export const registrarChallengeAnswer = v.strictObject({
  format: formatField,
  challenge: hashField,
  expiresAtMs: timeMsField,
});

/** POST /v1/register: once for a token, with the key that it shall stand for. */
export const registerRequest = v.strictObject({
  format: formatField,
  identityToken: identityTokenField,
  ...possessionEntries,
});
/** POST /v1/renew: a new statement about a registered key. The token stays where it is. */
export const renewRequest = v.strictObject({ format: formatField, ...possessionEntries });

/** Both are answered 200 with evidence, ready to be shown to clients. */
export const registrarAnswer = v.strictObject({
  format: formatField,
  evidence: modalEvidence,
  /** After this no renewal is given: the container must be over. */
  renewableUntilMs: timeMsField,
});

/** The registrar answers one of these instead, with its HTTP status and what the worker can do. */
export const registrarErrorCodes = {
  'bad-request': { ...errorCodes['bad-request'], advice: 'stop' },
  /** Signature, issuer, audience or form of the token. */
  'token-refused': { status: 401, advice: 'stop' },
  /** Signed by a key that Modal does not publish, or not yet. */
  'token-key-unknown': { status: 401, advice: 'retry' },
  /** Expired, of the future, or given to its container too long ago. */
  'token-too-old': { status: 401, advice: 'stop' },
  'possession-refused': { status: 401, advice: 'stop' },
  /** Unknown, over or used: ask for another. */
  'challenge-refused': { status: 401, advice: 'retry' },
  /** A container, but not of this deployment. */
  'wrong-deployment': { status: 403, advice: 'stop' },
  'not-found': { ...errorCodes['not-found'], advice: 'stop' },
  /** No such key is registered: register it. */
  'not-registered': { status: 404, advice: 'fix' },
  'method-not-allowed': { ...errorCodes['method-not-allowed'], advice: 'stop' },
  /** Has registered a key already; if that was this one, renew. */
  'token-used': { status: 409, advice: 'fix' },
  /** Registered by another token. */
  'identity-known': { status: 409, advice: 'stop' },
  'registration-over': { status: 410, advice: 'stop' },
  'too-large': { ...errorCodes['too-large'], advice: 'stop' },
  'wrong-media-type': { ...errorCodes['wrong-media-type'], advice: 'stop' },
  'too-many-requests': { ...errorCodes['too-many-requests'], advice: 'retry' },
  'internal-error': { ...errorCodes['internal-error'], advice: 'retry' },
  /** Modal's keys could not be fetched. */
  'issuer-unreachable': { status: 503, advice: 'retry' },
  'log-unavailable': { status: 503, advice: 'retry' },
} as const satisfies Record<string, { status: number; advice: Advice }>;
export type RegistrarErrorCode = keyof typeof registrarErrorCodes;

const codes = Object.keys(registrarErrorCodes) as [RegistrarErrorCode, ...RegistrarErrorCode[]];
export const registrarErrorAnswer = v.object({ error: v.picklist(codes) });

export type RegistrarChallengeAnswer = v.InferOutput<typeof registrarChallengeAnswer>;
export type RegisterRequest = v.InferOutput<typeof registerRequest>;
export type RenewRequest = v.InferOutput<typeof renewRequest>;
export type RegistrarAnswer = v.InferOutput<typeof registrarAnswer>;
