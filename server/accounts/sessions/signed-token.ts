import { importJWK, jwtVerify, type CryptoKey, SignJWT } from 'jose';
import * as v from 'valibot';
import { RelayError } from '../../api/route/relay-error.ts';
import type { JwtKey, ServerKeys } from '../keys/server-keys.ts';

const algorithm = 'EdDSA';
export const maximumTokenLength = 2048;
/** A token that was made later than this is of a clock that was far ahead, and would be good until then. */
const clockDifferenceSeconds = 600;

/**
 * Short-lived JWTs (RFC 7519, EdDSA) of this installation. `use` keeps a token for one purpose from serving another.
 */
export class TokenSigner {
  readonly #issuer: string;
  readonly #signing: { readonly id: string; readonly key: CryptoKey };
  readonly #verifying: ReadonlyMap<string, CryptoKey>;

  private constructor(issuer: string, signing: { id: string; key: CryptoKey }, verifying: Map<string, CryptoKey>) {
    this.#issuer = issuer;
    this.#signing = signing;
    this.#verifying = verifying;
  }

  static async open(keys: ServerKeys): Promise<TokenSigner> {
    const newest = keys.jwtKeys.at(-1);
    if (newest === undefined) throw new Error('The schema asks for one JWT key at least.');
    const verifying = new Map<string, CryptoKey>();
    for (const key of keys.jwtKeys) verifying.set(key.id, await importKey(key, false));
    return new TokenSigner(
      `sotto:${keys.fingerprint.slice(0, 16)}`,
      { id: newest.id, key: await importKey(newest, true) },
      verifying,
    );
  }

  sign(use: string, claims: Readonly<Record<string, string>>, nowMs: number, lifetimeMs: number): Promise<string> {
    const nowSeconds = Math.floor(nowMs / 1000);
    return new SignJWT({ ...claims, use })
      .setProtectedHeader({ alg: algorithm, kid: this.#signing.id })
      .setIssuer(this.#issuer)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + Math.floor(lifetimeMs / 1000))
      .sign(this.#signing.key);
  }

  /** @returns null for whatever is not a token of ours for this use that is still good. */
  async verify<Schema extends v.GenericSchema>(
    use: string,
    token: string,
    schema: Schema,
    nowMs: number,
  ): Promise<v.InferOutput<Schema> | null> {
    if (token.length > maximumTokenLength) return null;
    try {
      const { payload: claims } = await jwtVerify(token, ({ kid }) => this.#find(kid), {
        algorithms: [algorithm],
        issuer: this.#issuer,
        requiredClaims: ['exp', 'iat', 'use'],
        currentDate: new Date(nowMs),
      });
      const isOfFuture = (claims.iat ?? 0) > nowMs / 1000 + clockDifferenceSeconds;
      if (claims['use'] !== use || isOfFuture) return null;
      const parsed = v.safeParse(schema, claims);
      return parsed.success ? parsed.output : null;
    } catch {
      return null;
    }
  }

  /** Works as `verify`, for a token inside a message. @throws {RelayError} `bad-request`. */
  async demand<Schema extends v.GenericSchema>(
    use: string,
    token: string,
    schema: Schema,
    nowMs: number,
  ): Promise<v.InferOutput<Schema>> {
    const claims = await this.verify(use, token, schema, nowMs);
    if (claims === null) throw new RelayError('bad-request');
    return claims;
  }

  #find(kid: string | undefined): CryptoKey {
    const key = kid === undefined ? undefined : this.#verifying.get(kid);
    if (key === undefined) throw new RelayError('not-signed-in');
    return key;
  }
}

async function importKey(key: JwtKey, isPrivate: boolean): Promise<CryptoKey> {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.x, ...(isPrivate ? { d: key.d } : {}) };
  const imported = await importJWK(jwk, algorithm);
  if (imported instanceof Uint8Array) throw new Error('An Ed25519 key is not a byte string.');
  return imported;
}
