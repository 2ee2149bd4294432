import type { ErrorCode } from '../../../crypto/protocol/messages/error-codes.ts';
import { CallRefused } from '../../../process/http/call-refused.ts';

/** The one error that the relay answers with. Whatever else is thrown becomes `internal-error` at the edge. */
export class RelayError extends CallRefused<ErrorCode> {
  override readonly name = 'RelayError';
}
