import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import * as v from 'valibot';
import type { IssuerSettings } from '../settings.ts';
import { fetchDocument, IssuerUnreachable } from './bounded-fetch.ts';

const discoveryDocument = v.object({
  issuer: v.string(),
  jwks_uri: v.pipe(v.string(), v.maxLength(512)),
});

/**
 * Modal's signing keys, found by its discovery document and believed for an hour at most.
 *
 * A key id that is not among them is looked up again, but not more often than the cool-down allows: a stranger's invention must not
 * make us call Modal.
 */
export class IssuerKeys {
  readonly #settings: IssuerSettings;
  #found: { readonly keys: JWTVerifyGetKey; readonly untilMs: number } | null = null;
  #failedAtMs = -Infinity;

  constructor(settings: IssuerSettings) {
    this.#settings = settings;
  }

  /** For `jwtVerify`. @throws {IssuerUnreachable} */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const nowMs = performance.now();
    if (this.#found === null || nowMs >= this.#found.untilMs) {
      // Two callers at once may both ask; the later answer stands, and each is complete.
      this.#found = { keys: await this.#discover(nowMs), untilMs: nowMs + this.#settings.keysCacheMs };
    }
    return this.#found.keys(header, token);
  };

  async #discover(nowMs: number): Promise<JWTVerifyGetKey> {
    const { url, keysCacheMs, keysCooldownMs, isTest } = this.#settings;
    // An issuer that is down is not asked again by every call.
    if (nowMs - this.#failedAtMs < Math.min(keysCooldownMs, 5_000)) throw new IssuerUnreachable();
    try {
      const text = await fetchDocument(`${url}/.well-known/openid-configuration`);
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), discoveryDocument), text);
      const jwksUrl = parsed.success && parsed.output.issuer === url ? URL.parse(parsed.output.jwks_uri) : null;
      const isRight = jwksUrl?.protocol === 'https:' || (isTest && jwksUrl?.origin === new URL(url).origin);
      if (jwksUrl === null || !isRight) throw new IssuerUnreachable();
      return createRemoteJWKSet(jwksUrl, {
        cacheMaxAge: keysCacheMs,
        cooldownDuration: keysCooldownMs,
        [customFetch]: async (asked) => new Response(await fetchDocument(asked), { status: 200 }),
      });
    } catch (error) {
      this.#failedAtMs = nowMs;
      throw error;
    }
  }
}
