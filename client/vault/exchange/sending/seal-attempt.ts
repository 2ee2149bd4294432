import * as v from 'valibot';
import {
  type ChatContent,
  maximumSystemLength,
  type PlainContent,
  type RequestContent,
  requestContent,
  usesOf,
} from '../../../../crypto/protocol/contents/request-content.ts';
import type { TurnAttempt } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { sealRequest, toMessage } from '../../../../crypto/turn/sealed-request.ts';
import type { VerifiedEnclave } from '../../enclave/verified-enclave.ts';
import { VaultError } from '../../failures/vault-error.ts';
import type { Turn } from '../reading/reply-reader.ts';

/** All that an enclave is asked for in one turn. */
export type TurnQuestion = Turn & Pick<PlainContent, 'cacheSalt' | 'messages' | 'parameters'>;

/** An enclave that was found good enough, as far as sealing needs it. */
export type SealingEnclave = Pick<
  VerifiedEnclave,
  'enclaveId' | 'alternateEnclaveId' | 'publicKeys' | 'accepts' | 'evidenceDigest' | 'model' | 'expiresAtMs'
>;

/**
 * Seals a question to an enclave that its caller verified. Each call seals other bytes.
 *
 * @param nonce - The nonce of the call that carries it; the enclave that the relay chooses instead has to cover it.
 * @throws {VaultError} `message-too-long`; `browser-failed` for a request of another form, which no enclave would read.
 */
export async function sealAttempt(
  { turnId, turnKey, cacheSalt, messages, parameters }: TurnQuestion,
  enclave: SealingEnclave,
  nonce: string,
): Promise<TurnAttempt> {
  const { accepts } = enclave;
  const evidenceDigest = toBase64Url(enclave.evidenceDigest);
  const content = contentFor(accepts, { format: 1, turnKey, evidenceDigest, cacheSalt, messages, parameters });
  const parsed = v.safeParse(requestContent, content);
  if (!parsed.success) throw new VaultError(parsed.issues.every(isTooLong) ? 'message-too-long' : 'browser-failed');
  const sealed = await sealRequest({
    header: {
      turnId: fromBase64Url(turnId),
      model: enclave.model,
      // The pace stands in clear, so nothing that is written decides it.
      frameClass: accepts?.has('fast') === true ? 'fast' : 'chat',
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
    ...(accepts === null ? {} : { statement: 2 as const }),
    request: toMessage(sealed),
  };
}

function isTooLong({ type, path }: v.BaseIssue<unknown>): boolean {
  return type === 'max_length' && path?.[0]?.key === 'messages';
}

/** The same words in format 2 where every recipient reads it and takes all that is used of it; else in format 1. */
function contentFor(accepts: SealingEnclave['accepts'], plain: PlainContent): RequestContent {
  const chat = accepts === null ? null : chatContentOf(plain);
  return chat !== null && usesOf(chat).every((name) => accepts?.has(name) === true) ? chat : plain;
}

/** @returns null for what format 2 has no place for: words of the system within the conversation or alone, or too many before it. */
function chatContentOf({ messages, format: _format, ...shared }: PlainContent): ChatContent | null {
  const [first, ...others] = messages;
  const system = first?.role === 'system' && first.text !== '' ? first.text : null;
  const said = (system === null ? messages : others).flatMap(({ role, text }) =>
    role === 'system' ? [] : [{ role, parts: [{ kind: 'text' as const, text }] }],
  );
  if (said.length === 0 || said.length !== messages.length - (system === null ? 0 : 1)) return null;
  if (system !== null && system.length > maximumSystemLength) return null;
  return { ...shared, format: 2, kind: 'chat', ...(system === null ? {} : { system }), messages: said, wants: {} };
}
