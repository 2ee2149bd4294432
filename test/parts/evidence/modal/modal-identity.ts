import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** Claims of an identity token, as Modal documents them. */
export type IdentityClaims = Record<string, unknown>;

export type TokenChanges = {
  readonly claims?: IdentityClaims;
  /** Claims to leave out. */
  readonly without?: readonly string[];
  readonly header?: Record<string, unknown>;
  /** Signs with a key that is not published under the header's `kid`. */
  readonly strangeKey?: boolean;
  /** `none`, or HS256 with the published RSA key as its secret: the two classic forgeries. */
  readonly algorithm?: 'RS256' | 'PS256' | 'none' | 'HS256';
};

export const modalIds = {
  workspaceId: 'ac-12345abcd',
  environmentId: 'en-12345abcd',
  appId: 'ap-12345abcd',
  functionId: 'fu-12345abcd',
} as const;

type SigningKey = { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject };

/** Keys take a while to make, and which RSA key it is matters to no test. */
const spareKeys: SigningKey[] = [];
function makeKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid: `key-${randomUUID()}`, privateKey, publicKey };
}

/** A double of https://oidc.modal.com on loopback: discovery document, key set and identity tokens with real RS256 signatures. */
export class ModalIssuer implements AsyncDisposable {
  readonly #server: Server;
  #keys: SigningKey[] = [spareKeys.pop() ?? makeKey()];
  #port = 0;
  #isDown = false;
  /** Calls so far, by path. */
  readonly calls = new Map<string, number>();
  /** The discovery document says this in place of the truth. */
  discovery: Record<string, unknown> = {};
  /** Answered in place of the key set. */
  keySetBody: string | null = null;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      this.calls.set(path, (this.calls.get(path) ?? 0) + 1);
      const body = this.#isDown ? null : this.#document(path);
      response.writeHead(body === null ? 503 : 200, { 'content-type': 'application/json' });
      response.end(body ?? '');
    });
  }

  static async start(): Promise<ModalIssuer> {
    const issuer = new ModalIssuer();
    issuer.#server.listen(0, '127.0.0.1');
    await once(issuer.#server, 'listening');
    const address = issuer.#server.address();
    if (address === null || typeof address === 'string') throw new Error('No port.');
    issuer.#port = address.port;
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** @returns a token as a container finds it in MODAL_IDENTITY_TOKEN. */
  makeToken(changes: TokenChanges = {}): string {
    const key = this.#keys.at(-1);
    if (key === undefined) throw new Error('An issuer without a key.');
    const algorithm = changes.algorithm ?? 'RS256';
    const header = { alg: algorithm, typ: 'JWT', kid: key.kid, ...changes.header };
    const claims = this.#claims(changes);
    const signed = `${encode(header)}.${encode(claims)}`;
    const signer = changes.strangeKey === true ? makeKey() : key;
    return `${signed}.${signToken(signed, algorithm, signer).toString('base64url')}`;
  }

  /** A new key; earlier ones stay published until `retire()`. */
  rotate(): void {
    this.#keys.push(makeKey());
  }

  retire(): void {
    this.#keys = this.#keys.slice(-1);
  }

  setDown(isDown: boolean): void {
    this.#isDown = isDown;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    spareKeys.push(...this.#keys);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #claims({ claims, without = [] }: TokenChanges): IdentityClaims {
    const containerId = `ta-${randomUUID().replaceAll('-', '')}`;
    const nowS = Math.floor(Date.now() / 1000);
    const all: IdentityClaims = {
      sub: `modal:workspace_id:${modalIds.workspaceId}:environment_name:main:app_name:sotto:function_name:Enclave:container_id:${containerId}`,
      aud: 'oidc.modal.com',
      exp: nowS + 172_800,
      iat: nowS,
      iss: this.url,
      jti: randomUUID(),
      workspace_id: modalIds.workspaceId,
      environment_id: modalIds.environmentId,
      environment_name: 'main',
      app_id: modalIds.appId,
      app_name: 'sotto',
      function_id: modalIds.functionId,
      function_name: 'Enclave',
      container_id: containerId,
      ...claims,
    };
    return Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name)));
  }

  #document(path: string): string | null {
    if (path === '/.well-known/openid-configuration') {
      const jwks_uri = `${this.url}/.well-known/jwks.json`;
      return JSON.stringify({ issuer: this.url, jwks_uri, ...this.discovery });
    }
    if (path !== '/.well-known/jwks.json') return null;
    const keys = this.#keys.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      use: 'sig',
      alg: 'RS256',
    }));
    return this.keySetBody ?? JSON.stringify({ keys });
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signToken(signed: string, algorithm: NonNullable<TokenChanges['algorithm']>, key: SigningKey): Buffer {
  switch (algorithm) {
    case 'none':
      return createHash('sha256').update(signed).digest();
    case 'HS256':
      return createHmac('sha256', key.publicKey.export({ type: 'spki', format: 'pem' }))
        .update(signed)
        .digest();
    case 'PS256':
      return sign('sha256', Buffer.from(signed), { key: key.privateKey, padding: 6, saltLength: 32 });
    case 'RS256':
      return sign('sha256', Buffer.from(signed), key.privateKey);
  }
}
