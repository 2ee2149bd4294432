import { describe, expect, test } from 'vitest';
import { compileWords, fillPage } from '../../../client/build/page-words.ts';

describe('compileWords', () => {
  test('a message of words alone stays a text, any other is parsed', () => {
    const module = compileWords({ words: { 'a.b': 'Only words, “quoted”.', 'c.d': 'You, {time}' } });
    const [, json = ''] = /^export const words = (.*);$/.exec(module) ?? [];
    expect(JSON.parse(json)).toEqual({
      'a.b': 'Only words, “quoted”.',
      'c.d': [
        { type: 0, value: 'You, ' },
        { type: 1, value: 'time' },
      ],
    });
  });

  test.each(['You, {time', 'New <link>here', '{count, plural, one {#}}', '{count, plural}'])(
    'a message that is no ICU message ends the build: %s',
    (message) => {
      expect(() => compileWords({ words: { id: message } })).toThrow(SyntaxError);
    },
  );
});

describe('fillPage', () => {
  const catalogs = { en: { 'start.slow': 'Still "loading" <b> & more' }, de: { 'start.slow': 'Lädt noch' } };

  test('a paragraph is there in every language, an attribute in English, both harmless', () => {
    const html = '<meta content="{{start.slow}}" /><p class="slow">{{start.slow}}</p>';
    expect(fillPage(html, catalogs)).toBe(
      '<meta content="Still &quot;loading&quot; &lt;b> &amp; more" />' +
        '<p lang="en" class="slow">Still &quot;loading&quot; &lt;b> &amp; more</p><p lang="de" class="slow">Lädt noch</p>',
    );
  });

  test('a message that is not there ends the build', () => {
    expect(() => fillPage('<p>{{start.never}}</p>', catalogs)).toThrow('start.never');
  });
});
