import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRecoveryPhrase } from '../../crypto/account/recovery-phrase.ts';
import { startBrowser } from '../parts/browser/browser.ts';
import {
  ask,
  conversationLinks,
  createAccount,
  finishedAnswer,
  messageBox,
  signIn,
} from '../parts/users/at-page/person-at-page.ts';
import { type Postgres, startPostgres } from '../parts/storage/postgres.ts';
import { type RecordingProxy, startRecordingProxy } from '../parts/network/recording-proxy.ts';
import { type RunningSotto, startSotto, waitFor } from '../parts/relay/running-sotto.ts';
import { findSqliteFile, waitForStoredAnswers } from '../parts/storage/stored-answers.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { CanaryFinder } from './find-canary.ts';
import { walkOtherWays } from './other-ways.ts';
import { type LeftoverDependencies, relayLeftovers } from './relay-leftovers.ts';
import { inventPerson } from '../parts/users/person.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe.each(['sqlite', 'postgres'] as const)(
  'the words that a person typed are nowhere but in the browser (%s)',
  (storage) => {
    let postgres: Postgres | undefined;
    let databaseUrl: string | undefined;
    let sotto: RunningSotto;
    let proxy: RecordingProxy;
    /** Heap snapshots, and what a planted defect is told to leak. */
    let folder: TemporaryFolder;
    const account = inventPerson();
    const question = 'quartz umbrella forbearance 4471';
    const title = 'Marmalade treaty 9902';
    const draft = 'unsent walrus correspondence 3318';
    const typed = {
      mistypedPassword: 'misremembered quarry 7735',
      mistypedWord: 'brimblewick',
      newPassword: 'Replaced harbour 5120 lantern!',
    };
    /** In clear in the browser, after each of the ways that are seldom walked. */
    let leftInBrowser: string[] = [];
    const canaries: Record<string, string | Buffer> = {
      question,
      title,
      draft,
      // The note of the reply begins so, in the clear.
      'note of an answer': 'reply-note{"codes":[',
      'user name': account.userName,
      password: account.password,
      ...typed,
    };

    beforeAll(async () => {
      folder = await makeTemporaryFolder('canary');
      const defect = pathToFileURL(resolve('test/canary/planted-defect.ts')).href;
      const environment: Record<string, string> = {
        NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder.path} --import=${defect}`,
        PLANTED_FOLDER: folder.path,
        LOG_LEVEL: 'debug',
      };
      if (storage === 'postgres') {
        postgres = await startPostgres();
        databaseUrl = await postgres.createDatabase();
        environment['DATABASE_URL'] = databaseUrl;
      }
      sotto = await startSotto({ environment });
      proxy = await startRecordingProxy(Number(new URL(sotto.url).port));

      const context = await browser.newContext();
      const page = await context.newPage();
      const { recoveryWords } = await createAccount(page, proxy.url, account);
      for (const between of [' ', '\n', '\r\n', ',', '', '","']) {
        canaries[`recovery phrase, ${JSON.stringify(between)} between`] = recoveryWords.join(between);
      }
      canaries['recovery entropy'] = Buffer.from(parseRecoveryPhrase(recoveryWords.join(' ')).expose());
      await ask(page, `Please repeat: ${question}`);
      // The rehearsal engine repeats the beginning of a question, so the answer carries the canary as well.
      await finishedAnswer(page);
      await page
        .getByRole('navigation', { name: 'Conversations' })
        .getByRole('listitem')
        .first()
        .getByRole('button')
        .click();
      await page.getByRole('menuitem', { name: 'Rename' }).click();
      const box = page.getByRole('textbox', { name: /title|name/i });
      await box.fill(title);
      await box.press('Enter');
      await page.getByRole('link', { name: title }).waitFor();
      await messageBox(page).fill(draft);
      await page.waitForTimeout(1_500);
      await waitForStoredAnswers({ dataFolder: sotto.dataFolder, databaseUrl });
      await context.close();
      const second = await browser.newContext();
      const secondPage = await second.newPage();
      await signIn(secondPage, proxy.url, account);
      await conversationLinks(secondPage).first().click();
      await finishedAnswer(secondPage);
      await second.close();
      const third = await browser.newContext();
      const { userName } = account;
      leftInBrowser = await walkOtherWays(await third.newPage(), { url: proxy.url, userName, recoveryWords, ...typed });
      await third.close();
    });

    afterAll(async () => {
      await proxy.stop();
      await sotto.stop();
      await postgres?.stop();
      await folder.remove();
    });

    /** Everything that the relay's operator could lay hands on, searched. */
    async function searchEverything(): Promise<CanaryFinder> {
      const finder = new CanaryFinder(canaries);
      const dependencies: LeftoverDependencies = {
        sotto,
        proxy,
        snapshotFolder: folder.path,
        postgres:
          postgres === undefined || databaseUrl === undefined
            ? null
            : { url: databaseUrl, dataFolder: postgres.dataFolder },
      };
      for await (const { place, bytes, isPlain } of relayLeftovers(dependencies)) {
        if (isPlain === true) finder.searchPlain(place, bytes);
        else finder.search(place, bytes);
      }
      return finder;
    }

    const places = ['requests', 'responses', 'logs', 'data folder', 'table', 'heap of the relay'];
    if (storage === 'postgres') places.push('postgres files');

    it('no canary in database, WAL, logs, requests, responses, heap or memory (M42)', async () => {
      const finder = await searchEverything();
      expect(finder.findings).toEqual([]);
      // The search had something to find in: each place holds what the product surely left there.
      for (const place of places) expect(finder.searched[place], place).toBeGreaterThan(100);
      const { requests } = proxy.recorded();
      for (const path of [
        '/v1/sign-up/finish',
        '/v1/turns',
        '/v1/items',
        '/v1/recovery/finish',
        '/v1/password/finish',
      ]) {
        expect(
          requests.some((bytes) => bytes.includes(`POST ${path}`)),
          path,
        ).toBe(true);
      }
    });

    it('no canary in the address, the cookies or the texts of the browser, whichever way was walked', () => {
      const finder = new CanaryFinder(canaries);
      for (const [way, text] of leftInBrowser.entries()) finder.search(`way ${way}`, Buffer.from(text));
      expect(finder.findings).toEqual([]);
      expect(leftInBrowser.join()).toContain('sotto.session');
    });

    it('the same search finds what is planted in each of these places', async () => {
      await plantInDatabase();
      writeFileSync(join(sotto.dataFolder, 'planted'), Buffer.from(draft, 'utf16le'));
      await plantInRequest();
      await plantInResponse();
      await plantInProcess();
      const { findings, searched } = await searchEverything();
      const found = (place: string) => findings.filter((finding) => finding.place.startsWith(place));
      for (const place of places) expect(found(place), place).not.toEqual([]);
      // Files: the row's bytes before they are in a table's file, and the one beside them.
      const log = storage === 'sqlite' ? /^data folder: .*-wal/ : /^postgres files: .*pg_wal/;
      expect(findings.filter(({ place, canary }) => log.test(place) && canary === 'question')).not.toEqual([]);
      expect(found('data folder: planted').map(({ canary }) => canary)).toEqual(['draft']);
      expect(found('responses').map(({ canary }) => canary)).toEqual(['recovery entropy']);
      // The bytes of a Buffer are in the memory of a process alone; a snapshot of its heap does not have them.
      expect(found('heap of the relay').map(({ canary }) => canary)).not.toContain('title');
      const inMemory = searched['memory of the relay'] === undefined ? [] : ['question', 'title'];
      expect(found('memory of the relay').map(({ canary }) => canary)).toEqual(expect.arrayContaining(inMemory));
    });

    async function plantInDatabase(): Promise<void> {
      if (databaseUrl === undefined) {
        const database = new DatabaseSync(findSqliteFile(sotto.dataFolder));
        database.exec('CREATE TABLE planted (words BLOB)');
        database.prepare('INSERT INTO planted VALUES (?)').run(Buffer.from(Buffer.from(question).toString('hex')));
        database.close();
        return;
      }
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      await client.query('CREATE TABLE planted (words bytea)');
      await client.query('INSERT INTO planted VALUES ($1)', [Buffer.from(question, 'utf16le')]);
      await client.end();
    }

    /** The relay refuses it, whole as it is. */
    async function plantInRequest(): Promise<void> {
      const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
      socket.write(
        `GET /livez HTTP/1.1\r\nHost: ${new URL(proxy.url).host}\r\nX-Planted: ${question}\r\nConnection: close\r\n\r\n`,
      );
      await once(socket, 'data');
      socket.destroy();
    }

    async function plantInResponse(): Promise<void> {
      const leaking = createServer((_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(entropyInHex()));
      }).listen(0, '127.0.0.1');
      await once(leaking, 'listening');
      proxy.leadTo((leaking.address() as AddressInfo).port);
      expect(await (await fetch(proxy.url)).text()).toBe(entropyInHex());
      leaking.close();
      leaking.closeAllConnections();
    }

    const entropyInHex = () => (canaries['recovery entropy'] as Buffer).toString('hex');

    /** In the relay's log and in its memory: a text, and bytes that no text was made of. */
    async function plantInProcess(): Promise<void> {
      writeFileSync(join(folder.path, 'words'), question);
      writeFileSync(join(folder.path, 'bytes'), title);
      process.kill(sotto.childPid('server/main.ts'), 'SIGWINCH');
      await waitFor(
        () => sotto.output().includes('a debug line that was forgotten'),
        30_000,
        () => 'the defect did not leak',
      );
    }
  },
);
