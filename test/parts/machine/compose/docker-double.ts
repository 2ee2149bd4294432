// Stands in for `docker compose` where no Docker is: runs what a container would run, in the relay image's files, with the
// relay's environment. It knows the few subcommands that server/OPERATING.md writes down, and refuses every other.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import * as v from 'valibot';

const settings = v.parse(
  v.object({
    /** The relay's container has this at its root, and in its volume. */
    imageFolder: v.string(),
    volumeFolder: v.string(),
    environment: v.record(v.string(), v.string()),
    /** The URL of a database that stays, and the name of the one that the relay uses. */
    maintenanceUrl: v.string(),
    databaseName: v.string(),
  }),
  JSON.parse(process.env['DOCKER_DOUBLE'] ?? ''),
);
const runningMark = join(settings.volumeFolder, '.running');
const inVolume = (text: string) => text.replaceAll('/data/', `${settings.volumeFolder}/`);

function runInRelay(command: readonly string[], hasInput: boolean): number {
  const [program = '', ...parameters] = command.map(inVolume);
  const { status } = spawnSync(program, parameters, {
    cwd: settings.imageFolder,
    env: { PATH: process.env['PATH'], ...settings.environment },
    stdio: [hasInput ? 'inherit' : 'ignore', 'inherit', 'inherit'],
  });
  return status ?? 1;
}

/** The maintenance database takes each `-c` as a statement of its own, as psql does. */
async function runPsql(parameters: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString: settings.maintenanceUrl });
  await client.connect();
  for (const [index, parameter] of parameters.entries()) {
    if (parameters[index - 1] === '-c') await client.query(parameter.replaceAll(/\bsotto/g, settings.databaseName));
  }
  await client.end();
  return 0;
}

async function main([compose, subcommand, ...rest]: readonly string[]): Promise<number> {
  if (compose !== 'compose') return 64;
  const line = [subcommand, ...rest].join(' ');
  const isRunning = existsSync(runningMark);
  if (line.startsWith('exec relay ') && isRunning) return runInRelay(rest.slice(1), false);
  if (line.startsWith('run --rm -T relay ')) return runInRelay(rest.slice(3), true);
  if (line.startsWith('exec database psql -U sotto -d postgres ') && !isRunning) return runPsql(rest.slice(6));
  if (line.startsWith('cp relay:/data/') && rest.length === 2) {
    copyFileSync(inVolume((rest[0] ?? '').slice('relay:'.length)), rest[1] ?? '');
  } else if (line === 'stop relay') {
    rmSync(runningMark, { force: true });
  } else if (line === 'up -d') {
    writeFileSync(runningMark, '');
  } else if (line !== 'up --wait database') {
    return 64;
  }
  return 0;
}

process.exit(await main(process.argv.slice(2)));
