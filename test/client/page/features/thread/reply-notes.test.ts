import { expect, test } from 'vitest';
import type { StoredProtection } from '../../../../../client/vault/api/vault-api.ts';
import { leftOutText } from '../../../../../client/page/texts/of-values/reply-texts.ts';
import { clientOfTests } from '../../../../parts/vault/scripted-client/client-of-tests.ts';
import { askInPage } from '../../../../parts/vault/scripted-client/scripted-page.ts';

const client = clientOfTests();

test('an answer that does not come yet says why, and one to half a conversation says what is missing', async () => {
  const page = await client.openPage({ path: '/chat', status: 'unlocked' });
  const turn = await askInPage(page, 'A question');
  const answer = page.getByRole('article', { name: /^Assistant/ });
  for (const [cause, text] of [
    ['model-loading', 'The model is being loaded'],
    ['model-overloaded', 'The model is busy; your question waits'],
  ] as const) {
    await page.evaluate(([id, why]) => window.vault.setAnswerState(id, { kind: 'waiting', cause: why }), [
      turn,
      cause,
    ] as const);
    await answer.getByText(text).waitFor();
  }
  await page.evaluate((id) => window.vault.streamText(id, 'Here it is.'), turn);
  await answer.getByText('Here it is.').waitFor();
  expect(await answer.getByText('your question waits').count()).toBe(0);
  await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
  expect(await answer.getByText('left out').count()).toBe(0);
  await page.evaluate((id) => window.vault.note(id, { leftOut: 12 }), turn);
  await answer.getByText(leftOutText(12)).waitFor();
});

test('an answer says what vouched for its enclave where no document does: known words anew, others as they are', async () => {
  const page = await client.openPage({ path: '/chat', status: 'unlocked' });
  const turn = await askInPage(page, 'A question');
  await page.evaluate((id) => window.vault.streamText(id, 'Here it is.'), turn);
  await page.evaluate((id) => window.vault.endAnswer(id, 'complete'), turn);
  const answer = page.getByRole('article', { name: /^Assistant/ });
  const keep = (protection: StoredProtection, isDocumented: boolean) =>
    page.evaluate(([id, kept]) => window.vault.note(id, kept), [turn, { protection, isDocumented }] as const);
  const modal = { kind: 'modal', level: 'stated', release: null } as const;
  await keep(modal, false);
  await answer.getByText('The operator and Modal could read your messages.').waitFor();
  await keep({ text: 'Words of <b>another</b> build.' }, false);
  await answer.getByText('Words of <b>another</b> build.').waitFor();
  await keep(modal, true);
  await answer.getByText('Words of <b>another</b> build.').waitFor({ state: 'detached' });
  expect(await answer.getByText('The operator and Modal').count()).toBe(0);
});
