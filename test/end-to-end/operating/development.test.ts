import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import { ask, createAccount, finishedAnswer, messageBox } from '../../parts/users/at-page/person-at-page.ts';
import { copyProject } from '../../parts/machine/project-copy.ts';
import { startSotto, waitFor } from '../../parts/relay/running-sotto.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

it('npm run dev: a changed page and a changed relay are there at once, and the session goes on', async () => {
  await using folder = await makeTemporaryFolder('development');
  copyProject(folder.path);
  const sotto = await startSotto({ folder: folder.path, command: ['npm', 'run', 'dev'], readyPath: '/livez' });
  const browser = await startBrowser();
  const page = await browser.newPage();
  let loads = 0;
  page.on('load', () => loads++);
  try {
    await createAccount(page, sotto.url);
    await messageBox(page).fill('half a thought');
    const loadsBefore = loads;
    changeFile(
      join(folder.path, 'client/page/features/composer/composer.tsx'),
      "placeholder={say('composer.placeholder')}",
      "placeholder={`${say('composer.placeholder')}, lower`}",
    );
    await page.getByPlaceholder('Write in a low voice, lower').waitFor();
    expect(await messageBox(page).inputValue()).toBe('half a thought');

    const relay = sotto.childPid('server/main.ts');
    changeFile(join(folder.path, 'server/api/route/service-routes.ts'), 'import', '// Changed.\nimport');
    await waitFor(
      () => !sotto.processes().some(({ pid }) => pid === relay),
      60_000,
      () => 'the relay was not started again',
    );
    await sotto.healthy();
    await ask(page, 'Asked after the changes.');
    expect(await finishedAnswer(page)).toContain('Asked after the changes.');
    expect(loads).toBe(loadsBefore);
  } finally {
    await browser.close();
    await sotto.stop();
  }
  expect(sotto.processes()).toEqual([]);
});

function changeFile(path: string, before: string, after: string): void {
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(before);
  writeFileSync(path, text.replace(before, after));
}
