import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { errorCodes } from '../../../../crypto/protocol/messages/error-codes.ts';
import { replyCauses } from '../../../../crypto/protocol/contents/reply-note.ts';
import { replyErrorCodes } from '../../../../crypto/protocol/contents/request-content.ts';
import {
  canSucceedAgain,
  failureCodes,
  failureSentence,
} from '../../../../client/page/texts/of-values/failure-texts.ts';
import { replyErrorText } from '../../../../client/page/texts/of-values/reply-error-texts.ts';
import { clientOfTests } from '../../../parts/vault/scripted-client/client-of-tests.ts';
import { askInPage } from '../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

/** Words with a hyphen or a colon, which no sentence of ours contains by chance. */
const rawCodes = [...failureCodes, ...replyErrorCodes, ...replyCauses, ...Object.keys(errorCodes)].filter((code) =>
  /[-:]/.test(code),
);

async function codesShown(page: Page): Promise<string[]> {
  const text = await page.evaluate(() => document.body.innerText);
  return [...rawCodes, 'a-later-code'].filter((code) => text.includes(code));
}

test('every failure of a question is said in words, with what was kept; Retry is offered where it can help', async () => {
  const page = await client.openPage({ path: '/chat', status: 'unlocked' });
  const turn = await askInPage(page, 'A question');
  const answer = page.getByRole('article', { name: /^Assistant/ });
  for (const code of failureCodes) {
    await page.evaluate(
      ([id, failed]) => window.vault.setAnswerState(id, { kind: 'unsent', failure: { code: failed } }),
      [turn, code] as const,
    );
    await answer.getByText(`${failureSentence({ code })} Your message is kept.`).waitFor();
    const retries = await answer.getByRole('button', { name: 'Retry' }).count();
    expect([code, retries]).toEqual([code, canSucceedAgain({ code }) ? 1 : 0]);
    expect(await codesShown(page)).toEqual([]);
  }
});

test('every reason why an answer failed is said in words; Retry is offered where it can help', async () => {
  const page = await client.openPage({ path: '/chat', status: 'unlocked' });
  const turn = await askInPage(page, 'A question');
  const answer = page.getByRole('article', { name: /^Assistant/ });
  for (const code of [...replyErrorCodes, ...replyCauses, 'a-later-code']) {
    await page.evaluate(
      ([id, why]) => window.vault.setAnswerState(id, { kind: 'ended', outcome: 'error', code: why, endedEarly: false }),
      [turn, code] as const,
    );
    const { sentence, wayOut, isForGood } = replyErrorText(code);
    await answer.getByText(`${sentence} Your question is kept. ${wayOut}`).waitFor();
    expect(await answer.getByRole('button', { name: 'Retry' }).count()).toBe(isForGood === true ? 0 : 1);
    expect(await codesShown(page)).toEqual([]);
  }
});

test('every failure of a sign-in is said in words', async () => {
  const page = await client.openPage({ path: '/sign-in' });
  await page.getByRole('textbox', { name: 'User name' }).fill('somebody');
  await page.getByRole('textbox', { name: 'Password' }).fill('something long');
  for (const code of failureCodes) {
    await page.evaluate((failed) => window.vault.failures.set('signIn', { code: failed }), code);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText(failureSentence({ code })).waitFor();
    expect(await codesShown(page)).toEqual([]);
  }
});
