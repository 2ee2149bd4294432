import { afterEach, describe, expect, test } from 'vitest';
import { speakLanguage } from '../../../../../client/page/languages.ts';
import { english } from '../../../../../client/page/texts/en/catalog.ts';
import { columnValue, rowWords } from '../../../../../client/page/texts/of-values/relay-view-texts.ts';
import { speak } from '../../../../../client/page/texts/say.ts';
import type { RelayColumn } from '../../../../../client/vault/api/vault-api.ts';
import { turnStates } from '../../../../../crypto/protocol/messages/turn-messages.ts';

afterEach(() => speak('en', english));

describe('columnValue: in German', () => {
  test.each<RelayColumn>([
    ...turnStates.map((value) => ({ name: 'state', value }) as const),
    { name: 'bodyState', value: 'here' },
    { name: 'bodyState', value: 'expired' },
  ])('$name "$value" is a word of the language', async (column) => {
    const inEnglish = columnValue(column);
    await speakLanguage({ code: 'de', tag: 'de-DE' }, { lang: '', dir: '' });
    expect(columnValue(column)).toMatch(/^[a-zA-Zöä, ]{4,}$/);
    expect([column.value, inEnglish]).not.toContain(columnValue(column));
  });

  test('a state of a later relay and an id stay as they are', async () => {
    await speakLanguage({ code: 'de', tag: 'de-DE' }, { lang: '', dir: '' });
    expect(columnValue({ name: 'state', value: 'paused' })).toBe('paused');
    expect(columnValue({ name: 'id', value: 'ended' })).toBe('ended');
  });
});

describe('rowWords', () => {
  test.each([
    ['development', 'no evidence about the machine'],
    ['modal', 'the operator’s statement (Modal)'],
    ['a-later-kind', 'another kind of evidence'],
  ])('evidence of kind %s is named in words', (evidenceKind, words) => {
    const facts = { kind: 'verification', evidenceKind, model: 'm', verifiedAtMs: 0 } as never;
    expect(rowWords({ words: '', facts })).toMatch(new RegExp(`: ${words.replace(/[()]/g, '.')}, model m\\.$`));
  });
});
