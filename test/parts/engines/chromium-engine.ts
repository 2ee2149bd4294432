import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { startBrowserWithProfile } from '../browser.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';
import type { ControlRole, Engine, EngineSetting, EngineTab } from './engine.ts';

type Setting = { readonly switches: readonly string[]; readonly preferences: object };

/** 2 blocks the cookies of every site, and with them all of its storage. */
const settings: Partial<Record<EngineSetting, Setting>> = {
  'as it comes': { switches: [], preferences: {} },
  'a private window': { switches: ['--incognito'], preferences: {} },
  'third-party cookies off': { switches: [], preferences: { profile: { block_third_party_cookies: true } } },
  'all site data blocked': {
    switches: [],
    preferences: { profile: { default_content_setting_values: { cookies: 2 } } },
  },
  'WebAssembly off': { switches: ['--js-flags=--noexpose-wasm'], preferences: {} },
};

/** Starts Chromium with a profile of its own, as a person's machine keeps one. */
export async function startChromium(setting: EngineSetting = 'as it comes'): Promise<Engine> {
  const chosen = settings[setting];
  if (chosen === undefined) throw new Error(`Chromium has no setting for: ${setting}.`);
  const profile = await makeTemporaryFolder('chromium');
  await mkdir(join(profile.path, 'Default'));
  await writeFile(join(profile.path, 'Default', 'Preferences'), JSON.stringify(chosen.preferences));
  return new Chromium(await startBrowserWithProfile(profile.path, chosen.switches), profile);
}

class Chromium implements Engine {
  readonly #context: BrowserContext;
  readonly #profile: TemporaryFolder;

  constructor(context: BrowserContext, profile: TemporaryFolder) {
    this.#context = context;
    this.#profile = profile;
  }

  async openTab(): Promise<EngineTab> {
    return new ChromiumTab(await this.#context.newPage());
  }

  async stop(): Promise<void> {
    await this.#context.close();
    await this.#profile.remove();
  }
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

  async resize(width: number, height: number): Promise<void> {
    await this.#page.setViewportSize({ width, height });
  }

  screenshot(): Promise<Buffer> {
    return this.#page.screenshot();
  }

  async close(): Promise<void> {
    await this.#page.close();
  }

  #find(role: ControlRole, name: string): Locator {
    const found =
      role === 'password'
        ? this.#page.getByLabel(name, { exact: true })
        : this.#page.getByRole(role, { name, exact: true });
    return found.first();
  }
}
