import { composeRows } from './compose-rows.ts';
import { registrarRows } from './registrar-rows.ts';
import { relayRows } from './relay-rows.ts';
import type { Reader, Setting } from './setting.ts';
import { workerRows } from './worker-rows.ts';

/** Every setting of every process, by its name. */
export const settingsTable = { ...relayRows, ...workerRows, ...registrarRows, ...composeRows };

export type SettingsTable = typeof settingsTable;
export type SettingName = keyof SettingsTable;

export const settingNames = Object.keys(settingsTable) as readonly SettingName[];

/** The rows that one of them reads, in the order of the table. */
export function rowsOf(reader: Reader): readonly (readonly [SettingName, Setting])[] {
  const rows = Object.entries(settingsTable) as [SettingName, Setting][];
  return rows.filter(([, { who }]) => who.includes(reader));
}
