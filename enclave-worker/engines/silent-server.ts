import { EngineError } from './engine.ts';

/** Why a server gave no answer at all: for the operator, and of a fixed list. */
export type Silence =
  | 'host-unknown'
  | 'connection-refused'
  | 'connection-lost'
  | 'certificate-not-trusted'
  | 'no-tls'
  | 'no-http'
  | 'no-answer-in-time';

/** No answer at all. Its cause can name hosts and paths; a code says enough. */
export class SilentServer extends EngineError {
  readonly why: Silence;

  constructor(why: Silence) {
    super('model-unreachable');
    this.why = why;
  }
}

/** @param code - Of a socket, a resolver, a TLS library or a parser of HTTP. */
export function silenceOf(code: string): Silence {
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'host-unknown';
  if (/^(ETIMEDOUT|ESOCKETTIMEDOUT)$/.test(code)) return 'no-answer-in-time';
  if (/CERT|SIGNED|ISSUER|VERIFY/.test(code)) return 'certificate-not-trusted';
  if (/^(EPROTO|ERR_SSL|ERR_TLS)/.test(code)) return 'no-tls';
  if (code.startsWith('HPE_')) return 'no-http';
  return /^(ECONNRESET|EPIPE)$/.test(code) ? 'connection-lost' : 'connection-refused';
}
