import type { IncomingMessage } from 'node:http';
import { constants, type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { TokenBucket } from '../../../process/token-bucket.ts';

/** Pings and settings that a session may send at once, and a minute: browsers send a few. */
const controlFrames = { burst: 100, perMinute: 60 };

/** Watches one HTTP/2 session where Node and nghttp2 do not watch it themselves. */
export class WatchedSession {
  readonly session: ServerHttp2Session;
  #streams = 0;
  #idleSinceMs = performance.now();
  readonly #control = new TokenBucket(controlFrames, performance.now());

  constructor(session: ServerHttp2Session) {
    this.session = session;
    session.on('stream', (stream) => {
      this.#streams += 1;
      stream.once('close', () => {
        this.#streams -= 1;
        this.#idleSinceMs = performance.now();
      });
    });
    session.on('ping', () => this.#countControl());
    session.on('remoteSettings', () => this.#countControl());
    // A peer that breaks the protocol ends its session; there is nobody to tell.
    session.on('error', () => undefined);
  }

  /** For how long no call has been open. */
  get idleMs(): number {
    return this.#streams > 0 ? 0 : performance.now() - this.#idleSinceMs;
  }

  /** Each is answered, so an endless row of them is work without a call. */
  #countControl(): void {
    this.#control.fill(performance.now()).take();
    if (this.#control.level < 0) endFlood(this.session);
  }
}

/** Ends a session that only makes work, and says so (RFC 9113 §7). */
export function endFlood(session: Http2Session): void {
  session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** Null over HTTP/1.1. */
export function streamOf(request: IncomingMessage): ServerHttp2Stream | null {
  return 'stream' in request ? (request.stream as ServerHttp2Stream) : null;
}
