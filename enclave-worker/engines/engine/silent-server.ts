import { EngineError } from './engine.ts';

/** Why a server gave no answer at all: for the operator, and of a fixed list. */
export type Silence =
  | 'host-unknown'
  | 'connection-refused'
  | 'connection-lost'
  | 'certificate-not-trusted'
  | 'certificate-expired'
  | 'certificate-of-another'
  | 'tls-refused'
  | 'not-permitted'
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

/** @param code - The code of a socket, a resolver, a TLS library or a parser of HTTP. */
export function silenceOf(code: string): Silence {
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'host-unknown';
  if (/^(ETIMEDOUT|ESOCKETTIMEDOUT)$/.test(code)) return 'no-answer-in-time';
  if (/^(EACCES|EPERM)$/.test(code)) return 'not-permitted';
  // The server says this of the client; its own certificate was not looked at yet.
  if (/^ERR_SSL_.*(ALERT|UNRECOGNIZED_NAME|UNSUPPORTED_PROTOCOL)/.test(code)) return 'tls-refused';
  if (/CERT_(HAS_EXPIRED|NOT_YET_VALID)/.test(code)) return 'certificate-expired';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate-of-another';
  if (/CERT|SIGNED|ISSUER|VERIFY/.test(code)) return 'certificate-not-trusted';
  if (/^(EPROTO|ERR_SSL|ERR_TLS)/.test(code)) return 'no-tls';
  if (code.startsWith('HPE_')) return 'no-http';
  return /^(ECONNRESET|EPIPE)$/.test(code) ? 'connection-lost' : 'connection-refused';
}
