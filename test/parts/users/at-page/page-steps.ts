import type { Person } from '../person.ts';
import type { ControlRole, EngineTab } from '../../browser/engines/engine.ts';

/*
 * A person does these in the client, in any engine. Each step waits until the page is ready for it; the longest wait is a limit
 * for a busy machine, not a measurement.
 */
const longestMs = 90_000;

/** @throws {Error} with all that the page says, when it does not come to be. */
export async function until(tab: EngineTab, wish: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + longestMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`The page never came to: ${wish}. It says:\n${await wordsOn(tab)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function wordsOn(tab: EngineTab): Promise<string> {
  return String(await tab.read(`document.body.innerText`));
}

export function seen(tab: EngineTab, role: ControlRole, name: string): Promise<void> {
  return until(tab, `${role} "${name}"`, () => tab.shows(role, name));
}

export function press(tab: EngineTab, role: ControlRole, name: string): Promise<void> {
  return until(tab, `${role} "${name}" to press`, () => tab.click(role, name));
}

export function write(tab: EngineTab, role: ControlRole, name: string, text: string): Promise<void> {
  return until(tab, `${role} "${name}" to write in`, () => tab.fill(role, name, text));
}

/** Creates an account from the home page and stops in the chat. @returns the recovery phrase. */
export async function createAccountIn(tab: EngineTab, url: string, account: Person): Promise<string[]> {
  await tab.goto(url);
  await press(tab, 'link', 'Create account');
  await fillCredentials(tab, account);
  await press(tab, 'button', 'Create account');
  const confirmation = 'I have written down the 24 words and keep them in a safe place.';
  await seen(tab, 'checkbox', confirmation);
  const phrase = String(await tab.read(`document.querySelector('[data-testid="recovery-phrase"]').innerText`));
  await press(tab, 'checkbox', confirmation);
  await press(tab, 'button', 'Continue');
  await seen(tab, 'textbox', 'Message');
  return phrase.split(/\s+/).filter((word) => /^[a-z]+$/.test(word));
}

/** Signs in where the page for it is open, and stops in the chat. */
export async function signInIn(tab: EngineTab, account: Person): Promise<void> {
  await fillCredentials(tab, account);
  await press(tab, 'button', 'Sign in');
  await seen(tab, 'textbox', 'Message');
}

export async function unlockIn(tab: EngineTab, account: Person): Promise<void> {
  await write(tab, 'password', 'Password', account.password);
  await press(tab, 'button', 'Unlock');
  await seen(tab, 'textbox', 'Message');
}

export async function fillCredentials(tab: EngineTab, account: Person): Promise<void> {
  await write(tab, 'textbox', 'User name', account.userName);
  await write(tab, 'password', 'Password', account.password);
}

export async function chooseInAccountMenuIn(tab: EngineTab, item: string): Promise<void> {
  await press(tab, 'button', 'Account');
  await press(tab, 'menuitem', item);
}

export type ShownMessage = { readonly label: string; readonly isBusy: boolean; readonly text: string };

export async function messagesIn(tab: EngineTab): Promise<readonly ShownMessage[]> {
  const shown = await tab.read(`[...document.querySelectorAll('article')].map((each) => ({
    label: each.getAttribute('aria-label') ?? '',
    isBusy: each.getAttribute('aria-busy') === 'true',
    text: each.innerText,
  }))`);
  return shown as ShownMessage[];
}

/** Asks, and waits for the end of the answer. @returns its text. */
export async function askIn(tab: EngineTab, question: string): Promise<string> {
  await write(tab, 'textbox', 'Message', question);
  await press(tab, 'button', 'Send');
  return answerTo(tab, question);
}

/** Waits until a question stands in the conversation with an answer below it that has come to its end. */
export async function answerTo(tab: EngineTab, question: string): Promise<string> {
  let answer = '';
  await until(tab, `the whole answer to "${question}"`, async () => {
    const messages = await messagesIn(tab);
    const asked = messages.findIndex(({ label, text }) => label.startsWith('You') && text.includes(question));
    const next = asked < 0 ? undefined : messages[asked + 1];
    answer = next?.text ?? '';
    return next?.label.startsWith('Assistant') === true && !next.isBusy && (await tab.shows('button', 'Copy answer'));
  });
  return answer;
}
