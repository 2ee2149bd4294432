import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  NvidiaGpuCollateral,
  SevSnpCollateral,
  TdxCollateral,
} from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { fromBase64Url, toHex } from '../../../../crypto/protocol/bytes/bytes.ts';
import { toPem } from './certificate-maker.ts';

type Document = { readonly body: string | Uint8Array; readonly headers?: Record<string, string> };

/**
 * A double of what AMD, Intel and NVIDIA publish, in the forms and under the paths in which they publish it: DER and PEM,
 * JSON with a signature in hexadecimal, issuer chains in headers. What it serves is whatever a test machine has made.
 */
export class VendorServices implements AsyncDisposable {
  /** Every path that was asked for, with its query, in order. */
  readonly asked: string[] = [];
  /** Answered instead of the document, by the beginning of the path. */
  readonly refusals = new Map<string, { readonly status: number; readonly retryAfter?: string }>();
  /** Changes documents on their way, by the beginning of the path. */
  readonly changes = new Map<string, (document: Document) => Document>();
  /** Paths with this beginning are never answered. */
  silentAt: string | null = null;
  delayMs = 0;
  answered = 0;
  readonly #documents = new Map<string, Document>();
  #server: Server | null = null;

  get url(): string {
    const address = this.#server?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => this.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
  }

  count(beginning: string): number {
    return this.asked.filter((path) => path.startsWith(beginning)).length;
  }

  /** AMD's key distribution service. @param path - Behind the product: hwID and TCB. */
  publishAmd(product: string, path: string, collateral: SevSnpCollateral): void {
    const base = `/vcek/v1/${product}`;
    this.#documents.set(`${base}/${path}`, { body: fromBase64Url(collateral.vcek) });
    const pem = [collateral.ask, collateral.ark].map((text) => toPem(fromBase64Url(text))).join('');
    this.#documents.set(`${base}/cert_chain`, { body: pem });
    if (collateral.revocationList !== undefined) {
      this.#documents.set(`${base}/crl`, { body: fromBase64Url(collateral.revocationList) });
    }
  }

  /** Intel's provisioning certification service. */
  publishIntel(fmspc: string, ca: string, collateral: TdxCollateral): void {
    const chain = (name: string, certificates: readonly string[]) => ({
      [name]: encodeURIComponent(certificates.map((text) => toPem(fromBase64Url(text))).join('')),
    });
    const hex = (text: string) => toHex(fromBase64Url(text));
    this.#documents.set(`/tdx/certification/v4/tcb?fmspc=${fmspc}`, {
      body: `{"tcbInfo":${collateral.tcbInfo},"signature":"${hex(collateral.tcbInfoSignature)}"}`,
      headers: chain('TCB-Info-Issuer-Chain', collateral.tcbInfoIssuerChain),
    });
    this.#documents.set('/tdx/certification/v4/qe/identity', {
      body: `{"enclaveIdentity":${collateral.qeIdentity},"signature":"${hex(collateral.qeIdentitySignature)}"}`,
      headers: chain('SGX-Enclave-Identity-Issuer-Chain', collateral.qeIdentityIssuerChain),
    });
    this.#documents.set(`/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`, {
      body: fromBase64Url(collateral.pckCrl),
      headers: chain('SGX-PCK-CRL-Issuer-Chain', collateral.pckCrlIssuerChain),
    });
    this.#documents.set('/IntelSGXRootCA.der', { body: fromBase64Url(collateral.rootCaCrl) });
  }

  /** NVIDIA's reference manifests. */
  publishNvidia(ids: readonly string[], collateral: NvidiaGpuCollateral): void {
    for (const [index, id] of ids.entries()) {
      const rim = Buffer.from(collateral.referenceManifests[index] ?? '', 'utf8').toString('base64');
      const body = JSON.stringify({ id, rim_format: 'TCG', rim, sha256: '00', request_id: 'r' });
      this.#documents.set(`/v1/rim/${id}`, { body, headers: { 'content-type': 'application/json' } });
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    this.asked.push(path);
    const of = <T>(map: ReadonlyMap<string, T>) => [...map].find(([beginning]) => path.startsWith(beginning))?.[1];
    if (this.silentAt !== null && path.startsWith(this.silentAt)) return;
    setTimeout(() => {
      this.answered += 1;
      const refusal = of(this.refusals);
      const document = this.#documents.get(path);
      if (refusal !== undefined || document === undefined) {
        const headers = refusal?.retryAfter === undefined ? {} : { 'retry-after': refusal.retryAfter };
        return void response.writeHead(refusal?.status ?? 404, headers).end('no');
      }
      const { body, headers = {} } = of(this.changes)?.(document) ?? document;
      response.writeHead(200, headers).end(body);
    }, this.delayMs);
  }
}
