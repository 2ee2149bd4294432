import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { otherWaysToWrite } from '../../parts/other-ways-to-write.ts';
import { askInPage, openPairs, ScriptedClient, showConversation } from '../../parts/scripted-client/scripted-page.ts';

let client: ScriptedClient;
let page: Page;
beforeAll(async () => {
  client = await ScriptedClient.start();
  page = await client.openPage({ path: '/chat', status: 'unlocked', reducedMotion: true });
  await page.getByRole('textbox', { name: 'Message' }).waitFor();
});
afterAll(() => client.stop());

/** The last answer: its words line by line, how many elements it has of each selector, and all of its elements. */
function readAnswer(selectors: readonly string[]) {
  return page.evaluate((asked) => {
    const prose = [...document.querySelectorAll<HTMLElement>('.prose')].at(-1)!;
    const seen = prose.innerText.replaceAll('\t', ' | ').replaceAll(/[ \u00a0]*\n[ \u00a0]*/g, '\n');
    const has = Object.fromEntries(asked.map((selector) => [selector, prose.querySelectorAll(selector).length]));
    // Every answer's notes have ids of their own.
    return { seen, has, elements: prose.innerHTML.replaceAll(/_r_[a-z0-9]+_/g, 'id') };
  }, selectors);
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

describe('an answer', () => {
  test.each(Object.entries(otherWaysToWrite))(
    'with %s loses nothing, and streamed in pieces it ends as when it is opened',
    async (name, { text, seen, has = {} }) => {
      const id = await page.evaluate(([title, answer]) => window.vault.addConversation(title, [[title, answer]]), [
        name,
        text,
      ] as const);
      await showConversation(page, id);
      await page.getByRole('article', { name: /^You/ }).filter({ hasText: name }).last().waitFor();
      await page.locator('.prose').waitFor();
      const opened = await readAnswer(Object.keys(has));
      expect({ seen: lines(opened.seen), has: opened.has }).toEqual({ seen: lines(seen), has });

      await openPairs(page, 'An answer.');
      const turn = await askInPage(page, `Streamed: ${name}`);
      await page.evaluate(
        async ([streamed, words]) => {
          for (const piece of words.match(/.{1,3}/gsu) ?? []) {
            window.vault.streamText(streamed, piece);
            await new Promise((resolve) => setTimeout(resolve, 0));
          }
        },
        [turn, text] as const,
      );
      await page.evaluate((streamed) => window.vault.endAnswer(streamed, 'complete'), turn);
      await page.locator('article[aria-busy="true"]').waitFor({ state: 'detached' });
      expect((await readAnswer([])).elements).toBe(opened.elements);
    },
  );
});
