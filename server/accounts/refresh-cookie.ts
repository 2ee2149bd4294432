import { sessionLifetimeMs } from './sessions.ts';

/**
 * The refresh token's cookie. Its name carries a piece of the installation's key fingerprint, since cookies of localhost
 * are shared by all ports.
 *
 * Over https it is `__Host-` and `Secure`. Plain http exists on loopback only; there a browser takes such a cookie when
 * the page's name is `localhost`, except for Safari, and none does for 127.0.0.1: then the plain name stands.
 */
export class RefreshCookie {
  readonly #name: string;
  readonly #isHttps: boolean;

  constructor(fingerprint: string, isHttps: boolean) {
    this.#name = `sotto-${fingerprint.slice(0, 6)}`;
    this.#isHttps = isHttps;
  }

  /** @param header - The request's `Cookie`. */
  read(header: string | null): string | null {
    if (header === null || header.length > 8192) return null;
    const pairs = header.split(';').map((pair) => pair.trim());
    const names = this.#isHttps ? [`__Host-${this.#name}`] : [`__Host-${this.#name}`, this.#name];
    for (const name of names) {
      const pair = pairs.find((candidate) => candidate.startsWith(`${name}=`));
      if (pair !== undefined) return pair.slice(name.length + 1);
    }
    return null;
  }

  /** @returns a `Set-Cookie` line. */
  write(refreshToken: string, browser: Browser): string {
    return this.#line(refreshToken, Math.floor(sessionLifetimeMs / 1000), browser);
  }

  clear(browser: Browser): string {
    return this.#line('', 0, browser);
  }

  #line(value: string, maximumAge: number, browser: Browser): string {
    const attributes = `Path=/; Max-Age=${maximumAge}; HttpOnly; SameSite=Strict`;
    const isSecure = this.#isHttps || takesSecureOverHttp(browser);
    return isSecure ? `__Host-${this.#name}=${value}; ${attributes}; Secure` : `${this.#name}=${value}; ${attributes}`;
  }
}

/** The request's own headers: what the browser calls us, and what it calls itself. */
export type Browser = { readonly host: string; readonly userAgent: string | null };

function takesSecureOverHttp({ host, userAgent }: Browser): boolean {
  const isSafari = userAgent !== null && /Safari\//.test(userAgent) && !/Chrom(e|ium)\/|HeadlessChrome/.test(userAgent);
  return /^localhost(:\d+)?$/.test(host) && !isSafari;
}
