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
 * @param more - Switches beside our own.
 * @returns Playwright's browser; the caller closes it.
 * @throws {Error} in one sentence when this machine has no browser.
 */
export async function startBrowser(more: readonly string[] = []): Promise<Browser> {
  const { platform, arch, env } = process;
  const choice = { platform, arch, chosen: env['CHROMIUM_PATH'], places: installedBrowsers };
  const { executablePath, environment } = await findBrowser(choice);
  const browser = await chromium.launch({
    executablePath,
    args: [...switches, ...more],
    chromiumSandbox: !isRoot,
    env: { ...process.env, ...environment },
  });
  return withPatience(browser);
}

/** Bounds what never comes, not what is slow: on a machine with other work everything takes many times as long. */
const patienceMs = 90_000;

/** Each page of the browser waits so long, those of `newPage` too, which asks `newContext`. */
function withPatience(browser: Browser): Browser {
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(patienceMs);
    return context;
  };
  return browser;
}

/** These decide which browser is started. */
export interface BrowserChoice {
  readonly platform: string;
  readonly arch: string;
  /** `CHROMIUM_PATH`; undefined or empty where nobody chose. */
  readonly chosen: string | undefined;
  /** Where an installed browser may lie. */
  readonly places: readonly string[];
}

/**
 * Finds the browser that {@link startBrowser} starts.
 *
 * @throws {Error} in one sentence.
 */
export async function findBrowser({ platform, arch, chosen, places }: BrowserChoice): Promise<ChromiumFiles> {
  if (chosen !== undefined && chosen !== '') {
    if (existsSync(chosen)) return { executablePath: chosen, environment: {} };
    throw new Error(`CHROMIUM_PATH names no file: ${chosen}`);
  }
  if (platform === 'linux' && arch === 'x64') return unpackChromium();
  const installed = places.find((path) => existsSync(path));
  if (installed !== undefined) return { executablePath: installed, environment: {} };
  throw new Error(
    `The tests need Chrome or Chromium, which npm brings for Linux x64 alone (this is ${platform} ${arch}): install one, or name it in CHROMIUM_PATH.`,
  );
}
