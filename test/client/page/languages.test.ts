import { afterEach, describe, expect, test } from 'vitest';
import { english } from '../../../client/page/texts/en/catalog.ts';
import { chooseLanguage, speakLanguage } from '../../../client/page/languages.ts';
import { languageTag, say, sayParts, speak } from '../../../client/page/texts/say.ts';
import { percentText, timeText } from '../../../client/page/texts/of-values/time-texts.ts';

afterEach(() => speak('en', english));

test.each<[readonly string[], string, string]>([
  [['de-AT', 'en'], 'de', 'de-AT'],
  [['DE'], 'de', 'DE'],
  [['zxx-FR', 'de', 'en'], 'de', 'de'],
  [['en-GB', 'de'], 'en', 'en-GB'],
  [['zxx', 'mul'], 'en', 'en'],
  [[], 'en', 'en'],
  [['', 'x', 'de_DE', 'constructor', '__proto__', 'den'], 'en', 'en'],
])('chooseLanguage: %j gives %s, with numbers and dates as in %s', (wanted, code, tag) => {
  expect(chooseLanguage(wanted)).toEqual({ code, tag });
});

describe('speakLanguage', () => {
  test('from then on messages, numbers, dates and the mark of the page are of that language', async () => {
    const root = { lang: '', dir: '' };
    await speakLanguage({ code: 'de', tag: 'de-CH' }, root);
    expect(root).toEqual({ lang: 'de-CH', dir: 'ltr' });
    expect(languageTag()).toBe('de-CH');
    expect(say('composer.send')).toBe('Senden');
    expect(say('composer.too-long', { excess: 1234 })).toMatch(/um 1['’]234 Zeichen zu lang/);
    expect(percentText(0.405)).toBe('40%');
    await speakLanguage({ code: 'de', tag: 'de' }, root);
    expect(say('composer.too-long', { excess: 1234 })).toContain('um 1.234 Zeichen zu lang');
    expect(percentText(0.405)).toBe('40\u00A0%');
    expect(timeText(Date.UTC(2020, 4, 17, 12))).toMatch(/^17\.05\.2020, /);
  });

  test('English stays where the texts of a language do not arrive', async () => {
    const root = { lang: '', dir: '' };
    await speakLanguage({ code: 'xx' as 'de', tag: 'xx' }, root);
    expect(root).toEqual({ lang: 'en', dir: 'ltr' });
    expect(say('composer.send')).toBe('Send');
  });
});

describe('the argument of a text', () => {
  test('stands there as it is, whatever it looks like', () => {
    for (const title of ['{time}', '<b>bold</b>', '\\u202e', "it's '{'", '# and %', '$&', '{0, plural, other {x}}']) {
      expect(say('conversations.options', { title })).toBe(`Options of ${title}`);
    }
  });

  test('may be a part of the page, between the words or around them', () => {
    const link = (words: readonly (object | string)[]) => ({ words });
    expect(sayParts('sign-in.new-here', { link })).toEqual(['New here? ', { words: ['Create account'] }]);
    const title = { words: ['A title'] };
    expect(sayParts('conversations.delete-text', { title })).toEqual([
      '“',
      title,
      expect.stringMatching(/^” and all its messages/),
    ]);
  });
});
