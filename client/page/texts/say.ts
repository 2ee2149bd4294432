import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { IntlMessageFormat } from 'intl-messageformat';
import { english } from './en/catalog.ts';
import type { ArgumentsIn, TagsIn } from './message-arguments.ts';

type English = typeof english;
export type MessageId = keyof English;
/** The messages of one language; English names them, with their arguments. */
export type Messages = Readonly<Record<MessageId, string>>;

/** Messages whose words stand alone between no tags. */
type PlainId = { [Id in MessageId]: TagsIn<English[Id]> extends never ? Id : never }[MessageId];
export type RichId = Exclude<MessageId, PlainId>;

type Values<Id extends MessageId, Value> = Readonly<Record<ArgumentsIn<English[Id]>, Value>>;
type Given<Id extends MessageId> = ArgumentsIn<English[Id]> extends never ? [] : [values: Values<Id, string | number>];

/** The words between tags become something of the page: a link, a name in a direction of its own. */
export type Rich<Id extends MessageId, Node> = Values<Id, Node | string | number> &
  Readonly<Record<TagsIn<English[Id]>, (words: readonly (Node | string)[]) => Node>>;

let spokenTag = 'en';
let spoken: Messages = english;
const formats = new Map<MessageId, IntlMessageFormat>();

/** From now on messages are these, and numbers and dates are written as the tag says. */
export function speak(tag: string, messages: Messages): void {
  spokenTag = tag;
  spoken = messages;
  formats.clear();
}

/** True where there are words for an id that comes from outside. */
export function isMessage(id: string): id is MessageId {
  return Object.hasOwn(spoken, id);
}

/** The language tag that numbers and dates are written by. */
export function languageTag(): string {
  return spokenTag;
}

/** A message in the person's language. Never at the start of a module, when no language is chosen yet. */
export function say<Id extends PlainId>(id: Id, ...[values]: Given<Id>): string {
  // Without arguments and tags nothing else than words comes out.
  return (formatOf(id)?.format(values) as string | undefined) ?? spoken[id];
}

/** A message with parts of the page in it, piece by piece. */
export function sayParts<Id extends MessageId, Node extends object>(
  id: Id,
  rich: Rich<Id, Node>,
): readonly (Node | string)[] {
  const parts = formatOf(id)?.formatToParts<Node>(rich as never) ?? [{ value: spoken[id] }];
  return parts.map(({ value }) => value as Node | string);
}

/** @returns null for a message that is nothing but its words. */
function formatOf(id: MessageId): IntlMessageFormat | null {
  const known = formats.get(id);
  if (known !== undefined) return known;
  // A built client holds messages parsed, and has no parser (client/build/page-words.ts).
  const message = spoken[id] as string | MessageFormatElement[];
  if (typeof message === 'string' && !/[{<#']/.test(message)) return null;
  const format = new IntlMessageFormat(message, spokenTag);
  formats.set(id, format);
  return format;
}
