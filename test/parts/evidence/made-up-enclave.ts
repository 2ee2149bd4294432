import { generateIdentityKeyPair, signKeyStatement } from '../../../crypto/evidence/key-statement.ts';
import { toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { generateEnclaveKeyPair } from '../../../crypto/turn/hybrid-kem.ts';

/** Everything that a relay can make up by itself for a client's nonce: an enclave without a machine. */
export function makeUpEnclave(nonce: string) {
  const identity = generateIdentityKeyPair();
  const { publicKey } = generateEnclaveKeyPair();
  const issuedAtMs = Date.now();
  const { statement, signature } = signKeyStatement({
    identitySecretKey: identity.secretKey,
    statement: {
      format: 1,
      nonce,
      issuedAtMs,
      keys: [{ keyId: toBase64Url(keyIdOf(publicKey)), notAfterMs: issuedAtMs + 3_600_000 }],
      model: 'rehearsal',
      weightsDigest: null,
      engine: 'rehearsal',
    },
  });
  return {
    evidence: [{ kind: 'development', identityPublicKey: toBase64Url(identity.publicKey) }] as const,
    statement: toBase64Url(statement),
    signature: toBase64Url(signature),
    publicKeys: [toBase64Url(publicKey)],
  };
}
