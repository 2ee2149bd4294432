import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { loadServerKeys } from '../../server/accounts/keys/load-server-keys.ts';
import { generateServerKeys } from '../../server/accounts/keys/server-keys.ts';
import { settingNames } from '../../process/settings/settings-table.ts';
import { readSettings } from '../../server/settings.ts';
import { openDatabase } from '../../server/storage/open-database.ts';
import { readComposeFile } from '../parts/machine/compose/compose-file.ts';
import { projectRoot } from '../parts/machine/python-environment.ts';
import { layOutRelayImage, relayImageStage } from '../parts/relay/relay-image.ts';
import { createDatabase } from '../parts/storage/shared-postgres.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { makeAccount } from '../parts/users/without-keys/vault-device.ts';

const page = readFileSync(join(projectRoot, 'server/OPERATING.md'), 'utf8');
const { services } = v.parse(
  v.looseObject({
    services: v.looseObject({
      relay: v.looseObject({
        user: v.string(),
        read_only: v.boolean(),
        volumes: v.array(v.string()),
        tmpfs: v.array(v.string()),
        environment: v.record(v.string(), v.string()),
      }),
      database: v.looseObject({ environment: v.record(v.string(), v.string()) }),
    }),
  }),
  readComposeFile('docker-compose.yml'),
);

/** The two blocks of commands under "With Docker": backup and restore. */
function commandsOf(heading: string): readonly string[] {
  const [section = ''] = page.slice(page.indexOf(heading)).split(/\n##+ (?!With Docker)/);
  return [...section.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
}

describe('server/OPERATING.md with Docker', () => {
  it('has one place to write in the relay’s container: a volume that belongs to its user', () => {
    const { relay } = services;
    expect([relay.read_only, relay.user]).toEqual([true, '1000:1000']);
    expect(relay.volumes).toContain('relay-data:/data');
    expect(relay.tmpfs.filter((mount) => mount.startsWith('/data'))).toEqual([]);
    // `node` is user 1000 in Node's images; a new volume takes its owner from the image's folder.
    expect(relayImageStage).toMatch(/^RUN mkdir \/data && chown node:node \/data\nUSER node\nVOLUME \/data$/m);
    expect(relayImageStage).toMatch(/^WORKDIR \/sotto$/m);
    expect(relayImageStage).toMatch(/^COPY server server$/m);
    expect(services.database.environment).toMatchObject({ POSTGRES_USER: 'sotto', POSTGRES_DB: 'sotto' });
  });

  it('backup and restore work as they are written down, and write nowhere else', async () => {
    await using place = await makeTemporaryFolder('operating');
    const folderOf = (name: string) => {
      const path = join(place.path, name);
      mkdirSync(path);
      return path;
    };
    const [image, volume, safe, programs] = [folderOf('sotto'), folderOf('data'), folderOf('safe'), folderOf('bin')];
    layOutRelayImage(image, { hasClient: false });
    const inImage = () => [
      ...readdirSync(image),
      ...['server', 'process', 'crypto'].flatMap((name) =>
        readdirSync(join(image, name), { encoding: 'utf8', recursive: true }),
      ),
    ];
    const before = inImage();

    const url = await createDatabase();
    const maintenanceUrl = new URL(url);
    maintenanceUrl.pathname = '/postgres';
    const environment = {
      ...services.relay.environment,
      PUBLIC_URL: 'https://chat.example.org',
      DATABASE_URL: url,
      DATA_DIR: volume,
      SERVER_KEYS: await generateServerKeys(),
      ENCLAVE_TOKEN: 't'.repeat(64),
    };
    const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => !value.startsWith('${')));
    const settings = readSettings(given);
    const countAccounts = async (databaseUrl: string) => {
      const database = await openDatabase(readSettings({ ...given, DATABASE_URL: databaseUrl }));
      const rows = await database.db.selectFrom('accounts').select('id').execute();
      await database.close();
      return rows.length;
    };
    const database = await openDatabase(settings);
    await loadServerKeys(settings, database);
    await makeAccount(database);
    await database.close();

    const wrapper = join(programs, 'docker');
    writeFileSync(
      wrapper,
      `#!/bin/sh\nexec '${process.execPath}' '${resolve('test/parts/machine/compose/docker-double.ts')}' "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
    const double = {
      imageFolder: image,
      volumeFolder: volume,
      environment: given,
      maintenanceUrl: maintenanceUrl.href,
      databaseName: new URL(url).pathname.slice(1),
    };
    const runLines = (lines: string) => {
      const shell = spawnSync('sh', ['-e', '-c', lines.replaceAll('/safe/place/', `${safe}/`)], {
        encoding: 'utf8',
        env: { PATH: `${programs}:${process.env['PATH']}`, DOCKER_DOUBLE: JSON.stringify(double) },
      });
      return { status: shell.status, said: `${shell.stdout}${shell.stderr}` };
    };

    const [backup = '', restore = ''] = commandsOf('### With Docker');
    // Without the relay there is no container to run in.
    expect(runLines(backup).status).not.toBe(0);
    expect(runLines('docker compose up -d').status).toBe(0);
    expect(runLines(backup)).toEqual({ status: 0, said: expect.stringContaining('and the server keys') });
    const [file = ''] = readdirSync(safe);
    expect(statSync(join(safe, file)).mode & 0o777).toBe(0o600);
    expect(existsSync(join(volume, 'sotto.backup'))).toBe(false);
    // Reads what `zcat FILE | head -n 1` shows.
    const [firstLine] = gunzipSync(readFileSync(join(safe, file)))
      .toString('utf8')
      .split('\n', 1);
    expect(firstLine).toContain(environment.SERVER_KEYS);

    // Rows written after the backup are gone afterwards, and still there under the other name.
    const later = await openDatabase(settings);
    await makeAccount(later);
    await later.close();
    expect(runLines(restore)).toEqual({ status: 0, said: expect.stringContaining('rows restored') });
    expect([await countAccounts(url), await countAccounts(`${url}_before`)]).toEqual([1, 2]);
    expect(readdirSync(volume).filter((name) => name !== '.running')).toEqual([]);
    expect(inImage()).toEqual(before);
  });
});

describe('server/OPERATING.md settings', () => {
  it('names only settings that there are', () => {
    const [table = ''] = page.slice(page.indexOf('## Settings')).split('\n## ').slice(0, 1);
    const named = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
    );
    const known: readonly (string | undefined)[] = settingNames;
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});
