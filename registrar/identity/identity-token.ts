import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import * as v from 'valibot';
import { type Bytes, encodeUtf8, fromBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../crypto/protocol/bytes/errors.ts';
import { labelled, sha256 } from '../../crypto/protocol/bytes/hash.ts';
import { RegistrarError } from '../registrar-error.ts';
import type { Deployment, IssuerSettings } from '../settings.ts';
import { IssuerUnreachable } from './bounded-fetch.ts';
import type { IssuerKeys } from './issuer-keys.ts';

/** How far Modal's clock and ours may lie apart. */
export const toleranceMs = 60_000;
/** No container lives longer. */
const containerLifeMs = 86_400_000;

const idClaim = v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.regex(/^[!-~]+$/));
const timeClaim = v.pipe(v.number(), v.minValue(0), v.maxValue(8_640_000_000_000));
/** Modal, "Using OIDC to authenticate with external services". Claims that we do not need may be there too. */
const claims = v.object({
  // A list of audiences would be a token for others as well.
  aud: v.string(),
  exp: timeClaim,
  iat: timeClaim,
  nbf: v.exactOptional(timeClaim),
  workspace_id: idClaim,
  environment_id: idClaim,
  app_id: idClaim,
  function_id: idClaim,
  container_id: idClaim,
});
const header = v.object({ alg: v.literal('RS256'), kid: v.pipe(v.string(), v.minLength(1), v.maxLength(256)) });

/** A container on Modal, as Modal itself says. */
export type ModalContainer = {
  readonly workspaceId: string;
  readonly environmentId: string;
  readonly appId: string;
  readonly functionId: string;
  readonly containerId: string;
  /** Stands for the token from here on. */
  readonly tokenHash: Bytes;
  readonly tokenExpiresAtMs: number;
  /** When the container must be over. */
  readonly endsAtMs: number;
};

/**
 * Checks an identity token of Modal to the end: signature by a published key, issuer, audience, times, deployment.
 *
 * @throws {RegistrarError} `token-refused`, `token-key-unknown`, `token-too-old`, `wrong-deployment`, `issuer-unreachable`.
 */
export async function verifyIdentityToken(
  token: string,
  dependencies: {
    readonly issuer: IssuerSettings;
    readonly keys: IssuerKeys;
    readonly deployment: Deployment;
    readonly nowMs: number;
  },
): Promise<ModalContainer> {
  const { issuer, keys, deployment, nowMs } = dependencies;
  const tokenHash = hashToken(token);
  const signed = await verifySignature(token, keys, issuer, nowMs);
  const parsed = v.safeParse(claims, signed);
  if (!parsed.success || parsed.output.aud !== issuer.audience) throw new RegistrarError('token-refused');
  const claim = parsed.output;
  const issuedAtMs = claim.iat * 1000;
  const expiresAtMs = claim.exp * 1000;
  if (issuedAtMs > nowMs + toleranceMs || nowMs - issuedAtMs > issuer.tokenMaximumAgeMs + toleranceMs) {
    throw new RegistrarError('token-too-old');
  }
  if (
    !deployment.workspaceIds.includes(claim.workspace_id) ||
    !deployment.environmentIds.includes(claim.environment_id) ||
    !deployment.appIds.includes(claim.app_id) ||
    !deployment.functionIds.includes(claim.function_id)
  ) {
    throw new RegistrarError('wrong-deployment');
  }
  return {
    workspaceId: claim.workspace_id,
    environmentId: claim.environment_id,
    appId: claim.app_id,
    functionId: claim.function_id,
    containerId: claim.container_id,
    tokenHash,
    tokenExpiresAtMs: expiresAtMs,
    endsAtMs: Math.floor(Math.min(expiresAtMs, issuedAtMs + containerLifeMs)),
  };
}

/** Over what is signed, so that no other spelling of the signature makes a second token of it. */
function hashToken(token: string): Bytes {
  const [protectedHeader = '', encodedClaims = '', signature = '', ...more] = token.split('.');
  try {
    if (more.length > 0) throw new CryptoError('malformed');
    for (const part of [protectedHeader, encodedClaims, signature]) fromBase64Url(part);
  } catch {
    throw new RegistrarError('token-refused');
  }
  return sha256(labelled('sotto/v1/identity-token', encodeUtf8(`${protectedHeader}.${encodedClaims}`)));
}

async function verifySignature(
  token: string,
  keys: IssuerKeys,
  { url, audience }: IssuerSettings,
  nowMs: number,
): Promise<unknown> {
  try {
    if (!v.is(header, decodeProtectedHeader(token))) throw new RegistrarError('token-refused');
    const { payload: signed } = await jwtVerify(token, keys.find, {
      algorithms: ['RS256'],
      issuer: url,
      audience,
      requiredClaims: ['exp', 'iat'],
      clockTolerance: toleranceMs / 1000,
      currentDate: new Date(nowMs),
    });
    return signed;
  } catch (error) {
    throw translate(error);
  }
}

/** Nothing of the token is in what leaves here: jose's errors carry its claims. */
function translate(error: unknown): Error {
  if (error instanceof RegistrarError) return error;
  if (error instanceof errors.JWKSNoMatchingKey) return new RegistrarError('token-key-unknown', 30);
  if (error instanceof errors.JWTExpired) return new RegistrarError('token-too-old');
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf' && error.reason === 'check_failed') {
    return new RegistrarError('token-too-old');
  }
  if (
    error instanceof IssuerUnreachable ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid
  ) {
    return new RegistrarError('issuer-unreachable', 5);
  }
  return new RegistrarError('token-refused');
}
