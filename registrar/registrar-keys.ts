import * as v from 'valibot';
import { publicKeyOf } from '../crypto/evidence/modal/ed25519.ts';
import { bytesField } from '../crypto/protocol/messages/fields.ts';
import { type Bytes, fromBase64Url, randomBytes, toBase64Url } from '../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../crypto/protocol/bytes/secret.ts';
import { StartError } from '../process/start-error.ts';

/** `sotto-registrar-1.` and base64url of JSON, so that it fits into one variable and a later form is told apart. */
const prefix = 'sotto-registrar-1.';

const keysFormat = v.strictObject({
  /** Ed25519 seeds: one signs statements, the other the log's checkpoints. */
  statementKey: bytesField(32),
  logKey: bytesField(32),
});

/** Two keys, since a statement must never be readable as a checkpoint, and either can be replaced alone. */
export type RegistrarKeys = {
  readonly statement: { readonly secretKey: Secret<'RegistrarStatementKey'>; readonly publicKey: Bytes };
  readonly log: { readonly secretKey: Secret<'LogKey'>; readonly publicKey: Bytes };
};

/** A new string for REGISTRAR_KEYS. */
export function generateRegistrarKeys(): string {
  const keys = { statementKey: toBase64Url(randomBytes(32)), logKey: toBase64Url(randomBytes(32)) };
  return prefix + Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/** @throws {StartError} for anything that `generateRegistrarKeys` would not have written. */
export function parseRegistrarKeys(text: string): RegistrarKeys {
  const trimmed = text.trim();
  const encoded = trimmed.startsWith(prefix) && trimmed.length < 1024 ? trimmed.slice(prefix.length) : '';
  const decoded = Buffer.from(encoded, 'base64url').toString('utf8');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), keysFormat), decoded);
  if (!parsed.success || parsed.output.statementKey === parsed.output.logKey) {
    throw new StartError(
      'The registrar keys are not whole: give the one line that `npm run registrar:keys` printed, unchanged.',
    );
  }
  const { statementKey, logKey } = parsed.output;
  return {
    statement: pair(new Secret('RegistrarStatementKey', fromBase64Url(statementKey))),
    log: pair(new Secret('LogKey', fromBase64Url(logKey))),
  };
}

function pair<Name extends string>(secretKey: Secret<Name>) {
  return { secretKey, publicKey: publicKeyOf(secretKey.expose()) };
}
