import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../crypto/protocol/messages/error-codes.ts';
import type { Bytes } from '../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../crypto/protocol/bytes/errors.ts';
import { GrowingBytes } from '../crypto/protocol/bytes/growing-bytes.ts';

/** A refusal of a call: its code is the whole answer. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

/**
 * Reads a JSON body as bytes of its own memory, which can be handed to another thread.
 *
 * @throws {CallRefused} `wrong-media-type`, `too-large`, or `bad-request` for a body that was cut.
 */
export async function readBody(request: IncomingMessage, maximumLength: number): Promise<Bytes> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new CallRefused('wrong-media-type');
  }
  if (Number(request.headers['content-length'] ?? 0) > maximumLength) throw new CallRefused('too-large');
  const body = new GrowingBytes(maximumLength);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) body.push(chunk);
  } catch (error) {
    throw new CallRefused(error instanceof CryptoError ? 'too-large' : 'bad-request');
  }
  return body.take();
}
