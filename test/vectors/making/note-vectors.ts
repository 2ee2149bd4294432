import { replyCauses } from '../../../crypto/protocol/contents/reply-note.ts';
import { replyErrorCodes } from '../../../crypto/protocol/contents/request-content.ts';
import { concat, encodeUtf8, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { encodeItemContent } from '../../../crypto/vault/item-content.ts';
import { seededBytes } from './given/seeded-values.ts';

const id = (label: string) => toBase64Url(seededBytes(`note ${label}`, 16));
const bare = { format: 1, conversationId: id('conversation'), turnId: id('turn'), codes: [], leftOut: 0 } as const;
const longestCode = `z${'-9'.repeat(15)}x`;

const noted: readonly { readonly codes: string[]; readonly leftOut: number }[] = [
  { codes: [], leftOut: 0 },
  ...replyErrorCodes.map((code) => ({ codes: [code], leftOut: 0 })),
  ...replyCauses.map((cause) => ({ codes: [cause, 'model-failed'], leftOut: 0 })),
  { codes: ['ended-early'], leftOut: 12 },
  { codes: ['a-later-code', 'model-refused'], leftOut: 10_000 },
  { codes: Array.from({ length: 8 }, () => longestCode), leftOut: Number.MAX_SAFE_INTEGER },
];

const refused: Readonly<Record<string, object>> = {
  'nine codes': { codes: Array.from({ length: 9 }, () => 'model-failed') },
  'a code of 33 characters': { codes: [`${longestCode}y`] },
  'an empty code': { codes: [''] },
  'a code in capitals': { codes: ['Model-failed'] },
  'a code that begins with a hyphen': { codes: ['-failed'] },
  'a code with a blank': { codes: ['model failed'] },
  'a code that is no text': { codes: [1] },
  'one code without a list': { codes: 'model-failed' },
  'fewer than no messages': { leftOut: -1 },
  'half a message': { leftOut: 0.5 },
  'an id of a turn that is none': { turnId: 'short' },
  'an id of a conversation that is none': { conversationId: 'short' },
  'another format': { format: 2 },
  'a member more': { code: 'model-failed' },
};

function contentOf(members: object): string {
  const type = encodeUtf8('reply-note');
  return toHex(concat(Uint8Array.of(type.length), type, encodeCanonicalJson(members)));
}

/** The frozen vectors of what is noted of replies in SPEC.md §5.1. */
export function makeNoteVectors() {
  const contents = noted.map((more) => ({ type: 'reply-note' as const, ...bare, ...more }));
  const { turnId: _turnId, ...withoutTurn } = bare;
  return {
    about: 'Frozen vectors of crypto/SPEC.md §5.1; bytes are lower-case hex. Made by `npm run vectors`.',
    contents: contents.map((json) => ({ json, content: toHex(encodeItemContent(json)) })),
    refusedContents: [
      ...Object.entries(refused).map(([name, more]) => ({ name, content: contentOf({ ...bare, ...more }) })),
      { name: 'no turn', content: contentOf(withoutTurn) },
    ],
  };
}
