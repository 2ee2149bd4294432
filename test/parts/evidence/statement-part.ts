import { type IdentityKeyPair, signKeyStatement } from '../../../crypto/evidence/key-statement.ts';
import type { PlainStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import { toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { generateEnclaveKeyPair } from '../../../crypto/turn/hybrid-kem.ts';
import { testNowMs } from './vendors/certificate-maker.ts';

/** The part of an enclave's answer that its identity signs, for a key of its own. `aeadReady()` comes first. */
export function makeStatementPart(input: {
  /** The client's (32). */
  readonly nonce: Uint8Array;
  readonly identity: IdentityKeyPair;
  readonly changes: Partial<PlainStatement> | undefined;
}) {
  const { publicKey } = generateEnclaveKeyPair();
  const { issuedAtMs = testNowMs } = input.changes ?? {};
  const { statement, signature } = signKeyStatement({
    identitySecretKey: input.identity.secretKey,
    statement: {
      format: 1,
      nonce: toBase64Url(input.nonce),
      issuedAtMs,
      keys: [{ keyId: toBase64Url(keyIdOf(publicKey)), notAfterMs: issuedAtMs + 7_200_000 }],
      model: 'model-a',
      weightsDigest: null,
      engine: 'openai',
      ...input.changes,
    },
  });
  return {
    statement: toBase64Url(statement),
    signature: toBase64Url(signature),
    publicKeys: [toBase64Url(publicKey)],
  };
}
