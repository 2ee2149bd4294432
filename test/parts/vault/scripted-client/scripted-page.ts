import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startBrowser } from '../../browser/browser.ts';
import { serveScriptedClient, type ServedClient } from './serve-scripted-client.ts';
// For the type of `window.vault` inside `page.evaluate`.
import type {} from './scripted-vault.ts';

export type PageOptions = {
  readonly path?: string;
  /** The vault finds this at its start. */
  readonly status?: 'signed-out' | 'locked' | 'unlocked';
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: boolean;
  readonly touch?: boolean;
  /** The language that the browser is set to. */
  readonly locale?: string;
  /** Runs in the page before any script of it: what a browser without something has. */
  readonly prepare?: () => void;
};

/** The client over the scripted vault, in a real browser, under the real policy. */
export class ScriptedClient {
  readonly #browser: Browser;
  readonly #served: ServedClient;
  readonly #contexts: BrowserContext[] = [];
  /** The complaints of a browser: script errors, policy violations, requests elsewhere. */
  readonly #complaints: string[] = [];

  constructor(browser: Browser, served: ServedClient) {
    this.#browser = browser;
    this.#served = served;
  }

  static async start(): Promise<ScriptedClient> {
    const [browser, served] = await Promise.all([startBrowser(), serveScriptedClient()]);
    return new ScriptedClient(browser, served);
  }

  get origin(): string {
    return this.#served.origin;
  }

  async openPage(options: PageOptions = {}): Promise<Page> {
    const { path = '/', status = 'signed-out', theme = 'light', width = 1280, height = 800 } = options;
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      reducedMotion: options.reducedMotion === true ? 'reduce' : 'no-preference',
      hasTouch: options.touch === true,
      isMobile: options.touch === true,
      locale: options.locale ?? 'en-US',
    });
    this.#contexts.push(context);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: this.origin });
    await context.addInitScript((first) => {
      if (sessionStorage.getItem('scripted-status') === null) sessionStorage.setItem('scripted-status', first);
    }, status);
    if (options.prepare !== undefined) await context.addInitScript(options.prepare);
    const page = await context.newPage();
    page.on('pageerror', (error) => this.#complaints.push(error.message));
    page.on('console', (message) => {
      // A network that a test takes away is no fault of the page.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource: net::ERR_')) {
        this.#complaints.push(message.text());
      }
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.origin) && !url.startsWith('blob:')) this.#complaints.push(`request to ${url}`);
    });
    await page.goto(`${this.origin}${path}`);
    return page;
  }

  /**
   * Closes the pages of one test.
   *
   * @throws {Error} when a browser complained: no test may cause a script error, a policy violation or a request elsewhere.
   */
  async endTest(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    const complaints = this.#complaints.splice(0);
    if (complaints.length > 0) throw new Error(`The browser complained: ${complaints.join('; ')}`);
  }

  async stop(): Promise<void> {
    await this.endTest();
    await this.#browser.close();
    await this.#served.stop();
  }
}

/** Sends from the message box. @returns the turn that the vault made of it. */
export async function askInPage(page: Page, text: string): Promise<string> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('article', { name: /^You/ }).filter({ hasText: text }).waitFor();
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll<HTMLElement>('[data-message^="answer-"]')];
    return rows.at(-1)!.dataset['message']!.slice('answer-'.length);
  });
}

/** Opens a conversation of question and answer pairs that all read alike. */
export async function openPairs(page: Page, answer: string, pairs = 1): Promise<string> {
  const id = await page.evaluate(
    ([text, count]) =>
      window.vault.addConversation(
        'A title',
        Array.from({ length: count }, (_, index) => [`question ${index}`, `${text} ${index}`] as const),
      ),
    [answer, pairs] as const,
  );
  await showConversation(page, id);
  await page
    .getByRole('article', { name: /^Assistant/ })
    .last()
    .waitFor();
  return id;
}

/** One frame of an answer. */
export function streamInPage(page: Page, turnId: string, text: string): Promise<void> {
  return page.evaluate(([id, words]) => window.vault.streamText(id, words), [turnId, text] as const);
}

/** Some frames painted: sizes are measured and positions follow. */
export function settle(page: Page): Promise<void> {
  return page.evaluate(async () => {
    for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
  });
}

/** Goes to a conversation by the page's own router. */
export async function showConversation(page: Page, id: string): Promise<void> {
  await page.evaluate((conversationId) => {
    history.pushState(null, '', `/chat/${conversationId}`);
    dispatchEvent(new PopStateEvent('popstate'));
  }, id);
}
