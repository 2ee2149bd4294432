import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../../parts/browser/engines/chromium-engine.ts';
import {
  askIn,
  createAccountIn,
  fillCredentials,
  press,
  until,
  wordsOn,
} from '../../parts/users/at-page/page-steps.ts';
import type { Engine, EngineSetting } from '../../parts/browser/engines/engine.ts';
import { startFirefox, whyNoFirefox } from '../../parts/browser/engines/firefox-engine.ts';
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
  { name: 'Chromium', start: startChromium, missing: null },
  { name: 'Firefox', start: startFirefox, missing: whyNoFirefox() },
];

const causes: readonly (readonly [EngineSetting, string])[] = [
  ['all site data blocked', 'This browser does not let Sotto keep anything.'],
  ['WebAssembly off', 'WebAssembly is switched off in this browser, and Sotto encrypts with it.'],
];

for (const { name, start, missing } of engines) {
  describe(`in ${name}`, () => {
    for (const setting of ['a private window', 'third-party cookies off'] as const) {
      it(`${setting}: a person signs up, asks and reads`, { timeout: 240_000 }, async ({ skip }) => {
        skip(missing !== null, missing ?? '');
        engine = await start(setting);
        const tab = await engine.openTab();
        await createAccountIn(tab, sotto.url, inventPerson());
        expect((await askIn(tab, 'What does sotto voce mean?')).length).toBeGreaterThan(40);
      });
    }

    for (const [setting, sentence] of causes) {
      it(`${setting}: each page says so in one sentence`, { timeout: 240_000 }, async ({ skip }) => {
        skip(missing !== null, missing ?? '');
        engine = await start(setting);
        const tab = await engine.openTab();
        for (const path of ['/create-account', '/sign-in', '/chat']) {
          await tab.goto(`${sotto.url}${path}`);
          await until(tab, sentence, async () => (await wordsOn(tab)).includes(sentence));
          expect(await wordsOn(tab)).not.toMatch(/relay says|block scripts/);
        }
      });
    }

    it('no database: nobody is given 24 words to write down for nothing', { timeout: 240_000 }, async ({ skip }) => {
      skip(missing !== null, missing ?? '');
      engine = await start('no database');
      const tab = await engine.openTab();
      await tab.goto(`${sotto.url}/create-account`);
      await fillCredentials(tab, inventPerson());
      await press(tab, 'button', 'Create account');
      const sentence = 'This browser does not let Sotto keep anything.';
      const timesSaid = async () => (await wordsOn(tab)).split(sentence).length - 1;
      const hasWords = () => tab.read(`document.querySelector('[data-testid="recovery-phrase"]') !== null`);
      // Once above the page, as of its start, and once at the form.
      await until(tab, 'an answer', async () => (await timesSaid()) === 2 || (await hasWords()) === true);
      expect(await hasWords()).toBe(false);
    });
  });
}

it('in Firefox, no room for a database: each page says that, and not that settings forbid it', async ({ skip }) => {
  skip(whyNoFirefox() !== null, whyNoFirefox() ?? '');
  engine = await startFirefox('no room for a database');
  const tab = await engine.openTab();
  for (const path of ['/create-account', '/sign-in']) {
    await tab.goto(`${sotto.url}${path}`);
    await until(tab, 'a sentence about storage', async () => (await wordsOn(tab)).includes('keep anything.'));
    expect(await wordsOn(tab)).toContain('This browser has no room left to keep anything.');
  }
});
