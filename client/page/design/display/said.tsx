import { createElement, Fragment, type ReactElement } from 'react';
import { type TextId, type Rich, sayParts } from '../../texts/say.ts';

type SaidProps<Id extends TextId> = { readonly id: Id } & Rich<Id, ReactElement>;

/** A message that has parts of the page in it: a property for each of its arguments, and for each of its tags. */
export function Said<Id extends TextId>(props: SaidProps<Id>) {
  return createElement(Fragment, null, ...sayParts<Id, ReactElement>(props.id, props));
}
