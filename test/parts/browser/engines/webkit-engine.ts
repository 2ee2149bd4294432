import { existsSync, readdirSync } from 'node:fs';
import { findFreePort } from '../../network/free-port.ts';
import { makeTemporaryFolder } from '../../machine/temporary-folder.ts';
import { BrowserProcess, findProgram } from './browser-process.ts';
import type { ControlRole, Engine, EngineTab } from './engine.ts';
import { WebDriverSession } from './webdriver-session.ts';

const screen = { width: 1400, height: 1000 };

/** Why the tests of WebKit cannot run here, or null. */
export function whyNoWebKit(): string | null {
  for (const name of ['WebKitWebDriver', 'Xvfb']) {
    if (findProgram(name) === null) return `there is no ${name} on this machine`;
  }
  return findMiniBrowser() === null ? 'there is no MiniBrowser of WebKitGTK on this machine' : null;
}

/** WebKitGTK's own small browser, which its driver starts: it lies in no search path. */
function findMiniBrowser(): string | null {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => name.includes('-linux-gnu')) : [];
  const places = folders.flatMap((folder) =>
    ['webkitgtk-6.0', 'webkit2gtk-4.1', 'webkit2gtk-4.0'].map((name) => `/usr/lib/${folder}/${name}/MiniBrowser`),
  );
  return places.find((path) => existsSync(path)) ?? null;
}

/**
 * Starts WebKitGTK on a screen of its own that nobody sees, by its driver. Its session is a private one, whatever is set:
 * nothing of it is written to the disk.
 */
export async function startWebKit(): Promise<Engine> {
  const home = await makeTemporaryFolder('webkit');
  const started: BrowserProcess[] = [];
  const stop = async () => {
    for (const each of started.toReversed()) await each.stop();
    await home.remove();
  };
  try {
    const size = `${screen.width}x${screen.height}x24`;
    const display = new BrowserProcess(['Xvfb', '-displayfd', '3', '-screen', '0', size, '-nolisten', 'tcp']);
    started.push(display);
    const number = await display.printed(/^(\d+)$/m);
    const port = await findFreePort();
    const driver = new BrowserProcess(['WebKitWebDriver', `--port=${port}`], {
      DISPLAY: `:${number}`,
      GDK_BACKEND: 'x11',
      HOME: home.path,
      XDG_RUNTIME_DIR: home.path,
      // There is no graphics card, and nobody looks.
      LIBGL_ALWAYS_SOFTWARE: '1',
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    });
    started.push(driver);
    await answers(`http://127.0.0.1:${port}/status`);
    const session = await WebDriverSession.start(`http://127.0.0.1:${port}`, {
      'webkitgtk:browserOptions': { binary: findMiniBrowser(), args: ['--automation'] },
    });
    return new WebKit(session, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answers(address: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const isThere = await fetch(address).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return;
    if (Date.now() > deadline) throw new Error(`Nothing answers at ${address}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

class WebKit implements Engine {
  readonly #session: WebDriverSession;
  readonly #stop: () => Promise<void>;
  #isFirst = true;

  constructor(session: WebDriverSession, stop: () => Promise<void>) {
    this.#session = session;
    this.#stop = stop;
  }

  async openTab(): Promise<EngineTab> {
    // A session begins with one.
    const handle = this.#isFirst
      ? ((await this.#session.call('GET', '/window')) as string)
      : ((await this.#session.call('POST', '/window/new', { type: 'tab' })) as { handle: string }).handle;
    this.#isFirst = false;
    return new WebKitTab(this.#session, handle);
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** Elements that may have a role; what each is called, the browser says. */
const candidates: Readonly<Record<ControlRole, string>> = {
  button: 'button, [role="button"]',
  link: 'a[href]',
  textbox: 'input:not([type="password"], [type="checkbox"], [type="radio"]), textarea',
  password: 'input[type="password"]',
  checkbox: 'input[type="checkbox"], [role="checkbox"]',
  menuitem: '[role="menuitem"]',
  heading: 'h1, h2, h3',
  alert: '[role="alert"]',
};

class WebKitTab implements EngineTab {
  readonly #session: WebDriverSession;
  readonly #handle: string;

  constructor(session: WebDriverSession, handle: string) {
    this.#session = session;
    this.#handle = handle;
  }

  async goto(url: string): Promise<void> {
    await this.#post('/url', { url });
  }

  async reload(): Promise<void> {
    await this.#post('/refresh');
  }

  shows(role: ControlRole, name: string): Promise<boolean> {
    return this.#withControl(role, name, async () => undefined);
  }

  click(role: ControlRole, name: string): Promise<boolean> {
    return this.#withControl(role, name, (id) => this.#session.call('POST', `/element/${id}/click`));
  }

  fill(role: ControlRole, name: string, text: string): Promise<boolean> {
    return this.#withControl(role, name, async (id) => {
      await this.#session.call('POST', `/element/${id}/clear`);
      await this.#session.call('POST', `/element/${id}/value`, { text });
    });
  }

  read(expression: string): Promise<unknown> {
    return this.#in(() => this.#session.execute(`return ${expression};`));
  }

  /** Does something with the first that is to be seen. What is drawn anew meanwhile is not there. */
  #withControl(role: ControlRole, name: string, act: (id: string) => Promise<unknown>): Promise<boolean> {
    return this.#in(async () => {
      try {
        for (const id of await this.#session.find(candidates[role])) {
          const label = await this.#session.call('GET', `/element/${id}/computedlabel`);
          if (label !== name || (await this.#session.call('GET', `/element/${id}/displayed`)) !== true) continue;
          await act(id);
          return true;
        }
        return false;
      } catch (error) {
        if (error instanceof Error && /stale element|not interactable|intercepted/.test(error.message)) return false;
        throw error;
      }
    });
  }

  #post(path: string, body?: object): Promise<unknown> {
    return this.#in(() => this.#session.call('POST', path, body));
  }

  #in<T>(work: () => Promise<T>): Promise<T> {
    return this.#session.inTab(this.#handle, work);
  }
}
