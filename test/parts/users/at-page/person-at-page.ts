import type { BrowserContext, Page } from 'playwright-core';
import { pageTab } from '../../browser/engines/chromium-engine.ts';
import { inventPerson, type Person, type SignedUpPerson } from '../person.ts';
import { createAccountIn, press, signInIn } from './page-steps.ts';

/*
 * The steps of page-steps.ts on a page of Playwright's, and the places of a page by the names that a screen reader would say.
 */

/** Creates an account from the home page and stops in the chat. */
export async function createAccount(page: Page, url: string, person: Person = inventPerson()): Promise<SignedUpPerson> {
  return { ...person, recoveryWords: await createAccountIn(pageTab(page), url, person) };
}

/** Signs in from the home page and stops in the chat. */
export async function signIn(page: Page, url: string, person: Person): Promise<void> {
  const tab = pageTab(page);
  await tab.goto(url);
  await press(tab, 'link', 'Sign in');
  await signInIn(tab, person);
}

export function messageBox(page: Page) {
  return page.getByRole('textbox', { name: 'Message', exact: true });
}

/** Types and sends. Waits until the question stands in the conversation, or the page says why it does not; not for the answer. */
export async function ask(page: Page, text: string): Promise<void> {
  await messageBox(page).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  const complaint = page.getByRole('alert').filter({ hasText: /\S/ });
  await questions(page).filter({ hasText: text }).or(complaint).first().waitFor();
}

export function answers(page: Page) {
  return page.getByRole('article', { name: /^Assistant/ });
}

export function questions(page: Page) {
  return page.getByRole('article', { name: /^You/ });
}

/**
 * Waits until the last message is an answer that has come to its end: one that failed or was cut off, which the page says
 * below it, is none.
 *
 * @returns its text.
 */
export async function finishedAnswer(page: Page, timeout = 120_000): Promise<string> {
  const text = await page.waitForFunction(
    () => {
      const last = [...document.querySelectorAll('article')].at(-1);
      const isAnswer = last?.ariaLabel?.startsWith('Assistant') === true;
      const hasFailed = last?.querySelector('[data-ending]:not([data-ending="calm"])') !== null;
      if (!isAnswer || last.ariaBusy === 'true' || hasFailed) return null;
      // A reply without a word yet has nothing to copy.
      return last.querySelector('button[aria-label="Copy answer"]') === null ? null : last.innerText;
    },
    undefined,
    { timeout },
  );
  return (await text.jsonValue()) ?? '';
}

export function conversationLinks(page: Page) {
  return page.getByRole('navigation', { name: 'Conversations' }).getByRole('link');
}

export function shield(page: Page) {
  return page.getByRole('button', { name: /^Protection/ });
}

/** Chooses in the shield's details what every enclave must offer. */
export async function chooseMinimum(page: Page, level: string): Promise<void> {
  await shield(page).click();
  await page.getByRole('radio', { name: level }).check();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** Collects what a strict page must never do: console errors, CSP violations, uncaught errors, requests elsewhere. */
export function watchForFaults(context: BrowserContext, url: string): string[] {
  const faults: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      faults.push(`console: ${message.text()}`);
    }
  });
  context.on('weberror', (error) => faults.push(`uncaught: ${error.error().message}`));
  context.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(url) && !address.startsWith('blob:') && !address.startsWith('data:')) {
      faults.push(`asked elsewhere: ${address}`);
    }
  });
  return faults;
}
