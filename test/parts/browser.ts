import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { unpackChromium, type ChromiumFiles } from './chromium-files.ts';

/** Where Chrome and Chromium are installed on machines that the packaged browser does not run on. */
const installedBrowsers = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
];

const isRoot = process.getuid?.() === 0;

/**
 * Our own switches: silence, and nothing that weakens what pages are held to. (Those that `@sparticuz/chromium` proposes turn
 * web security and site isolation off; CSP and CORS would then prove less.)
 */
const switches = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // Test servers speak TCP only; a QUIC attempt would be traffic that nobody asked for.
  '--disable-quic',
  '--force-color-profile=srgb',
];

/**
 * Starts a real headless Chromium: `CHROMIUM_PATH`, else the one inside `@sparticuz/chromium`, else an installed one.
 *
 * The sandbox is off for root only, whom Chromium does not run otherwise.
 *
 * @returns Playwright's browser; the caller closes it.
 * @throws {Error} in one sentence when this machine has no browser.
 */
export async function startBrowser(): Promise<Browser> {
  const { executablePath, environment } = await findBrowser();
  return chromium.launch({
    executablePath,
    args: switches,
    chromiumSandbox: !isRoot,
    env: { ...process.env, ...environment },
  });
}

async function findBrowser(): Promise<ChromiumFiles> {
  const chosen = process.env['CHROMIUM_PATH'];
  if (chosen !== undefined && chosen !== '') return { executablePath: chosen, environment: {} };
  if (process.platform === 'linux' && process.arch === 'x64') return unpackChromium();
  const installed = installedBrowsers.find((path) => existsSync(path));
  if (installed !== undefined) return { executablePath: installed, environment: {} };
  throw new Error('The browser tests need Chrome or Chromium: install one, or name it in CHROMIUM_PATH.');
}
