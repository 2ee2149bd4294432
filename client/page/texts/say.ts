import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { IntlMessageFormat } from 'intl-messageformat';
import { english } from './en/catalog.ts';
import type { ArgumentsIn, TagsIn } from './text-arguments.ts';

type English = typeof english;
export type TextId = keyof English;
/** The texts of one language; English names them, with their arguments. */
export type Texts = Readonly<Record<TextId, string>>;

/** Texts whose words stand alone between no tags. */
type PlainId = { [Id in TextId]: TagsIn<English[Id]> extends never ? Id : never }[TextId];
export type RichId = Exclude<TextId, PlainId>;

type Values<Id extends TextId, Value> = Readonly<Record<ArgumentsIn<English[Id]>, Value>>;
type Given<Id extends TextId> = ArgumentsIn<English[Id]> extends never ? [] : [values: Values<Id, string | number>];

/** The words between tags become something of the page: a link, a name in a direction of its own. */
export type Rich<Id extends TextId, Node> = Values<Id, Node | string | number> &
  Readonly<Record<TagsIn<English[Id]>, (words: readonly (Node | string)[]) => Node>>;

let spokenTag = 'en';
let spoken: Texts = english;
const formats = new Map<TextId, IntlMessageFormat>();

/** From now on texts are these, and numbers and dates are written as the tag says. */
export function speak(tag: string, texts: Texts): void {
  spokenTag = tag;
  spoken = texts;
  formats.clear();
}

/** True where there are words for an id that comes from outside. */
export function isText(id: string): id is TextId {
  return Object.hasOwn(spoken, id);
}

/** The language tag that numbers and dates are written by. */
export function languageTag(): string {
  return spokenTag;
}

/** A text in the person's language. Never at the start of a module, when no language is chosen yet. */
export function say<Id extends PlainId>(id: Id, ...[values]: Given<Id>): string {
  // Without arguments and tags nothing else than words comes out.
  return (formatOf(id)?.format(values) as string | undefined) ?? spoken[id];
}

/** A text with parts of the page in it, piece by piece. */
export function sayParts<Id extends TextId, Node extends object>(
  id: Id,
  rich: Rich<Id, Node>,
): readonly (Node | string)[] {
  const parts = formatOf(id)?.formatToParts<Node>(rich as never) ?? [{ value: spoken[id] }];
  return parts.map(({ value }) => value as Node | string);
}

/** @returns null for a text that is nothing but its words. */
function formatOf(id: TextId): IntlMessageFormat | null {
  const known = formats.get(id);
  if (known !== undefined) return known;
  // A built client holds texts parsed, and has no parser (client/build/page-words.ts).
  const text = spoken[id] as string | MessageFormatElement[];
  if (typeof text === 'string' && !/[{<#']/.test(text)) return null;
  const format = new IntlMessageFormat(text, spokenTag);
  formats.set(id, format);
  return format;
}
