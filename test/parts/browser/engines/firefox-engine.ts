import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryFolder, type TemporaryFolder } from '../../machine/temporary-folder.ts';
import { BidiConnection } from './bidi-connection.ts';
import { BrowserProcess, findProgram } from './browser-process.ts';
import type { ControlRole, Engine, EngineSetting, EngineTab } from './engine.ts';

const settings: Readonly<Record<EngineSetting, Readonly<Record<string, boolean | number>>>> = {
  'as it comes': {},
  'a private window': { 'browser.privatebrowsing.autostart': true },
  // 1 refuses those of third parties, 2 refuses all, and with them every storage of a site.
  'third-party cookies off': { 'network.cookie.cookieBehavior': 1 },
  'all site data blocked': { 'network.cookie.cookieBehavior': 2 },
  // Private windows were like this in Firefox before 115: a database is there, and does not open.
  'no database': { 'browser.privatebrowsing.autostart': true, 'dom.indexedDB.privateBrowsing.enabled': false },
  // In kibibytes, for all sites together.
  'no room for a database': { 'dom.quotaManager.temporaryStorage.fixedLimit': 20 },
  'WebAssembly off': { 'javascript.options.wasm': false },
};

/** Why the tests of Firefox cannot run here, or null. */
export function whyNoFirefox(): string | null {
  return findProgram('firefox-esr') === null ? 'there is no firefox-esr on this machine' : null;
}

/** Starts Debian's Firefox with an empty profile and speaks WebDriver BiDi with it, which it answers by itself. */
export async function startFirefox(setting: EngineSetting = 'as it comes'): Promise<Engine> {
  const profile = await makeTemporaryFolder('firefox');
  const preferences = { 'remote.active-protocols': 1, 'datareporting.policy.dataSubmissionEnabled': false };
  const lines = Object.entries({ ...preferences, ...settings[setting] }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  await writeFile(join(profile.path, 'user.js'), lines.join(''));
  const parameters = ['--headless', '--no-remote', '--profile', profile.path, '--remote-debugging-port=0'];
  const browser = new BrowserProcess(['firefox-esr', ...parameters, 'about:blank'], { HOME: profile.path });
  try {
    const address = await browser.printed(/WebDriver BiDi listening on (ws:\S+)/);
    const connection = await BidiConnection.open(`${address}/session`);
    await connection.call('session.new', { capabilities: {} });
    return new Firefox(browser, connection, profile);
  } catch (error) {
    await browser.stop();
    await profile.remove();
    throw error;
  }
}

class Firefox implements Engine {
  readonly #browser: BrowserProcess;
  readonly #connection: BidiConnection;
  readonly #profile: TemporaryFolder;

  constructor(browser: BrowserProcess, connection: BidiConnection, profile: TemporaryFolder) {
    this.#browser = browser;
    this.#connection = connection;
    this.#profile = profile;
  }

  async openTab(): Promise<EngineTab> {
    const { context } = (await this.#connection.call('browsingContext.create', { type: 'tab' })) as { context: string };
    return new FirefoxTab(this.#connection, context);
  }

  async stop(): Promise<void> {
    this.#connection.close();
    await this.#browser.stop();
    await this.#profile.remove();
  }
}

type FoundNode = { readonly sharedId: string };

class FirefoxTab implements EngineTab {
  readonly #connection: BidiConnection;
  readonly #context: string;

  constructor(connection: BidiConnection, context: string) {
    this.#connection = connection;
    this.#context = context;
  }

  async goto(url: string): Promise<void> {
    const navigate = () => this.#call('browsingContext.navigate', { url, wait: 'complete' });
    try {
      await navigate();
    } catch (error) {
      // A page that loads itself anew at that moment takes the navigation's place.
      if (!(error instanceof Error) || !error.message.includes('NS_BINDING_ABORTED')) throw error;
      await navigate();
    }
  }

  async reload(): Promise<void> {
    await this.#call('browsingContext.reload', { wait: 'complete' });
  }

  async shows(role: ControlRole, name: string): Promise<boolean> {
    return (await this.#find(role, name)) !== null;
  }

  async click(role: ControlRole, name: string): Promise<boolean> {
    const node = await this.#find(role, name);
    if (node === null) return false;
    const origin = { type: 'element', element: { sharedId: node.sharedId } };
    const actions = [
      { type: 'pointerMove', x: 0, y: 0, origin },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ];
    await this.#call('input.performActions', { actions: [{ type: 'pointer', id: 'mouse', actions }] });
    return true;
  }

  async fill(role: ControlRole, name: string, text: string): Promise<boolean> {
    if (!(await this.click(role, name))) return false;
    const control = '\uE009';
    const stroke = (value: string) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ];
    const selectAll = [{ type: 'keyDown', value: control }, ...stroke('a'), { type: 'keyUp', value: control }];
    const actions = [...selectAll, ...Array.from(text).flatMap(stroke)];
    await this.#call('input.performActions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
    return true;
  }

  async read(expression: string): Promise<unknown> {
    const evaluated = (await this.#connection.call('script.evaluate', {
      expression: `JSON.stringify(${expression})`,
      target: { context: this.#context },
      awaitPromise: true,
    })) as { type: string; result?: { value?: string }; exceptionDetails?: { text: string } };
    if (evaluated.type !== 'success') throw new Error(evaluated.exceptionDetails?.text ?? 'It threw.');
    const { value } = evaluated.result ?? {};
    return value === undefined ? undefined : (JSON.parse(value) as unknown);
  }

  /** The first that is to be seen, brought into view. */
  async #find(role: ControlRole, name: string): Promise<FoundNode | null> {
    const value = role === 'password' ? { name } : { role, name };
    const located = await this.#call('browsingContext.locateNodes', { locator: { type: 'accessibility', value } });
    for (const node of (located as { nodes: FoundNode[] }).nodes) {
      const seen = (await this.#connection.call('script.callFunction', {
        functionDeclaration: `(element, isPassword) => {
          if (isPassword && element.type !== 'password') return false;
          if (!element.checkVisibility({ visibilityProperty: true })) return false;
          element.scrollIntoView({ block: 'center', behavior: 'instant' });
          return true;
        }`,
        arguments: [{ sharedId: node.sharedId }, { type: 'boolean', value: role === 'password' }],
        target: { context: this.#context },
        awaitPromise: false,
      })) as { result?: { value?: unknown } };
      if (seen.result?.value === true) return node;
    }
    return null;
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    return this.#connection.call(method, { context: this.#context, ...params });
  }
}
