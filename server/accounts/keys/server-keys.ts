import { createHash, createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { createOpaqueSetup, opaqueReady } from '../../../crypto/sign-in/opaque-server.ts';
import { bytesField, idField, opaqueField } from '../../../crypto/protocol/messages/fields.ts';
import { StartError } from '../../../process/start-error.ts';
import { decodeBytes } from '../../api/route/wire-bytes.ts';

/** `sotto-keys-1.` and base64url of JSON, so that it fits into one variable and a later form is told apart. */
const prefix = 'sotto-keys-1.';

const serverKeysFormat = v.strictObject({
  /** The newest last: registrations take it, older records keep theirs. The first one stays for ever. */
  opaqueSetups: v.pipe(
    v.array(v.strictObject({ id: idField, setup: opaqueField(2048) })),
    v.minLength(1),
    v.maxLength(8),
  ),
  /** Makes name tags unguessable for whoever has the database alone. */
  namePepper: bytesField(32),
  /** For refresh tokens and masks. */
  tokenKey: bytesField(32),
  /** Ed25519; the last one signs, all of them verify. */
  jwtKeys: v.pipe(
    v.array(v.strictObject({ id: idField, d: bytesField(32), x: bytesField(32) })),
    v.minLength(1),
    v.maxLength(8),
  ),
});
type ServerKeysFormat = v.InferOutput<typeof serverKeysFormat>;

export type OpaqueSetup = ServerKeysFormat['opaqueSetups'][number];
export type JwtKey = ServerKeysFormat['jwtKeys'][number];

/** A new string for SERVER_KEYS. */
export async function generateServerKeys(): Promise<string> {
  await opaqueReady();
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const keys = v.parse(serverKeysFormat, {
    opaqueSetups: [{ id: drawText(16), setup: createOpaqueSetup() }],
    namePepper: drawText(32),
    tokenKey: drawText(32),
    jwtKeys: [{ id: drawText(16), d, x }],
  });
  return prefix + Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/** @throws {StartError} for anything that `generateServerKeys` would not have written. */
export function parseServerKeys(text: string): ServerKeys {
  const trimmed = text.trim();
  if (trimmed.startsWith(prefix)) {
    const decoded = Buffer.from(trimmed.slice(prefix.length), 'base64url').toString('utf8');
    const parsed = v.safeParse(v.pipe(v.string(), v.maxLength(65_536), v.parseJson(), serverKeysFormat), decoded);
    if (parsed.success) return new ServerKeys(parsed.output);
  }
  throw new StartError('The server keys are not whole: give the one line that `npm run keys` printed, unchanged.');
}

/** All secrets of an installation. They are kept outside the database, and printing them gives no secret. */
export class ServerKeys {
  readonly #keys: ServerKeysFormat;
  /** Lower-case hex of what the database remembers: it names the keys that accounts depend on, not those that come and go. */
  readonly fingerprint: string;

  constructor(keys: ServerKeysFormat) {
    this.#keys = keys;
    const [first] = keys.opaqueSetups;
    this.fingerprint = createHash('sha256')
      .update('sotto/v1/server-keys\n')
      .update(JSON.stringify([keys.namePepper, keys.tokenKey, first?.id, first?.setup]))
      .digest('hex');
  }

  get newestSetup(): OpaqueSetup {
    const newest = this.#keys.opaqueSetups.at(-1);
    if (newest === undefined) throw new Error('The schema asks for one setup at least.');
    return newest;
  }

  /**
   * Names that nobody has are answered with this setup for ever: a newer setup changes no account's answer, so theirs must stay
   * the same too.
   */
  get firstSetup(): OpaqueSetup {
    const [first] = this.#keys.opaqueSetups;
    if (first === undefined) throw new Error('The schema asks for one setup at least.');
    return first;
  }

  /** @throws {Error} for a setup that was taken out although accounts still need it. */
  findSetup(id: string): OpaqueSetup {
    const found = this.#keys.opaqueSetups.find((setup) => setup.id === id);
    if (found === undefined) {
      throw new Error('An OPAQUE setup that accounts depend on is missing from the server keys.');
    }
    return found;
  }

  get jwtKeys(): readonly JwtKey[] {
    return this.#keys.jwtKeys;
  }

  /** The database holds this instead of a user name. */
  hashName(nameTag: Uint8Array): Uint8Array<ArrayBuffer> {
    return mac(this.#keys.namePepper, 'sotto/v1/name-hash', nameTag);
  }

  /** OPAQUE's user identifier for a name that nobody has: always the same for one name, and shaped like a real one. */
  inventUserId(nameTag: Uint8Array): string {
    const hex = Buffer.from(mac(this.#keys.namePepper, 'sotto/v1/unknown-name', nameTag)).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** Any other keyed hash; `label` says for what. */
  tokenMac(label: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    return mac(this.#keys.tokenKey, label, ...parts);
  }

  toJSON(): string {
    return '[secret]';
  }
}

function mac(key: string, label: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hmac = createHmac('sha256', decodeBytes(key)).update(label);
  for (const part of parts) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    hmac.update(length).update(part);
  }
  return new Uint8Array(hmac.digest());
}

function drawText(length: number): string {
  return randomBytes(length).toString('base64url');
}
