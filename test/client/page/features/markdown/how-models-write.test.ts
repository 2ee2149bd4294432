import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { howModelsWrite } from '../../../../parts/worker/writing/how-models-write.ts';
import { otherWaysToWrite } from '../../../../parts/worker/writing/other-ways-to-write.ts';
import {
  askInPage,
  openPairs,
  ScriptedClient,
  settle,
  showConversation,
} from '../../../../parts/vault/scripted-client/scripted-page.ts';

let client: ScriptedClient;
let page: Page;
beforeAll(async () => {
  client = await ScriptedClient.start();
  page = await client.openPage({ path: '/chat', status: 'unlocked', reducedMotion: true });
  await page.getByRole('textbox', { name: 'Message' }).waitFor();
});
// It also says when an answer made the browser complain, of its policy or of a script.
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

async function openAnswer(name: string, text: string): Promise<void> {
  const id = await page.evaluate(([title, answer]) => window.vault.addConversation(title, [[title, answer]]), [
    name,
    text,
  ] as const);
  await showConversation(page, id);
  await page.getByRole('article', { name: /^You/ }).filter({ hasText: name }).last().waitFor();
  await page.locator('.prose').waitFor();
}

async function streamAnswer(name: string, pieces: readonly string[]): Promise<void> {
  await openPairs(page, 'An answer.');
  const turn = await askInPage(page, `Streamed: ${name}`);
  await page.evaluate(
    async ([id, words]) => {
      for (const piece of words) {
        window.vault.streamText(id, piece);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    },
    [turn, pieces] as const,
  );
  await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
  await page.locator('article[aria-busy="true"]').waitFor({ state: 'detached' });
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

describe('an answer as models write it', () => {
  test.each(Object.entries(howModelsWrite))('%s', async (name, { text, seen, has = {} }) => {
    await openAnswer(name, text);
    const read = await readAnswer(Object.keys(has));
    expect({ seen: lines(read.seen), has: read.has }).toEqual({ seen: lines(seen), has });
  });

  test.each(Object.entries(howModelsWrite))(
    '%s, streamed character by character, ends the same',
    async (name, { text, has = {} }) => {
      await streamAnswer(name, text.match(/./gsu) ?? []);
      expect((await readAnswer(Object.keys(has))).has).toEqual(has);
    },
  );
});

describe('an answer in other ways to write', () => {
  test.each(Object.entries(otherWaysToWrite))(
    'with %s loses nothing, and streamed in pieces it ends as when it is opened',
    async (name, { text, seen, has = {} }) => {
      await openAnswer(name, text);
      // Code gets its colours in a later task.
      await settle(page);
      const opened = await readAnswer(Object.keys(has));
      expect({ seen: lines(opened.seen), has: opened.has }).toEqual({ seen: lines(seen), has });

      await streamAnswer(name, text.match(/.{1,3}/gsu) ?? []);
      await expect.poll(async () => (await readAnswer([])).elements).toBe(opened.elements);
    },
  );
});

describe('footnotes of several answers', () => {
  test('have ids of their own, and lead to their notes and back', async () => {
    const noted = 'A claim[^1].\n\n[^1]: Its note.';
    const id = await page.evaluate(
      (text) =>
        window.vault.addConversation('Notes', [
          ['One?', text],
          ['Two?', text],
        ]),
      noted,
    );
    await showConversation(page, id);
    await page.getByRole('article', { name: /^You/ }).filter({ hasText: 'Two?' }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'Note 1' }).count()).toBe(2);
    const ids = await page.locator('.prose [id]').evaluateAll((elements) => elements.map((each) => each.id));
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
    const path = page.url();
    for (const answer of [0, 1]) {
      await page.getByRole('link', { name: 'Note 1' }).nth(answer).click();
      const focused = await page.evaluate(() => {
        const prose = [...document.querySelectorAll('.prose')];
        const element = document.activeElement;
        return [element?.tagName, prose.findIndex((each) => each.contains(element))];
      });
      expect(focused).toEqual(['LI', answer]);
    }
    expect(page.url()).toBe(path);
  });
});

test('copying an answer gives its source, whatever is shown of it', async () => {
  const all = Object.values(howModelsWrite)
    .map(({ text }) => text)
    .join('\n\n');
  const id = await page.evaluate((text) => window.vault.addConversation('All', [['All of it?', text]]), all);
  await showConversation(page, id);
  await page.getByRole('article', { name: /^You/ }).filter({ hasText: 'All of it?' }).waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Copy answer' }).click();
  await page.getByRole('button', { name: 'Copied' }).first().waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(all);
});
