import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { english } from '../../../../client/page/texts/en/catalog.ts';
import { type LanguageCode, languages } from '../../../../client/page/languages.ts';
import type { TextId } from '../../../../client/page/texts/say.ts';
import { projectRoot, readSourceFiles } from '../../../layers/source-files.ts';

const ids = Object.keys(english) as TextId[];
const catalogs = await Promise.all(
  (Object.keys(languages) as LanguageCode[]).map(async (code) => [code, await languages[code].load()] as const),
);

/** Every name that a text is filled in with, with its sort: `count:plural`, `link:tag`. */
function holesOf(elements: readonly MessageFormatElement[]): string[] {
  return elements.flatMap((element) => {
    switch (element.type) {
      case TYPE.literal:
      case TYPE.pound:
        return [];
      case TYPE.plural:
      case TYPE.select:
        return [
          `${element.value}:${TYPE[element.type]}`,
          ...Object.values(element.options).flatMap(({ value }) => holesOf(value)),
        ];
      case TYPE.tag:
        return [`${element.value}:tag`, ...holesOf(element.children)];
      default:
        return [`${element.value}:${TYPE[element.type]}`];
    }
  });
}

function holes(text: string): string[] {
  return [...new Set(holesOf(parse(text)))].toSorted();
}

/** The forms of each plural in a text. */
function pluralsOf(elements: readonly MessageFormatElement[]): string[][] {
  return elements.flatMap((element) => {
    if (element.type === TYPE.tag) return pluralsOf(element.children);
    return element.type === TYPE.plural ? [Object.keys(element.options)] : [];
  });
}

/** Names what is wrong with a catalog beside the English one; nothing where it says all that English says. */
function faultsOf(texts: Readonly<Record<string, string>>, code: string): string[] {
  const forms = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
  const missing = ids.filter((id) => !Object.hasOwn(texts, id) || texts[id]?.trim() === '');
  const extra = Object.keys(texts).filter((id) => !Object.hasOwn(english, id));
  const shared = ids.filter((id) => !missing.includes(id));
  return [
    ...missing.map((id) => `${id}: is missing`),
    ...extra.map((id) => `${id}: English has no such text`),
    ...shared
      .filter((id) => holes(texts[id] ?? '').join() !== holes(english[id]).join())
      .map(
        (id) => `${id}: is filled in with ${holes(texts[id] ?? '').join()}, English with ${holes(english[id]).join()}`,
      ),
    ...shared
      .filter((id) => pluralsOf(parse(texts[id] ?? '')).some((given) => forms.some((form) => !given.includes(form))))
      .map((id) => `${id}: a plural lacks one of ${forms.join(', ')}`),
    // An apostrophe of a typewriter would quote what follows it.
    ...shared.filter((id) => /['"]/.test(texts[id] ?? '')).map((id) => `${id}: has quotes of a typewriter`),
  ];
}

test.each(catalogs)('%s: says all that English says, filled in with the same, and no more', (code, texts) => {
  expect(faultsOf(texts, code)).toEqual([]);
});

describe('faultsOf finds', () => {
  const { 'home.heading': _heading, ...oneLess } = english;
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['a missing text', oneLess, 'home.heading: is missing'],
    ['an empty text', { ...english, 'home.heading': ' ' }, 'home.heading: is missing'],
    ['an extra text', { ...english, 'home.more': 'More' }, 'home.more: English has no such text'],
    [
      'a renamed argument',
      { ...english, 'thread.you-at': 'You, {moment}' },
      'thread.you-at: is filled in with moment:argument, English with time:argument',
    ],
    [
      'a lost tag',
      { ...english, 'sign-in.new-here': 'New here?' },
      'sign-in.new-here: is filled in with , English with link:tag',
    ],
    [
      'a lost plural form',
      { ...english, 'wait.hours': '{count, plural, other {# hours}}' },
      'wait.hours: a plural lacks one of one, other',
    ],
    [
      'a quote that would hide an argument',
      { ...english, 'thread.you-at': "You, '{'time'}' {time}" },
      'thread.you-at: has quotes of a typewriter',
    ],
  ])('%s', (_name, texts, fault) => {
    expect(faultsOf(texts, 'en')).toEqual([fault]);
  });
});

/** Names, signs and words that a language took over from English. */
const sameInEnglish: Readonly<Record<Exclude<LanguageCode, 'en'>, RegExp>> = {
  de: /^(?:title\.chat|account-menu\.(?:theme-system|build)|wait\.elapsed-seconds|home\.build|engine\.(?:because|then)|step\.with-result|fact\.(?:evidence-kind|release)|change\.release|check\.(?:hardware|modal|registrar|sev-snp|tdx|tdx-firmware|gpu)|detail\.(?:of-kind|measured-release|runs-model|weights-accepted|asked-at-level|firmware-versions|gpu-versions)|versions\.gpu|vendor\.(?:sev-snp|tdx))$/,
};

test.each(Object.entries(sameInEnglish))('%s: no text is left in English', (code, same) => {
  const texts = new Map(catalogs).get(code as LanguageCode);
  const left = ids.filter((id) => texts?.[id] === english[id]);
  expect(left.length).toBeLessThan(ids.length);
  expect(left.filter((id) => !same.test(id))).toEqual([]);
});

test('each text has a place in the page', () => {
  const sources = [...readSourceFiles()]
    .filter(([path]) => /^client\/(?:page|build)\//.test(path) && !/^client\/page\/texts\/[a-z]{2}\//.test(path))
    .map(([, text]) => text)
    .concat(readFileSync(join(projectRoot, 'client/index.html'), 'utf8'))
    .join('\n');
  const whole = new Set(
    [...sources.matchAll(/'([a-z0-9.:-]+)'|id="([a-z0-9.:-]+)"|\{\{([a-z.-]+)\}\}/g)].map(([, ...found]) =>
      found.find((id) => id !== undefined),
    ),
  );
  // `failure.${code}.do`
  const filled = [...sources.matchAll(/`([a-z-]+[.-][^`\s]*\$\{[^`\s]*)`/g)].map(
    ([, template = '']) =>
      new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '[A-Za-z0-9:.-]+')}$`),
  );
  expect(ids.filter((id) => !whole.has(id) && !filled.some((pattern) => pattern.test(id)))).toEqual([]);
});
