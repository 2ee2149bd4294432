import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { hostNameOf } from '../../../process/http/host-name.ts';
import { isLoopback } from '../../../process/loopback.ts';
import { livePath, readyPaths } from '../pages/health.ts';
import type { NameCertificate } from './name-certificate.ts';

/** The browser calls us by this name, with its port: `Host`, or HTTP/2's `:authority`, which only the URL has. */
export function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}

/** How a call may be answered, going by the name that it came under. */
export type HostVerdict = 'own' | 'needs-https' | 'foreign';

/**
 * The names under which this relay is called, for pages and API alike. Under any other one a web page of somebody else could
 * reach it through the browser of a person who is beside it (DNS rebinding).
 */
export class HostNames {
  readonly #names: ReadonlySet<string>;
  readonly #isHttps: boolean;
  readonly #takesLoopback: boolean;
  readonly #certificate: NameCertificate | null;

  /** @param dependencies.certificate - Our own TLS certificate: its names are ours. */
  constructor(dependencies: {
    readonly publicUrl: string | null;
    readonly further: readonly string[];
    readonly isHttps: boolean;
    readonly certificate: NameCertificate | null;
  }) {
    const { publicUrl, further } = dependencies;
    this.#names = new Set([...(publicUrl === null ? [] : [new URL(publicUrl).hostname]), ...further]);
    this.#isHttps = dependencies.isHttps;
    this.#takesLoopback = publicUrl === null;
    this.#certificate = dependencies.certificate;
  }

  judge(host: string): HostVerdict {
    const name = hostNameOf(host);
    if (name === null) return 'foreign';
    if (isLoopbackName(name)) return this.#takesLoopback || this.#names.has(name) ? 'own' : 'foreign';
    // A browser gives such a page no cryptography, and would send its cookie in clear.
    if (!this.#isHttps) return 'needs-https';
    return this.#names.has(name) || this.#certificate?.covers(name) === true ? 'own' : 'foreign';
  }
}

/** True if a page under this name is a secure context although it came over plain http. */
export function isLoopbackName(name: string): boolean {
  return isLoopback(name) || name.endsWith('.localhost');
}

/**
 * True if a request names one host and only one. Proxies, caches and we ourselves might read the others differently: `Host`
 * twice, a target with another host, HTTP/2's `:authority` beside another `host`.
 */
export function namesOneHost(request: IncomingMessage): boolean {
  const hosts = valuesOf(request, 'host');
  if (isHttp2(request)) {
    const named = new Set([...valuesOf(request, ':authority'), ...hosts].map((host) => host.toLowerCase()));
    return named.size === 1 && !named.has('');
  }
  const [host = '', second] = hosts;
  if (host === '' || second !== undefined) return false;
  const target = request.url ?? '';
  if (target.startsWith('/') || target === '*') return true;
  const url = URL.parse(target);
  return url !== null && /^https?:$/.test(url.protocol) && url.host === URL.parse(`${url.protocol}//${host}`)?.host;
}

/** Stands in for the name that a probe does not give: nobody's. */
export const unnamedHost = 'unnamed.invalid';

/**
 * True if a load balancer's probe may be answered although it names no host: HTTP/1.0 needs none (RFC 1945), and HAProxy, among
 * others, asks so. It holds for the paths of health alone, which say the same under every name.
 */
export function isUnnamedProbe(request: IncomingMessage): boolean {
  const isHttp10 = request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
  const isOfHealth = [livePath, ...readyPaths].some((path) => path === request.url);
  return isHttp10 && isOfHealth && valuesOf(request, 'host').length === 0;
}

function isHttp2(request: IncomingMessage): request is IncomingMessage & Http2ServerRequest {
  return request.httpVersionMajor === 2;
}

/** A header as often as it was sent; Node's own object keeps the first `Host` alone. */
function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
