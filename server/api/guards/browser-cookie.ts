/**
 * A cookie that no script reads and no other site's page sends.
 *
 * Over https it is `__Host-` and `Secure`. Plain http exists on loopback only. There a browser takes such a cookie when the
 * page's name is `localhost`, except for Safari, and none does for 127.0.0.1: then the plain name stands.
 */
export class BrowserCookie {
  readonly #name: string;
  readonly #lifetimeMs: number;
  readonly #isHttps: boolean;

  constructor(name: string, lifetimeMs: number, isHttps: boolean) {
    this.#name = name;
    this.#lifetimeMs = lifetimeMs;
    this.#isHttps = isHttps;
  }

  /** @param header - The request's `Cookie`, which is no longer than a head may be. */
  read(header: string | null): string | null {
    if (header === null) return null;
    const pairs = header.split(';').map((pair) => pair.trim());
    const names = this.#isHttps ? [`__Host-${this.#name}`] : [`__Host-${this.#name}`, this.#name];
    for (const name of names) {
      const pair = pairs.find((candidate) => candidate.startsWith(`${name}=`));
      if (pair !== undefined) return pair.slice(name.length + 1);
    }
    return null;
  }

  /** @returns a `Set-Cookie` line. */
  write(value: string, browser: Browser): string {
    return this.#line(value, Math.floor(this.#lifetimeMs / 1000), browser);
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
