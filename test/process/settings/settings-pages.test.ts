import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { rowsOf, type SettingName, settingsTable } from '../../../process/settings/settings-table.ts';
import { settingsPages, settingsTableOf, withTable } from '../../../process/settings/settings-pages.ts';

test.each(Object.entries(settingsPages))(
  '%s has the table of settings as it is: `npm run settings` writes it',
  (name, reader) => {
    const page = readFileSync(resolve(name), 'utf8');
    expect(page).toContain(settingsTableOf(reader));
    expect(withTable(page, reader)).toBe(page);
  },
);

test('settingsTableOf: has a row for each setting of the process and for none of another', () => {
  for (const reader of ['relay', 'worker', 'registrar'] as const) {
    const names = [...settingsTableOf(reader).matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    expect(names).toEqual(rowsOf(reader).map(([name]) => name));
    expect(names.length).toBeGreaterThan(15);
  }
  expect(settingsTableOf('registrar')).not.toContain('`PUBLIC_URL`');
});

test('withTable: puts the table in place of an older one, and changes nothing else', () => {
  const page = `# A page\n\n${settingsTableOf('worker')}\nThe rest | of it.\n`;
  const older = page.replace(
    /^\| `ENGINE`.*\n/m,
    '| `ENGINE` | `other` | said before |\n| `GONE` | | read by nobody |\n',
  );
  expect(older).not.toBe(page);
  expect(withTable(older, 'worker')).toBe(page);
  expect(withTable('no table here', 'worker')).toBe('no table here');
});

test('.env.example shows the values that hold without it, but for the model and the worker of Compose', () => {
  const example = readFileSync(resolve('.env.example'), 'utf8');
  const compose = readFileSync(resolve('docker-compose.yml'), 'utf8');
  const usual = new Map(
    [...compose.matchAll(/\$\{([A-Z0-9_]+):-([^}]*)\}/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const shown = [...example.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].filter(([, name = '']) => usual.has(name));
  expect(shown.length).toBeGreaterThan(25);
  const other = shown.flatMap(([, name = '', value]) => (value === usual.get(name) ? [] : [name]));
  expect(other).toEqual(['GGUF_URL', 'GGUF_NAME', 'ENCLAVE_POOL', 'ENCLAVE_URLS']);
  // The table of settings knows what an empty one means, and the remark before such a line says it.
  const remarks = [...example.matchAll(/empty: ([\d,]+(?: GiB)?)(?: and ([\d,]+))?\n([A-Z_]+)=\n(?:([A-Z_]+)=\n)?/g)];
  const said = remarks.flatMap(([, first, second, name, next]) => [
    [name, first],
    ...(second === undefined ? [] : [[next, second]]),
  ]);
  expect(said.map(([name]) => name)).toEqual([
    'QUOTA_BYTES',
    'DATABASE_CONNECTIONS',
    'CONNECTIONS',
    'CONNECTIONS_PER_ADDRESS',
  ]);
  for (const [name, value] of said) {
    const row = settingsTable[name as SettingName];
    expect([name, row.usually.replaceAll('`', '')]).toEqual([name, value]);
  }
});
