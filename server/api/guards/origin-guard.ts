import { RelayError } from '../route/relay-error.ts';
import { hostNameOf } from '../../../process/http/host-name.ts';

export type Caller = {
  readonly origin: string | null;
  /** `Sec-Fetch-Site`, which no script can set. */
  readonly site: string | null;
  readonly host: string;
};

/**
 * Refuses calls that another site's page makes a browser send. Together with JSON bodies, SameSite cookies and bearer
 * tokens it is the last of several walls (M40).
 */
export class OriginGuard {
  readonly #publicUrl: string | null;

  /** @param publicUrl - The one origin under its own name; under another, the name that the browser calls us by counts. */
  constructor(publicUrl: string | null) {
    this.#publicUrl = publicUrl;
  }

  /**
   * @param mustBeShown - The cookie alone would decide, so a caller that shows no origin is refused as well.
   * @throws {RelayError} `wrong-origin`.
   */
  check(caller: Caller, mustBeShown: boolean): void {
    const isForeignSite = caller.site !== null && caller.site !== 'same-origin' && caller.site !== 'none';
    const isForeignOrigin = caller.origin !== null && !this.#isOwn(caller.origin, caller.host);
    const isShown = caller.site === 'same-origin' || caller.origin !== null;
    if (isForeignSite || isForeignOrigin || (mustBeShown && !isShown)) throw new RelayError('wrong-origin');
  }

  #isOwn(origin: string, host: string): boolean {
    // Whatever this name is, it is one of ours (host-name.ts).
    const isPublic = this.#publicUrl !== null && hostNameOf(host) === new URL(this.#publicUrl).hostname;
    if (isPublic) return origin === this.#publicUrl;
    return origin === `https://${host}` || origin === `http://${host}`;
  }
}
