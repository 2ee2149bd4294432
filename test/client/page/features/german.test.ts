import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parse, TYPE } from '@formatjs/icu-messageformat-parser';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { german } from '../../../../client/page/texts/de/catalog.ts';
import { english } from '../../../../client/page/texts/en/catalog.ts';
import type { TextId } from '../../../../client/page/texts/say.ts';
import { belowMinimum } from '../../../parts/vault/scripted-client/scripted-contents.ts';
import {
  type PageOptions,
  ScriptedClient,
  showConversation,
} from '../../../parts/vault/scripted-client/scripted-page.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let client: ScriptedClient;
beforeAll(async () => {
  client = await ScriptedClient.start();
});
afterEach(() => client.endTest());
afterAll(() => client.stop());

/** The longest words of an English message between its arguments; none of one that reads alike in German. */
function englishWords(id: TextId): string | null {
  if (german[id] === english[id]) return null;
  const pieces = parse(english[id]).flatMap((each) => (each.type === TYPE.literal ? [each.value.trim()] : []));
  const longest = pieces.toSorted((a, b) => b.length - a.length)[0] ?? '';
  return longest.length < 4 || german[id].includes(longest) ? null : longest;
}
const foreign = (Object.keys(english) as TextId[]).flatMap((id) => englishWords(id) ?? []);

/** All that a reader or a screen reader finds, each once: texts, names, tooltips, placeholders. */
async function wordsOf(page: Page): Promise<string[]> {
  const found = await page.evaluate(() => {
    const words: string[] = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) words.push(node.textContent ?? '');
    for (const element of document.querySelectorAll('*')) {
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) words.push(element.getAttribute(name) ?? '');
    }
    return words.map((each) => each.trim()).filter((each) => each !== '');
  });
  return [...new Set(found)];
}

/** English messages that stand in the page as they are. */
async function englishOf(page: Page): Promise<string[]> {
  const words = await wordsOf(page);
  return words.filter(
    (each) => foreign.includes(each) || foreign.some((piece) => piece.length > 11 && each.includes(piece)),
  );
}

async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth] as const);
  return [
    ...(await englishOf(page)).map((words) => `in English: ${words}`),
    ...results.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`)),
    ...(width[0] > width[1] ? [`scrolls sideways: ${width.join(' > ')}`] : []),
  ];
}

/** Values of the relay's columns that the names beside them leave less than two fifths of the room. */
async function squeezedValues(page: Page): Promise<string[]> {
  const shares = await page.evaluate(() =>
    [...document.querySelectorAll('dl')].flatMap((list) =>
      [...list.querySelectorAll('dd')].map((each) => [each.innerText, each.clientWidth / list.clientWidth] as const),
    ),
  );
  expect(shares.length).toBeGreaterThan(5);
  return shares.flatMap(([value, share]) => (share > 0 && share < 0.4 ? [`${value}: ${share.toFixed(2)}`] : []));
}

async function openGerman(options: PageOptions): Promise<Page> {
  const page = await client.openPage({
    reducedMotion: true,
    touch: (options.width ?? 1280) < 500,
    locale: 'de-DE',
    ...options,
  });
  await page.locator('h1').waitFor({ state: 'attached' });
  return page;
}

test('the search for English finds it on an English page', async () => {
  const page = await client.openPage({ path: '/sign-in' });
  await page.locator('h1').waitFor();
  expect(await englishOf(page)).toEqual(expect.arrayContaining(['Welcome back', 'Password', 'New here?', 'Sign in']));
});

describe.each([1280, 360, 320])('in German, %i px wide: no English, nothing for axe, nothing sideways', (width) => {
  test.each(['/', '/create-account', '/sign-in', '/recover', '/nowhere'])('%s', async (path) => {
    const page = await openGerman({ path, width });
    expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])).toEqual([
      'de-DE',
      'ltr',
    ]);
    expect(await faults(page)).toEqual([]);
  });

  test('recovery phrase, a weak password, unlock, new password', async () => {
    const page = await openGerman({ path: '/create-account', width });
    await page.getByRole('textbox', { name: 'Benutzername' }).fill('anna');
    await page.getByLabel('Passwort').fill('password');
    await page.getByText('Das ist eines der zehn häufigsten Passwörter.').waitFor();
    expect(await faults(page)).toEqual([]);
    await page.getByLabel('Passwort').fill('vier Wörter ohne Zusammenhang');
    await page.getByRole('button', { name: 'Konto anlegen' }).click();
    await page.getByTestId('recovery-phrase').waitFor();
    await page.getByRole('button', { name: 'Weiter' }).click();
    await page.getByRole('alert').waitFor();
    expect(await faults(page)).toEqual([]);
    expect(await faults(await openGerman({ path: '/unlock', status: 'locked', width }))).toEqual([]);
    expect(await faults(await openGerman({ path: '/new-password', status: 'unlocked', width }))).toEqual([]);
  });

  test('chat in all its states, the menus and questions of a conversation', async () => {
    const page = await openGerman({ path: '/chat', status: 'unlocked', width });
    await page.getByRole('textbox', { name: 'Nachricht' }).waitFor();
    expect(await faults(page)).toEqual([]);
    const id = await page.evaluate(() => {
      const conversation = window.vault.addConversation('Ein Titel', [
        ['eine Frage', '| a | b |\n|---|---|\n| 1 | 2 |\n\n![](https://example.org/a.png)'],
      ]);
      window.vault.addConversation('Noch einer', [['f', 'a']], 86_400_000 * 3);
      window.vault.changeSummary(conversation, { answering: true, stored: false });
      return conversation;
    });
    await showConversation(page, id);
    await page.evaluate((each) => {
      window.vault.addTurn(each, 'eins', { kind: 'ended', outcome: 'cut-off', code: null, endedEarly: false }, 'halb');
      window.vault.addTurn(each, 'zwei', { kind: 'ended', outcome: 'error', code: 'x', endedEarly: false });
      window.vault.streamText(window.vault.addTurn(each, 'drei', { kind: 'streaming' }), 'Worte', 'Gedanken');
      window.vault.emit({ type: 'connection', status: 'offline' });
      window.vault.emit({ type: 'alarm', code: 'vault-tampered' });
    }, id);
    await page.getByText('Diese Antwort wurde abgeschnitten').waitFor();
    expect(await faults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Ausblenden', exact: true }).click();
    if (width < 500) await page.getByRole('button', { name: 'Seitenleiste anzeigen' }).click();
    await page.getByRole('button', { name: 'Konto' }).click();
    await page.getByRole('menuitem', { name: 'Sperren' }).waitFor();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    for (const [item, title] of [
      ['Umbenennen', 'Gespräch umbenennen'],
      ['Löschen', 'Gespräch löschen?'],
    ] as const) {
      await page.getByRole('button', { name: 'Optionen für Ein Titel' }).click();
      await page.getByRole('menuitem', { name: item }).click();
      await page.getByRole('dialog', { name: title }).waitFor();
      expect(await faults(page)).toEqual([]);
      await page.keyboard.press('Escape');
    }
  });

  test('shield, relay view, verification document, a refused enclave', async () => {
    const page = await openGerman({ path: '/chat', status: 'unlocked', width });
    const id = await page.evaluate(() => window.vault.addConversation('Ein Titel', [['eine Frage', 'eine Antwort']]));
    await showConversation(page, id);
    await page.getByRole('button', { name: /^Schutz:/ }).click();
    await page.getByText('Was Ihr Browser geprüft hat').waitFor();
    expect(await faults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Was das Relay sieht' }).click();
    await page.getByRole('region', { name: 'Was das Relay sieht' }).getByRole('listitem').first().waitFor();
    expect(await faults(page)).toEqual([]);
    expect(await squeezedValues(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('article').last().getByRole('button', { name: 'Prüfdokument' }).click();
    const document = page.getByRole('dialog', { name: 'Prüfdokument' });
    await document.getByText('Verlangtes Modell').waitFor();
    expect(await document.getByText('default', { exact: true }).count()).toBe(0);
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.evaluate((view) => window.vault.setEnclave(view), belowMinimum);
    await page.getByText('Diese Enklave bietet weniger Schutz').first().waitFor();
    expect(await faults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Mindestschutz hier senken …' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await faults(page)).toEqual([]);
  });
});

test('in German, 390 px wide: a button whose words would wrap beside another takes a line of its own', async () => {
  const page = await openGerman({ path: '/new-password', status: 'unlocked', width: 390 });
  expect((await page.getByRole('button', { name: 'Passwort ändern' }).boundingBox())?.height).toBeLessThan(50);
});

describe('before the German texts have come', () => {
  test('nothing is painted in English', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const page = await client.openPage({ path: '/livez', locale: 'de-DE' });
    await page.route('**/assets/catalog-*.js', async (route) => {
      await held;
      await route.continue();
    });
    const asked = page.waitForRequest('**/assets/catalog-*.js');
    await page.goto(`${client.origin}/sign-in`, { waitUntil: 'commit' });
    await asked;
    expect(await page.locator('#root').innerHTML()).toBe('');
    release();
    await page.getByRole('heading', { name: 'Willkommen zurück' }).waitFor();
  });

  test('a page whose German does not come speaks English, and says so to a screen reader', async () => {
    const page = await client.openPage({ path: '/livez', locale: 'de-DE' });
    await page.route('**/assets/catalog-*.js', (route) => route.abort());
    await page.goto(`${client.origin}/sign-in`);
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
  });
});
