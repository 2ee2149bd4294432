import { BrowserCookie } from '../../api/guards/browser-cookie.ts';
import { sessionLifetimeMs } from './sessions.ts';

/** Browsers keep a cookie no longer than this; each sign-in begins it anew. */
const deviceLifetimeMs = 400 * 24 * 3_600_000;

/**
 * The cookies of one installation. Their names carry a piece of its key fingerprint, since cookies of localhost are shared by
 * all ports.
 */
export function browserCookies(fingerprint: string, isHttps: boolean) {
  const installation = fingerprint.slice(0, 6);
  return {
    refresh: new BrowserCookie(`sotto-${installation}`, sessionLifetimeMs, isHttps),
    /** Shows that the browser was signed in before (known-device.ts). Sign-out leaves it. */
    device: new BrowserCookie(`sotto-device-${installation}`, deviceLifetimeMs, isHttps),
  };
}
