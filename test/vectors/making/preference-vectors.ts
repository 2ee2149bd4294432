import type { PreferenceContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { concat, encodeUtf8, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { encodeItemContent } from '../../../crypto/vault/item-content.ts';

const bare = { format: 1, name: 'account-note', value: 'Mine.', setAtMs: 1_700_000_000_000 } as const;

const contents: readonly Partial<Pick<PreferenceContent, 'name' | 'value' | 'setAtMs'>>[] = [
  {},
  { value: '' },
  { name: 'a', setAtMs: 0 },
  { name: `n${'-9'.repeat(31)}x`, setAtMs: 8_640_000_000_000_000 },
  { value: '„Leise“ 🤫\u0007' },
  { value: 'v'.repeat(8_192) },
];
const refused: Readonly<Record<string, object>> = {
  'an empty name': { name: '' },
  'a name of 65': { name: 'n'.repeat(65) },
  'a name in capitals': { name: 'Note' },
  'a name that begins with a digit': { name: '1st' },
  'a value of 8,193': { value: 'v'.repeat(8_193) },
  'a value that is no text': { value: 1 },
  'no value': { value: null },
  'a time before 1970': { setAtMs: -1 },
  'another format': { format: 2 },
  'a member more': { conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' },
};

function contentOf(members: object): string {
  const type = encodeUtf8('preference');
  return toHex(concat(Uint8Array.of(type.length), type, encodeCanonicalJson(members)));
}

/** The frozen vectors of preferences in SPEC.md §5.1. */
export function makePreferenceVectors() {
  const written = contents.map((more) => ({ type: 'preference' as const, ...bare, ...more }));
  return {
    about: 'Frozen vectors of crypto/SPEC.md §5.1; bytes are lower-case hex. Made by `npm run vectors`.',
    contents: written.map((json) => ({ json, content: toHex(encodeItemContent(json)) })),
    refusedContents: Object.entries(refused).map(([name, more]) => ({
      name,
      content: contentOf({ ...bare, ...more }),
    })),
  };
}
