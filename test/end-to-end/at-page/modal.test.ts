import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser } from '../../parts/browser/browser.ts';
import { ModalFrontDoor } from '../../parts/worker/modal/modal-front-door.ts';
import { answers, ask, createAccount, finishedAnswer } from '../../parts/users/at-page/person-at-page.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';

let door: ModalFrontDoor;
let sotto: RunningSotto;
let browser: Browser;

beforeAll(async () => {
  door = await new ModalFrontDoor({ bootMs: 2_000 }).start();
  [browser, sotto] = await Promise.all([
    startBrowser(),
    startSotto({ environment: door.settings, readyPath: '/livez' }),
  ]);
});
afterAll(async () => {
  await browser.close();
  await sotto.stop();
  await door[Symbol.asyncDispose]();
});

/** With the time that it has taken so far: `7 s`, `1:07`. */
const starting = /The enclave is starting \((\d+\ss|\d+:\d\d)\)/;

it('a container that boots on Modal is progress on the page, and then the answer comes', async () => {
  // Its proxy says this while there is none, and then nothing at all until a machine is found.
  door.startRefusals = [503, 502];
  door.hasCapacity = false;
  const page = await browser.newPage();
  await createAccount(page, sotto.url);
  await page.getByText(starting).waitFor();
  await page.getByRole('button', { name: 'Protection: The enclave is starting' }).waitFor();
  await ask(page, 'Asked while the container boots.');
  await answers(page).last().getByText(starting).waitFor();
  expect(await answers(page).last().getAttribute('aria-busy')).toBe('true');
  expect(door.containers).toHaveLength(0);

  door.hasCapacity = true;
  expect(await finishedAnswer(page, 110_000)).toContain('Asked while the container boots.');
  await page.getByRole('button', { name: /^Protection: No protection/ }).waitFor();
  expect(await page.getByText('The enclave is starting').count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
  expect(door.startRefusals).toEqual([]);
  expect(door.containers).toHaveLength(1);
  expect(door.refusedCalls).toBe(0);
});
