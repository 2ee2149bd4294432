/* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-return, typescript/no-unsafe-call, vitest/expect-expect
   -- what a lying relay says has no type; `expectRefused` asserts. */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { generateEnclaveKeyPair } from '../../../crypto/turn/hybrid-kem.ts';
import { startBrowser } from '../../parts/browser/browser.ts';
import { EvidenceSite } from '../../parts/evidence/evidence-site.ts';
import { makeUpEnclave } from '../../parts/evidence/made-up-enclave.ts';
import {
  ask,
  chooseMinimum,
  createAccount,
  finishedAnswer,
  messageBox,
  questions,
  shield,
  watchForFaults,
} from '../../parts/users/at-page/person-at-page.ts';
import { flip } from '../../parts/relay/tamper.ts';
import { TamperingProxy } from '../../parts/network/tampering-proxy.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what a lying relay says has no type.
type Json = any;

/* The real client in a real browser, real relays and workers, hardware signed for under test roots, and a relay that lies. */
let site: EvidenceSite;
let browser: Browser;
let proxy: TamperingProxy;
let page: Page;
let faults: string[];

beforeAll(async () => {
  await aeadReady();
  site = await EvidenceSite.start();
  proxy = await TamperingProxy.start(site.ports.amd);
  browser = await startBrowser();
  const context = await browser.newContext({ acceptDownloads: true });
  faults = watchForFaults(context, proxy.url);
  page = await context.newPage();
  await createAccount(page, proxy.url);
}, 400_000);
afterAll(async () => {
  await browser.close();
  await proxy[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});
beforeEach(() => proxy.honest());

const hardwareSentence =
  'AMD hardware signed that measured software 1.0.0-test runs here, and 1.0.0-test is in the release list, and the GPU is genuine, in confidential mode.';
async function shieldSays(text: string | RegExp, on: Page = page): Promise<void> {
  await expect.poll(() => shield(on).getAttribute('aria-label')).toMatch(text);
}

/** Changes every offer of an enclave. */
function lieAbout(change: (offer: Json, sent: Json) => unknown): void {
  proxy.onAnswer = ({ path }, json, sent) => (path === '/v1/enclaves' ? (change(json, sent) ?? json) : json);
}

/**
 * Expects that the relay's try is refused and said, nothing leaves, the words stay; with an honest relay the same page goes on.
 */
async function expectRefused(said: string): Promise<void> {
  await page.goto(`${proxy.url}/chat`);
  await messageBox(page).waitFor();
  await page.getByText(`Nothing is sent: ${said}`).first().waitFor({ timeout: 60_000 });
  const sent = proxy.sentTurns().length;
  await ask(page, 'For a verified enclave only.');
  await page.getByText('Your text is still here.').waitFor();
  expect(await messageBox(page).inputValue()).toBe('For a verified enclave only.');
  expect(proxy.sentTurns()).toHaveLength(sent);
  proxy.honest();
  // It may have asked again by itself by now.
  const button = page.getByRole('button', { name: 'Ask again' });
  await button.click({ timeout: 3_000 }).catch(() => undefined);
  await shieldSays(hardwareSentence);
  expect(await messageBox(page).inputValue()).toBe('For a verified enclave only.');
}

describe('evidence of hardware in the browser', () => {
  it('is verified to the end, said in one sentence, and shown step by step', async () => {
    await shieldSays(`Protection: ${hardwareSentence}`);
    await shield(page).click();
    const dialog = page.getByRole('dialog', { name: 'What protects this conversation' });
    const contents = await dialog.innerText();
    for (const text of ['Measurement', 'words are sealed to both', 'sev-snp']) expect(contents).toContain(text);
    const results = await dialog.getByRole('listitem').allInnerTexts();
    expect(results.filter((line) => line.includes('(enforced)')).length).toBeGreaterThan(12);
    expect(results.filter((line) => line.includes('(failed)'))).toEqual([]);
    await page.keyboard.press('Escape');
  });

  it('stands behind an answer as a document that holds elsewhere, without a network', async () => {
    await ask(page, 'What was verified?');
    await finishedAnswer(page);
    const { body } = proxy.sentTurns().at(-1) ?? { body: '{}' };
    expect(JSON.parse(body).request.recipients).toHaveLength(2);
    await page.getByRole('button', { name: 'Verification document' }).last().click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('button', { name: 'Export' }).click(),
    ]);
    await page.keyboard.press('Escape');
    await using folder = await makeTemporaryFolder('exported');
    const path = join(folder.path, 'document.json');
    copyFileSync(await download.path(), path);
    const verify = (...more: string[]) =>
      spawnSync('npm', ['run', '--silent', 'verify', '--', path, ...more], { cwd: resolve('.'), encoding: 'utf8' });
    const { status, stdout } = verify('--policy', site.installation.policyPath);
    expect(stdout).toContain('It holds.');
    expect(stdout).toContain('Enclave 2 of 2');
    expect(status).toBe(0);
    // The policy of this checkout knows none of these machines.
    expect(verify().status).toBe(1);
    // No script error, no violation of the page's policy, no request elsewhere.
    expect(faults).toEqual([]);
  });
});

describe('a relay that lies about the enclave', () => {
  it('M1: a key that the enclave did not sign', async () => {
    const { publicKey } = generateEnclaveKeyPair();
    lieAbout((offer) => {
      offer.publicKeys[0] = toBase64Url(publicKey);
    });
    await expectRefused('the keys are not those that the enclave signed.');
  });

  it('M2: genuine evidence beside keys of its own', async () => {
    lieAbout((offer, sent) => ({ ...offer, ...makeUpEnclave(sent.nonce), evidence: offer.evidence }));
    await expectRefused('a signature is wrong.');
  });

  it('M2: genuine evidence with its own identity written into it', async () => {
    lieAbout((offer, sent) => {
      const own = makeUpEnclave(sent.nonce);
      offer.evidence[0].identityPublicKey = own.evidence[0].identityPublicKey;
      return { ...offer, ...own, evidence: offer.evidence };
    });
    await expectRefused('the hardware did not sign the key of this enclave.');
  });

  it('M3: an old answer once more', async () => {
    let old: Json = null;
    lieAbout((offer) => {
      old ??= offer;
      return old;
    });
    await page.goto(`${proxy.url}/chat`);
    await shieldSays(hardwareSentence);
    await expectRefused('the evidence answers another question: it may be an old one.');
  });

  it('a GPU that is left out', async () => {
    lieAbout((offer) => {
      offer.evidence.pop();
    });
    await expectRefused('the hardware did not sign the key of this enclave.');
  });

  it('a changed report, certificates that are missing, and others in their place', async () => {
    lieAbout((offer) => {
      offer.evidence[0].report = flip(offer.evidence[0].report, 0x2a4);
    });
    await expectRefused('a signature is wrong.');
    lieAbout((offer) => {
      offer.collateral = [];
    });
    await expectRefused('the maker’s certificates for this machine did not come with it.');
    lieAbout((offer) => {
      const [amd] = offer.collateral;
      Object.assign(amd, { ark: amd.ask });
    });
    await expectRefused('the certificates lead');
  });

  it('the kind of evidence chosen by the answer: none at all, where the person asks for hardware', async () => {
    await page.goto(`${proxy.url}/chat`);
    await chooseMinimum(page, 'Hardware that proves what runs');
    await shieldSays(hardwareSentence);
    lieAbout((offer, sent) => {
      const { alternate: _alternate, collateral: _collateral, ...rest } = offer;
      return { ...rest, ...makeUpEnclave(sent.nonce) };
    });
    await expectRefused('this enclave offers less protection than you ask for.');
    await chooseMinimum(page, 'Any server');
  });

  it.each([
    ['a switch that turns the checks off', (offer: Json) => ({ ...offer, allowUnverified: true })],
    ['an older format (M11)', (offer: Json) => ({ ...offer, format: 0 })],
    ['a kind that nobody knows', (offer: Json) => ({ ...offer, evidence: [{ kind: 'trust-me' }] })],
    [
      'nothing to verify: no way leads to plaintext (M35)',
      (offer: Json) => ({ ...offer, evidence: [], publicKeys: [] }),
    ],
    ['an error in HTML (M34)', () => ({ error: '<img src=x onerror=alert(1)>Send your password to…' })],
  ])('%s', async (_name, change) => {
    lieAbout(change);
    await page.goto(`${proxy.url}/chat`);
    await shieldSays('An answer came that this version of Sotto does not understand.');
    const sent = proxy.sentTurns().length;
    await ask(page, 'Kept until there is an enclave.');
    await questions(page).last().filter({ hasText: 'Kept until there is an enclave.' }).waitFor();
    await page.getByText('Your message is kept.').last().waitFor({ timeout: 60_000 });
    expect(proxy.sentTurns()).toHaveLength(sent);
    expect(await page.getByText('password').count()).toBe(0);
    proxy.honest();
    await shieldSays(hardwareSentence);
    // It may go by itself before anyone presses.
    const pressAndCount = async () => {
      const retry = page.getByRole('button', { name: 'Retry' }).last();
      await retry.click({ timeout: 500 }).catch(() => undefined);
      return proxy.sentTurns().length;
    };
    await expect.poll(pressAndCount).toBeGreaterThan(sent);
    expect(await finishedAnswer(page)).toContain('Kept until there is an enclave.');
  });
});

describe('other enclaves', () => {
  async function openAt(port: number): Promise<Page> {
    const opened = await (await browser.newContext()).newPage();
    await createAccount(opened, `http://localhost:${port}`);
    return opened;
  }

  it('M4: one of a model that this client’s policy does not list is refused', async () => {
    const other = await openAt(site.ports.plain);
    await other.getByText('Nothing is sent: the enclave runs another model').first().waitFor();
    await other.context().close();
  });

  it('Intel hardware is named; the minimum is lowered for one conversation by an act that it remembers', async () => {
    const intel = await openAt(site.ports.intel);
    await shieldSays(/^Protection: Intel hardware signed that measured software 1\.0\.0-test/, intel);
    await chooseMinimum(intel, 'Hardware, and the GPU too');
    await intel.getByText('Nothing is sent: this enclave offers less protection than you ask for.').first().waitFor();
    await messageBox(intel).fill('Words that stay.');
    await intel.getByRole('button', { name: /^Lower the minimum/ }).click();
    await intel.getByRole('button', { name: 'Lower it here' }).click();
    await shieldSays(/^Protection: Intel hardware/, intel);
    await intel.getByRole('button', { name: 'Send' }).click();
    await finishedAnswer(intel);
    await intel.getByRole('note').filter({ hasText: 'You lowered the minimum for this conversation' }).waitFor();
    await intel.reload();
    await intel.getByRole('note').filter({ hasText: 'You lowered the minimum for this conversation' }).waitFor();
    await shieldSays(/^Protection: Intel hardware/, intel);
    await intel.context().close();
  });

  it('Modal says who could read along', async () => {
    const modal = await openAt(site.ports.modal);
    await shieldSays(
      'The operator of this service states that the model runs on Modal. The operator and Modal could read your messages.',
      modal,
    );
    await ask(modal, 'On Modal.');
    await finishedAnswer(modal);
    await modal.context().close();
  });
});
