import { StartError } from '../start-error.ts';
import type { ProcessName, Setting } from './setting.ts';
import { rowsOf, type SettingName, type SettingsTable, settingsTable } from './settings-table.ts';
import { complainOfUnknownNames } from './unknown-names.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

type ValueOf<Row> =
  Row extends Setting<infer Value, infer Default> ? (Default extends string ? Value : Value | null) : never;
type NamesOf<Name extends ProcessName> = {
  [Key in keyof SettingsTable]: Name extends SettingsTable[Key]['who'][number] ? Key : never;
}[keyof SettingsTable];

/** The settings of one process, each under its name. */
export type Values<Name extends ProcessName> = { readonly [Key in NamesOf<Name>]: ValueOf<SettingsTable[Key]> };

/**
 * Reads what one process needs out of its environment.
 *
 * @throws {StartError} for a name that is nearly a setting, and for the first wrong value.
 */
export function readValues<Name extends ProcessName>(name: Name, environment: Environment): Values<Name> {
  complainOfUnknownNames(name, environment);
  return Object.fromEntries(
    rowsOf(name).map(([key, row]) => [key, readValue(key, row, environment[key])]),
  ) as Values<Name>;
}

/** @throws {StartError} */
function readValue(name: string, row: Setting, given: string | undefined): unknown {
  const text = given?.trim() ?? '';
  if (text === '' && given !== undefined && row.refusesEmpty) {
    throw new StartError(`${name} is empty: give it a value, or leave it out.`);
  }
  const meant = text === '' ? row.default : text;
  return meant === null ? null : row.parse(meant, name);
}

/** One setting by itself. @throws {StartError} */
export function readOne<Name extends SettingName>(name: Name, environment: Environment): ValueOf<SettingsTable[Name]> {
  return readValue(name, settingsTable[name] as Setting, environment[name]) as ValueOf<SettingsTable[Name]>;
}

/** One without which a process could do nothing. @throws {StartError} what the row says of an empty one. */
export function requireOne<Name extends SettingName>(
  name: Name,
  environment: Environment,
): NonNullable<ValueOf<SettingsTable[Name]>> {
  const value = readOne(name, environment) ?? settingsTable[name].parse('', name);
  return value as NonNullable<ValueOf<SettingsTable[Name]>>;
}
