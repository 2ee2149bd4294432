import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/** A renewed certificate may be for other names. */
const readAgainMs = 60_000;

/** The certificate of our own TLS, for the question which names it is for. */
export class NameCertificate {
  readonly #file: string;
  #read: { readonly certificate: X509Certificate; readonly atMs: number } | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  /** @param name - URLs write it so: an IPv6 address in brackets. */
  covers(name: string): boolean {
    const certificate = this.#current();
    const address = name.replace(/^\[(.*)\]$/, '$1');
    return (isIP(address) === 0 ? certificate?.checkHost(name) : certificate?.checkIP(address)) !== undefined;
  }

  #current(): X509Certificate | undefined {
    const nowMs = performance.now();
    if (this.#read === null || nowMs - this.#read.atMs > readAgainMs) {
      try {
        this.#read = { certificate: new X509Certificate(readFileSync(this.#file)), atMs: nowMs };
      } catch {
        // Half written: the one before is good meanwhile.
      }
    }
    return this.#read?.certificate;
  }
}
