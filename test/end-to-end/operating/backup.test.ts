import { execFile } from 'node:child_process';
import { statSync, truncateSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../parts/browser/browser.ts';
import {
  ask,
  conversationLinks,
  createAccount,
  finishedAnswer,
  signIn,
} from '../../parts/users/at-page/person-at-page.ts';
import { createDatabase } from '../../parts/storage/shared-postgres.ts';
import { startSotto } from '../../parts/relay/running-sotto.ts';
import { waitForStoredAnswers } from '../../parts/storage/stored-answers.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import type { SignedUpPerson } from '../../parts/users/person.ts';

const run = promisify(execFile);

/** Runs `npm run backup` or `npm run restore` as a self-hoster does. */
async function command(name: 'backup' | 'restore', file: string, environment: Record<string, string>) {
  const { stdout } = await run(process.execPath, [resolve(`server/${name}.ts`), file], {
    env: { ...process.env, ...environment },
  });
  return stdout;
}

async function complaintOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it succeeded',
    (error: { stderr: string }) => error.stderr.trim(),
  );
}

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe.each([
  ['sqlite', 'sqlite'],
  ['postgres', 'postgres'],
  ['sqlite', 'postgres'],
] as const)('backup from %s, restore into %s', (from, to) => {
  let folder: TemporaryFolder;
  let account: SignedUpPerson;
  let file: string;
  let source: Record<string, string>;

  beforeAll(async () => {
    folder = await makeTemporaryFolder('backup');
    file = join(folder.path, 'sotto.backup');
    source = await place(from, 'source');
    const sotto = await startSotto({ environment: source, dataFolder: source['DATA_DIR'] ?? '' });
    const page = await browser.newPage();
    account = await createAccount(page, sotto.url);
    await ask(page, 'Keep this safe, please.');
    await finishedAnswer(page);
    // A backup holds an answer as far as it has been written.
    await waitForStoredAnswers({ dataFolder: sotto.dataFolder, databaseUrl: source['DATABASE_URL'] });
    // While the relay runs.
    await command('backup', file, source);
    await page.close();
    await sotto.stop();
  });
  afterAll(() => folder.remove());

  async function place(kind: 'sqlite' | 'postgres', name: string): Promise<Record<string, string>> {
    const environment: Record<string, string> = { DATA_DIR: join(folder.path, name) };
    if (kind === 'postgres') environment['DATABASE_URL'] = await createDatabase();
    return environment;
  }

  it('the same person signs in and finds the conversation', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const target = await place(to, 'target');
    expect(await command('restore', file, target)).toContain('restored');
    const sotto = await startSotto({ environment: target, dataFolder: target['DATA_DIR'] ?? '' });
    const page = await browser.newPage();
    await signIn(page, sotto.url, account);
    await conversationLinks(page).first().click();
    await page.getByText('Keep this safe, please.').first().waitFor();
    expect(await finishedAnswer(page)).toContain('Keep this safe, please.');
    await page.close();
    await sotto.stop();
  });

  it('nothing is overwritten, and half a backup restores nothing', async () => {
    expect(await complaintOf(command('backup', file, source))).toMatch(/exists already/);
    expect(await complaintOf(command('restore', file, source))).toMatch(/not empty/);
    const cut = join(folder.path, 'cut.backup');
    await command('backup', cut, source);
    truncateSync(cut, statSync(cut).size - 40);
    const target = await place(to, 'cut-target');
    expect(await complaintOf(command('restore', cut, target))).toMatch(/not a whole backup/);
    expect(await command('restore', file, target)).toContain('restored');
  });
});
