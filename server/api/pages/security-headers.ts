import type { ServerResponse } from 'node:http';

/** One policy for pages, scripts and Workers alike: a Worker takes its policy from its own script's response. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types sotto-worker',
].join('; ');

/** A chat does not need these; they are names that browsers know, for an unknown one is a warning in every console. */
const deniedFeatures = [
  'accelerometer',
  'autoplay',

  'browsing-topics',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'hid',
  'identity-credentials-get',
  'idle-detection',
  'local-fonts',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'screen-wake-lock',
  'serial',
  'storage-access',
  'usb',
  'xr-spatial-tracking',
];

const fixedHeaders: readonly (readonly [string, string])[] = [
  ['Content-Security-Policy', contentSecurityPolicy],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Embedder-Policy', 'require-corp'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Permissions-Policy', deniedFeatures.map((feature) => `${feature}=()`).join(', ')],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['X-DNS-Prefetch-Control', 'off'],
  // Files say otherwise themselves; what forgets to say anything is not kept anywhere.
  ['Cache-Control', 'no-store'],
];

/** Every answer carries these, whoever writes it. */
export function securityHeaders(isHttps: boolean): readonly (readonly [string, string])[] {
  return isHttps ? [...fixedHeaders, ['Strict-Transport-Security', 'max-age=31536000']] : fixedHeaders;
}

/**
 * Sets them on Node's response before anything else sees the request: raw answers and errors of the HTTP parser's own
 * layer cannot lose them.
 */
export function setSecurityHeaders(response: Pick<ServerResponse, 'setHeader'>, isHttps: boolean): void {
  for (const [name, value] of securityHeaders(isHttps)) response.setHeader(name, value);
}
