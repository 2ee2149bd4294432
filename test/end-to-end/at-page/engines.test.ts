import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../../parts/browser/engines/chromium-engine.ts';
import {
  answerTo,
  askIn,
  chooseInAccountMenuIn,
  createAccountIn,
  press,
  seen,
  signInIn,
  unlockIn,
  wordsOn,
} from '../../parts/users/at-page/page-steps.ts';
import type { Engine } from '../../parts/browser/engines/engine.ts';
import { startFirefox, whyNoFirefox } from '../../parts/browser/engines/firefox-engine.ts';
import { startWebKit, whyNoWebKit } from '../../parts/browser/engines/webkit-engine.ts';
import { type RunningSotto, startSotto } from '../../parts/relay/running-sotto.ts';
import { inventPerson } from '../../parts/users/person.ts';

let sotto: RunningSotto;
let engine: Engine | null = null;

beforeAll(async () => {
  sotto = await startSotto();
});
afterEach(async () => {
  await engine?.stop();
  engine = null;
});
afterAll(() => sotto.stop());

const engines = [
  { name: 'Chromium', start: () => startChromium(), missing: null },
  { name: 'Firefox', start: () => startFirefox(), missing: whyNoFirefox() },
  { name: 'WebKit', start: () => startWebKit(), missing: whyNoWebKit() },
];

for (const { name, start, missing } of engines) {
  describe(`the main line in ${name}`, () => {
    it(
      'signs up, asks, reads, reloads, opens a second tab, locks, unlocks, signs out and in again',
      { timeout: 240_000 },
      async ({ skip }) => {
        skip(missing !== null, missing ?? '');
        engine = await start();
        const tab = await engine.openTab();
        const account = inventPerson();
        expect(await createAccountIn(tab, sotto.url, account)).toHaveLength(24);
        const question = 'What does sotto voce mean?';
        const answer = await askIn(tab, question);
        expect(answer.length).toBeGreaterThan(40);
        const address = String(await tab.read('location.pathname'));
        expect(address).toMatch(/^\/chat\/[A-Za-z0-9_-]{22}$/);

        await tab.reload();
        expect(withoutFoot(await answerTo(tab, question))).toBe(withoutFoot(answer));

        const second = await engine.openTab();
        await second.goto(`${sotto.url}${address}`);
        expect(withoutFoot(await answerTo(second, question))).toBe(withoutFoot(answer));
        // Each of the two hears of what the other asks.
        const later = await askIn(second, 'And molto sotto voce?');
        expect(withoutFoot(await answerTo(tab, 'And molto sotto voce?'))).toBe(withoutFoot(later));

        await chooseInAccountMenuIn(tab, 'Lock');
        for (const each of [tab, second]) {
          await seen(each, 'button', 'Unlock');
          expect(await wordsOn(each)).not.toContain('sotto voce');
        }
        await unlockIn(second, account);
        await seen(tab, 'textbox', 'Message');
        expect(withoutFoot(await answerTo(tab, question))).toBe(withoutFoot(answer));

        await chooseInAccountMenuIn(tab, 'Sign out');
        for (const each of [tab, second]) await seen(each, 'button', 'Sign in');
        await signInIn(tab, account);
        await press(tab, 'link', question);
        expect(withoutFoot(await answerTo(tab, question))).toBe(withoutFoot(answer));
      },
    );
  });
}

/** The words of an answer without the line below it: a time is told otherwise a minute later. */
function withoutFoot(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length > 20)
    .join('\n');
}
