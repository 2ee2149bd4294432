import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type PageOptions, ScriptedClient } from './scripted-page.ts';

export type ClientOfTests = {
  readonly origin: string;
  openPage(options?: PageOptions): Promise<Page>;
  /** The page of somebody who is signed in, once they can type. */
  openChat(options?: PageOptions): Promise<Page>;
};

/**
 * One client for the tests of the calling file. Each test ends with its pages closed, and fails where the browser complained.
 */
export function clientOfTests(): ClientOfTests {
  let started: ScriptedClient | null = null;
  const client = (): ScriptedClient => {
    if (started === null) throw new Error('The client is there in tests and their hooks alone.');
    return started;
  };
  beforeAll(async () => {
    started = await ScriptedClient.start();
  });
  afterEach(() => client().endTest());
  afterAll(() => client().stop());
  return {
    get origin() {
      return client().origin;
    },
    openPage: (options) => client().openPage(options),
    async openChat(options = {}) {
      const page = await client().openPage({ path: '/chat', status: 'unlocked', ...options });
      await page.getByRole('textbox', { name: 'Message' }).waitFor();
      return page;
    },
  };
}
