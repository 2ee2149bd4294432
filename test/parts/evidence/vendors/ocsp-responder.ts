import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseCertificate } from '../../../../crypto/evidence/x509/certificate.ts';
import { sha384 } from '../../../../crypto/protocol/bytes/hash.ts';
import { makeCertificate, makeKeys, toPem } from './certificate-maker.ts';
import { type Issued, responderExtensions } from './revocation-answers.ts';

const run = promisify(execFile);

/** OpenSSL's own OCSP responder behind HTTP: it reads the questions, and writes and signs the answers. */
export class OcspResponder implements AsyncDisposable {
  asked = 0;
  /** The forms of the headers and methods that came, each once. */
  readonly forms = new Set<string>();
  /** Answered instead, if there is something. */
  instead: { readonly status: number; readonly body: Uint8Array } | null = null;
  /** The reasons by OpenSSL's names, by the subject's common name. */
  readonly revoked = new Map<string, string>();
  /** Kept back until it is resolved. */
  held: Promise<unknown> = Promise.resolve();
  readonly #known: readonly Issued[];
  readonly #folder: string;
  #server: Server | null = null;

  private constructor(known: readonly Issued[], folder: string) {
    this.#known = known;
    this.#folder = folder;
  }

  static async start(known: readonly Issued[]): Promise<OcspResponder> {
    const responder = new OcspResponder(known, await mkdtemp(join(tmpdir(), 'ocsp-')));
    const server = createServer((request, response) => void responder.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    responder.#server = server;
    return responder;
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
    await rm(this.#folder, { recursive: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked += 1;
    const number = this.asked;
    this.forms.add(`${request.method} ${request.url} ${request.headers['content-type']}`);
    const pieces: Uint8Array[] = [];
    for await (const piece of request) pieces.push(piece as Uint8Array);
    await this.held;
    const { status, body } = this.instead ?? { status: 200, body: await this.#ask(Buffer.concat(pieces), number) };
    response.writeHead(status, { 'content-type': 'application/ocsp-response' }).end(body);
  }

  async #ask(question: Buffer, number: number): Promise<Buffer> {
    const issued = this.#known.filter(({ issuer }) =>
      question.includes(Buffer.from(sha384(parseCertificate(issuer).subject))),
    );
    const [first] = issued;
    if (first === undefined) return Buffer.from('30030a0106', 'hex');
    const path = (name: string) => join(this.#folder, `${number}-${name}`);
    const keys = makeKeys('p384');
    const issuer = parseCertificate(first.issuer);
    const responder = makeCertificate({
      subject: 'TEST OCSP Responder L3',
      issuer: issuer.subject,
      keys,
      signer: first.issuerKeys,
      extensions: responderExtensions(),
    });
    await Promise.all([
      writeFile(path('question'), question),
      writeFile(path('index'), issued.map((each) => this.#indexLine(each)).join('')),
      writeFile(path('ca'), toPem(first.issuer)),
      writeFile(path('signer'), toPem(responder)),
      writeFile(path('key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    ]);
    const names = { index: 'index', CA: 'ca', rsigner: 'signer', rkey: 'key', reqin: 'question', respout: 'answer' };
    const files = Object.entries(names).flatMap(([option, name]) => [`-${option}`, path(name)]);
    await run('openssl', ['ocsp', ...files, '-rmd', 'sha384', '-ndays', '1', '-resp_key_id']);
    return readFile(path('answer'));
  }

  #indexLine({ certificate }: Issued): string {
    const { serialNumber, subjectCommonName } = parseCertificate(certificate);
    const reason = this.revoked.get(subjectCommonName ?? '');
    const serial = Buffer.from(serialNumber).toString('hex').toUpperCase();
    const [state, revokedAt] = reason === undefined ? ['V', ''] : ['R', `251001000000Z,${reason}`];
    return `${state}\t491231235959Z\t${revokedAt}\t${serial}\tunknown\t/CN=${subjectCommonName} ${serial}\n`;
  }
}
