import * as v from 'valibot';
import { type PlainContent, requestContent } from '../../../crypto/protocol/contents/request-content.ts';
import type { TurnAttempt } from '../../../crypto/protocol/messages/turn-messages.ts';
import { fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { sealRequest, toMessage } from '../../../crypto/turn/sealed-request.ts';
import type { VerifiedEnclave } from '../enclave/verified-enclave.ts';
import { VaultError } from '../failures/vault-error.ts';

/** A turn's name, and the key that opens its reply on every device and stops it. */
export type Turn = { readonly turnId: string; readonly turnKey: string };

/** All that an enclave is asked for in one turn. */
export type TurnQuestion = Turn & Pick<PlainContent, 'cacheSalt' | 'messages' | 'parameters'>;

/** An enclave that was found good enough, as far as sealing needs it. */
export type SealingEnclave = Pick<
  VerifiedEnclave,
  'enclaveId' | 'alternateEnclaveId' | 'publicKeys' | 'evidenceDigest' | 'model' | 'expiresAtMs'
>;

/**
 * Seals a question to an enclave that its caller verified. Each call seals other bytes.
 *
 * @param nonce - Of the call that carries it; what the relay offers instead has to cover it.
 * @throws {VaultError} `message-too-long` for a request that no enclave would read.
 */
export async function sealAttempt(
  { turnId, turnKey, cacheSalt, messages, parameters }: TurnQuestion,
  enclave: SealingEnclave,
  nonce: string,
): Promise<TurnAttempt> {
  const content: PlainContent = {
    format: 1,
    turnKey,
    evidenceDigest: toBase64Url(enclave.evidenceDigest),
    cacheSalt,
    messages,
    parameters,
  };
  if (!v.is(requestContent, content)) throw new VaultError('message-too-long');
  const sealed = await sealRequest({
    header: {
      turnId: fromBase64Url(turnId),
      model: enclave.model,
      frameClass: 'chat',
      expiresAtMs: enclave.expiresAtMs(),
    },
    content,
    recipients: [...enclave.publicKeys],
  });
  return {
    format: 1,
    enclaveId: enclave.enclaveId,
    ...(enclave.alternateEnclaveId === null ? {} : { alternateEnclaveId: enclave.alternateEnclaveId }),
    nonce,
    request: toMessage(sealed),
  };
}
