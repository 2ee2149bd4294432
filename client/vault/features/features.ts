import { OperationTypes } from '../changes/operations/operation.ts';
import { asking } from './asking.ts';
import { deletion } from './deletion.ts';
import { drafts } from './drafts.ts';
import { type CommandsOf, type Feature, type OperationsOf, type ViewsOf } from './feature.ts';
import { housekeeping } from './housekeeping.ts';
import { minimum } from './minimum.ts';
import { preferences } from './preferences.ts';
import { relayView } from './relay-view.ts';
import { renaming } from './renaming.ts';
import { returnedWords } from './returned-words.ts';
import { theme } from './theme.ts';
import { namedOnce } from '../surroundings/named-once.ts';
import { verification } from './verification.ts';

/** Everything that the vault can do beyond keeping and reading: a new feature is one more line. */
export const features = [
  asking,
  renaming,
  deletion,
  drafts,
  returnedWords,
  minimum,
  verification,
  relayView,
  theme,
  preferences,
  housekeeping,
] as const;

export const operationTypes = new OperationTypes(features.flatMap((each: Feature) => each.operations ?? []));

/** Every view with its name: all are looked at after each change. */
export const declaredViews = namedOnce(
  features.map(({ views = {} }: Feature) => views),
  'two features bring one view',
);

export type Operation = OperationsOf<typeof features>;
export type VaultCommands = CommandsOf<typeof features>;
export type VaultViews = ViewsOf<typeof features>;
