import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { languages } from '../page/languages.ts';
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';

const wordsFile = /\/page\/texts\/[a-z]{2}\/(?:[a-z-]+\/)?[a-z-]+\.ts$/;
const parserPackage = '@formatjs/icu-messageformat-parser';

/**
 * Parses the texts of the page while it is built: the page gets them ready to be filled in, and no parser. Under our policy nothing
 * may make code out of a text, and this does not.
 */
export function pageWords(): Plugin {
  return {
    name: 'sotto-page-words',
    config: () => ({
      resolve: {
        alias: { [parserPackage]: join(import.meta.dirname, '../../node_modules', parserPackage, 'no-parser.js') },
      },
      // Found late, it would be fetched as the package has it, with its parser.
      optimizeDeps: { exclude: ['intl-messageformat'] },
    }),
    transformIndexHtml: { order: 'pre', handler: async (html) => fillPage(html, await readCatalogs()) },
    async load(id) {
      const [path = ''] = id.split('?');
      if (!wordsFile.test(path) || path.endsWith('/catalog.ts')) return null;
      return compileWords(await readWords(path));
    },
  };
}

type Catalogs = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function readCatalogs(): Promise<Catalogs> {
  const entries = Object.entries(languages).map(async ([code, { load }]) => [code, await load()] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Puts words into index.html: whoever waits for the first script, or has none, reads a paragraph in every language, as nobody can know
 * theirs yet. An attribute is in English.
 *
 * @param html - With `{{id of a text}}` in it.
 * @throws {Error} for a text that is not there.
 */
export function fillPage(html: string, catalogs: Catalogs): string {
  const say = (code: string, id: string): string => {
    const text = catalogs[code]?.[id];
    if (text === undefined) throw new Error(`index.html asks for the text "${id}", and there is none.`);
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  };
  return html
    .replaceAll(/<p([^>]*)>\{\{([a-z.-]+)\}\}<\/p>/g, (_all, attributes: string, id: string) =>
      Object.keys(catalogs)
        .map((code) => `<p lang="${code}"${attributes}>${say(code, id)}</p>`)
        .join(''),
    )
    .replaceAll(/\{\{([a-z.-]+)\}\}/g, (_all, id: string) => say('en', id));
}

type Words = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Reads the words that a file of texts exports. */
async function readWords(path: string): Promise<Words> {
  // Under `npm run dev` a file changes while this runs.
  const version = Math.trunc(statSync(path).mtimeMs);
  return (await import(/* @vite-ignore */ `${pathToFileURL(path).href}?v=${version}`)) as Words;
}

/** The same exports as a module, each text parsed; one of words alone stays a string. */
export function compileWords(words: Words): string {
  return Object.entries(words)
    .map(([name, texts]) => {
      const parsed = Object.entries(texts).map(([id, text]) => [id, compileText(text)]);
      return `export const ${name} = ${JSON.stringify(Object.fromEntries(parsed))};`;
    })
    .join('\n');
}

function compileText(text: string): string | MessageFormatElement[] {
  const parsed = parse(text);
  const [only] = parsed;
  return parsed.length === 1 && only?.type === TYPE.literal ? only.value : parsed;
}
