import { endedEarlyCode } from '../../../../crypto/protocol/contents/item-contents.ts';
import type { TurnRecord } from '../../../../crypto/protocol/messages/turn-messages.ts';
import type { RelayColumn, RelayViewRow } from '../../../vault/api/vault-api.ts';
import { leftOutText } from './reply-texts.ts';
import { isReplyErrorCode, replyErrorText } from './reply-error-texts.ts';
import { kindName } from './protection-texts.ts';
import { isText, languageTag, say } from '../say.ts';
import { writeTime } from './time-texts.ts';

/** A column of the relay's tables in plain words. */
export function columnName({ name }: RelayColumn): string {
  if (isKeyslot(name)) return say('column.keyslot', { kind: name.slice('keyslot:'.length) });
  return say(`column.${name}`);
}

/** Times as the person writes them, numbers too; numbers that only name something stay as they are. */
export function columnValue({ name, value }: RelayColumn): string {
  if (value === null || value === '') return '–';
  if (name === 'state' && isText(`turn-state.${value}`)) return say(`turn-state.${value as TurnRecord['state']}`);
  if (name === 'bodyState' && isText(`body-state.${value}`)) return say(`body-state.${value as 'here' | 'expired'}`);
  if (typeof value === 'string') return value;
  return /At(?:Ms)?$/.test(name) ? writeTime(value, 'moment') : value.toLocaleString(languageTag());
}

function isKeyslot(name: RelayColumn['name']): name is Extract<RelayColumn['name'], `keyslot:${string}`> {
  return name.startsWith('keyslot:');
}

/** The words that only this browser reads, or what stands there in place of words. */
export function rowWords({ words, facts }: Pick<RelayViewRow, 'words' | 'facts'>): string {
  switch (facts?.kind) {
    case undefined:
      return words;
    case 'verification':
      return say('relay-view.verification-text', {
        time: writeTime(facts.verifiedAtMs, 'moment'),
        kind: kindName(facts.evidenceKind),
        model: facts.model,
      });
    case 'note': {
      const said = facts.codes.map(notedText);
      if (facts.leftOut > 0) said.push(leftOutText(facts.leftOut));
      return said.length === 0 ? say('relay-view.nothing-noted') : said.join(' ');
    }
  }
}

function notedText(code: string): string {
  if (code === endedEarlyCode) return say('reply-state.ended-early');
  return isReplyErrorCode(code) ? replyErrorText(code).sentence : say('relay-view.noted-code', { code });
}
