import type { BrowserContext, Locator, Page } from 'playwright-core';
import { startBrowser } from '../browser.ts';
import type { ControlRole, Engine, EngineSetting, EngineTab } from './engine.ts';

/** Starts Chromium in a private window, which is what Playwright's contexts are. */
export async function startChromium(setting: EngineSetting = 'as it comes'): Promise<Engine> {
  if (setting === 'no room for a database') throw new Error('Chromium has no setting for this.');
  // Without its compilers V8 has no WebAssembly: what a person gets who switches them off for a site.
  const browser = await startBrowser(setting === 'WebAssembly off' ? ['--js-flags=--jitless'] : []);
  const context = await browser.newContext();
  if (setting === 'all site data blocked' || setting === 'no database') await blockSiteData(context);
  return {
    openTab: async () => {
      const page = await context.newPage();
      if (setting === 'third-party cookies off') await refuseThirdParties(page);
      return new ChromiumTab(page);
    },
    stop: () => browser.close(),
  };
}

/**
 * The headless Chromium has no settings of a person's profile. What Chrome does where they block site data stands in their
 * place: storage of the page throws, and a database does not open in page or Worker.
 */
async function blockSiteData(context: BrowserContext): Promise<void> {
  const refuseDatabases = `IDBFactory.prototype.open = () => {
    throw new DOMException('The user denied permission to access the database.', 'UnknownError');
  };\n`;
  await context.addInitScript(refuseDatabases);
  await context.addInitScript(() => {
    const get = () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get });
  });
  await context.route(/\/assets\/vault-worker-[^/]+\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${refuseDatabases}${await response.text()}` });
  });
}

async function refuseThirdParties(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCookieControls', { enableThirdPartyCookieRestriction: true });
}

/** Any page of Playwright's as a tab. */
export function pageTab(page: Page): EngineTab {
  return new ChromiumTab(page);
}

class ChromiumTab implements EngineTab {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  async goto(address: string): Promise<void> {
    await this.#page.goto(address);
  }

  async reload(): Promise<void> {
    await this.#page.reload();
  }

  shows(role: ControlRole, name: string): Promise<boolean> {
    return this.#find(role, name).isVisible();
  }

  async click(role: ControlRole, name: string): Promise<boolean> {
    const control = this.#find(role, name);
    if (!(await control.isVisible())) return false;
    await control.click();
    return true;
  }

  async fill(role: ControlRole, name: string, text: string): Promise<boolean> {
    const control = this.#find(role, name);
    if (!(await control.isVisible())) return false;
    await control.fill(text);
    return true;
  }

  read(expression: string): Promise<unknown> {
    return this.#page.evaluate(expression);
  }

  #find(role: ControlRole, name: string): Locator {
    const found =
      role === 'password'
        ? this.#page.getByLabel(name, { exact: true })
        : this.#page.getByRole(role, { name, exact: true });
    return found.first();
  }
}
