import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reader } from './setting.ts';
import { rowsOf } from './settings-table.ts';

const projectFolder = join(import.meta.dirname, '..', '..');

/** Documents that list the settings of one process, each in one table. */
export const settingsPages = {
  'server/OPERATING.md': 'relay',
  'enclave-worker/OPERATING.md': 'worker',
  'registrar/OPERATING.md': 'registrar',
} as const satisfies Record<string, Reader>;

const heading = '| variable | default | meaning |\n|---|---|---|\n';

/** The table as Markdown, which a document holds word for word. */
export function settingsTableOf(reader: Reader): string {
  const rows = rowsOf(reader).map(
    ([name, { usually, meaning }]) => `| ${[`\`${name}\``, usually, meaning].join(' | ').replace('|  |', '| |')} |\n`,
  );
  return heading + rows.join('');
}

/** @returns the document with the table as it is now. */
export function withTable(page: string, reader: Reader): string {
  const start = page.indexOf(heading);
  const rest = page.slice(start + heading.length).replace(/^(\|.*\n)*/, '');
  return start < 0 ? page : page.slice(0, start) + settingsTableOf(reader) + rest;
}

/** `npm run settings`: writes the tables into the documents. */
export function writeSettingsPages(folder = projectFolder): void {
  for (const [name, reader] of Object.entries(settingsPages)) {
    const path = join(folder, name);
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), reader));
  }
}
