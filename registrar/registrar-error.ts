import type { RegistrarErrorCode } from '../crypto/protocol/messages/registrar-messages.ts';
import { CallRefused } from '../process/http/call-refused.ts';

/** The one error that the registrar answers with (SPEC.md §9.6). */
export class RegistrarError extends CallRefused<RegistrarErrorCode> {
  override readonly name = 'RegistrarError';
}
