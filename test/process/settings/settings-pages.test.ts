import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { rowsOf } from '../../../process/settings/settings-table.ts';
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
